# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's own log: one file that all its processes append to, kept from growing for ever by the server."""

from __future__ import annotations

import contextlib
import logging
import os

#: Bytes; of a larger log the newer half is kept.
MAXIMUM = 8 << 20
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC


def open_log(path: str | os.PathLike[str]) -> int:
    """A new log's descriptor, for this user only."""
    return os.open(path, _OPEN, 0o600)


class LogHandler(logging.Handler):
    """Writes to ``descriptor``, which `open_log` made. A disk that is full costs lines and nothing else."""

    def __init__(self, descriptor: int = 2, maximum: int = MAXIMUM) -> None:
        super().__init__()
        self._descriptor, self._maximum = descriptor, maximum
        self.setFormatter(logging.Formatter(_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            os.write(self._descriptor, f"{self.format(record)}\n".encode(errors="replace"))
            self._shorten()

    def _shorten(self) -> None:
        size = os.fstat(self._descriptor).st_size
        if size > self._maximum:
            kept = os.pread(self._descriptor, self._maximum // 2, size - self._maximum // 2)
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, kept.partition(b"\n")[2])
