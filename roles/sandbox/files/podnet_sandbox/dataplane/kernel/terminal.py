# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pseudo terminals."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct

#: ioctls of ptmx: unlock the terminal, and open it without a path (Linux 4.13), which the container's mount namespace has.
_TIOCSPTLCK, _TIOCGPTPEER = 0x40045431, 0x5441
_FLAGS = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC


def open_in(pid: int) -> tuple[int, int]:
    """(controller, terminal) of the container whose process ``pid`` is, so that `tty` in it knows a name. Raises OSError."""
    controller = os.open(f"/proc/{pid}/root/dev/pts/ptmx", _FLAGS | os.O_NOFOLLOW)
    try:
        fcntl.ioctl(controller, _TIOCSPTLCK, struct.pack("i", 0))
        return controller, fcntl.ioctl(controller, _TIOCGPTPEER, _FLAGS)
    except BaseException:
        os.close(controller)
        raise


class TerminalProtocol(asyncio.StreamReaderProtocol):
    """The last process on a terminal closing it reads as EIO, which is its end of file."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None if isinstance(exc, OSError) else exc)
