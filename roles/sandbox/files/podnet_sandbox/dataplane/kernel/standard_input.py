# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The writing end of a process's standard input: a pipe, or the terminal it is on."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios

_END_OF_INPUT = b"\x04"  # Ctrl-D, on a terminal


class StandardInput:
    """Several may write. ``ended``: done when the process has ended, after which input is dropped."""

    def __init__(self, descriptor: int, ended: asyncio.Future[int], *, terminal: bool) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._ended = ended
        self._terminal = terminal
        self._writable: asyncio.Future[None] | None = None

    async def write(self, data: bytes) -> None:
        """Wait until the process took ``data``; one that closed its input just loses it."""
        view = memoryview(data)
        while view and self._descriptor >= 0:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:
                await self._until_writable()
            except OSError:
                self.close()

    async def end(self) -> None:
        """End of input."""
        if self._terminal:
            await self.write(_END_OF_INPUT)
        else:
            self.close()

    def close(self) -> None:
        """Let the descriptor go."""
        if self._descriptor >= 0:
            self._woken()
            os.close(self._descriptor)
            self._descriptor = -1

    def resize(self, rows: int, columns: int) -> None:
        """The terminal's new size (at most 65535 each); who is on it hears SIGWINCH. Raises ValueError."""
        if not (0 <= rows < 1 << 16 and 0 <= columns < 1 << 16):
            raise ValueError(f"a terminal of {rows} rows and {columns} columns")
        if self._terminal and self._descriptor >= 0:
            fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def _until_writable(self) -> None:
        if self._writable is None:
            loop = asyncio.get_running_loop()
            self._writable = loop.create_future()
            loop.add_writer(self._descriptor, self._woken)
        await asyncio.wait({self._writable, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        if self._ended.done():
            self.close()

    def _woken(self) -> None:
        if self._writable is not None:
            asyncio.get_running_loop().remove_writer(self._descriptor)
            self._writable.set_result(None)
            self._writable = None
