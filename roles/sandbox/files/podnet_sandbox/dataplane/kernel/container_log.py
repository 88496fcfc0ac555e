# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container wrote: the last lines of it, and those to come."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime

#: As much of a container's output is kept; kubelet keeps 10 MiB by default, a lab needs less.
MAXIMUM_BYTES = 1 << 20


class ContainerLog:
    """Reads a pipe into lines, each with the time it came (seconds since the epoch)."""

    def __init__(self) -> None:
        self._lines: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._dropped = 0
        self._open = True
        self._changed = asyncio.Event()

    def attach(self, descriptor: int) -> None:
        """Take what comes out of ``descriptor`` until its end; closes it."""
        self._descriptor = descriptor
        self._rest = b""
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._readable)

    def close(self) -> None:
        """No more will come: the container was started anew, or is gone."""
        if self._open:
            self._readable()
        if self._open:
            self._end()

    async def read(
        self, *, follow: bool = False, tail_lines: int | None = None, timestamps: bool = False, since: float = 0.0
    ) -> AsyncIterator[bytes]:
        """Lines with their newline, oldest first; ``since`` as a time."""
        start = self._dropped
        if tail_lines is not None:
            start += max(0, len(self._lines) - tail_lines)
        while True:
            changed = self._changed
            fresh = list(self._lines)[max(0, start - self._dropped) :]
            start = self._dropped + len(self._lines)
            for moment, line in fresh:
                if moment >= since:
                    yield _stamped(moment, line) if timestamps else line
            if not follow or not self._open:
                return
            await changed.wait()

    def _readable(self) -> None:
        try:
            while part := os.read(self._descriptor, 65536):
                self._take(part)
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end()

    def _take(self, part: bytes) -> None:
        *whole, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > MAXIMUM_BYTES // 16:
            whole, self._rest = [*whole, self._rest], b""
        for line in whole:
            self._add(line + b"\n")
        self._wake()

    def _add(self, line: bytes) -> None:
        self._lines.append((time.time(), line))
        self._size += len(line)
        while self._size > MAXIMUM_BYTES:
            self._size -= len(self._lines.popleft()[1])
            self._dropped += 1

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)
        if self._rest:
            self._add(self._rest)
        self._open = False
        self._wake()

    def _wake(self) -> None:
        """Who waits holds the old event; the next to wait finds a new one."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _stamped(moment: float, line: bytes) -> bytes:
    whole, fraction = divmod(moment, 1)
    stamp = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{int(fraction * 1e9):09d}Z ".encode() + line
