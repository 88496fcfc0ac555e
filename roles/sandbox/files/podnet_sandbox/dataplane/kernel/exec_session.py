# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command in a container: pipes or a terminal, exit code, kill."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable

from ...zygote_client import Process, StartError, ZygoteClient
from .workloads import ExecFailed

_END_OF_INPUT = b"\x04"  # Ctrl-D, on a terminal
#: Output not read by the client stops the command, as it would on a terminal: this much is buffered.
_BUFFER = 1 << 18


class PipeSession:
    """A command on pipes, or on a pseudo terminal (everything on ``stdout``)."""

    def __init__(self, zygote: ZygoteClient, *, tty: bool) -> None:
        self._zygote = zygote
        self._tty = tty
        self._pid = 0
        self._exited: asyncio.Future[int] | None = None
        self._input = -1
        self._transports: list[asyncio.BaseTransport] = []
        self.stdout = asyncio.StreamReader(limit=_BUFFER)
        self.stderr = asyncio.StreamReader(limit=_BUFFER)

    async def start(self, target: int, process: Process, *, stdin: bool) -> None:
        """Run ``process`` beside ``target``. Raises `ExecFailed`."""
        theirs, ours = _terminal() if self._tty else _pipes(stdin)
        try:
            self._pid = await self._zygote.exec(target, process, theirs)
        except (StartError, BaseException) as error:
            for descriptor in ours:
                os.close(descriptor)
            if isinstance(error, StartError):
                raise ExecFailed(str(error)) from error
            raise
        finally:
            for descriptor in set(theirs):
                os.close(descriptor)
        self._exited = self._zygote.exited(self._pid)
        self._exited.add_done_callback(lambda _: self._zygote.forget(self._pid))
        await self._connect(ours, stdin=stdin)

    async def write_stdin(self, data: bytes) -> None:
        """Wait until the command took ``data``; one that closed its input just loses it."""
        view = memoryview(data)
        while view and self._input >= 0:
            try:
                view = view[os.write(self._input, view) :]
            except BlockingIOError:
                await self._writable()
            except OSError:
                self._close_input()

    async def close_stdin(self) -> None:
        """End of input."""
        if self._tty:
            await self.write_stdin(_END_OF_INPUT)
        else:
            self._close_input()

    async def wait(self) -> int:
        """The exit code, once the command has ended."""
        assert self._exited is not None  # started
        code = await asyncio.shield(self._exited)
        self._close_input()
        return code

    async def kill(self) -> None:
        """End the command and what it started in its session."""
        self._zygote.kill(self._pid, signal.SIGKILL, group=True)
        self._close_input()
        for transport in self._transports:
            transport.close()

    def when_ended(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once the command has ended."""
        assert self._exited is not None  # started
        self._exited.add_done_callback(lambda _: callback())

    def resize(self, rows: int, columns: int) -> None:
        """The terminal's new size; the command hears SIGWINCH."""
        if self._tty and self._input >= 0:
            fcntl.ioctl(self._input, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def _connect(self, ours: list[int], *, stdin: bool) -> None:
        if self._tty:
            self._input = os.dup(ours[0])
            os.set_blocking(self._input, False)
            await self._read(ours[0], _TerminalProtocol(self.stdout))
            self.stderr.feed_eof()
            return
        *inputs, output, error = ours
        if inputs:
            self._input = inputs[0]
            os.set_blocking(self._input, False)
        await self._read(output, asyncio.StreamReaderProtocol(self.stdout))
        await self._read(error, asyncio.StreamReaderProtocol(self.stderr))

    async def _read(self, descriptor: int, protocol: asyncio.Protocol) -> None:
        file = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ignored = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
        self._transports.append(transport)

    async def _writable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        descriptor = self._input
        loop.add_writer(descriptor, lambda: ready.done() or ready.set_result(None))
        try:
            await asyncio.wait({ready, self._exited}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            loop.remove_writer(descriptor)
        if self._exited.done():
            self._close_input()

    def _close_input(self) -> None:
        if self._input >= 0:
            os.close(self._input)
            self._input = -1


class _TerminalProtocol(asyncio.StreamReaderProtocol):
    """The last process on a terminal closing it reads as EIO, which is its end of file."""

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(None if isinstance(exc, OSError) else exc)


def _pipes(stdin: bool) -> tuple[list[int], list[int]]:
    """(the command's three descriptors, ours: [input,] output, error)."""
    their_output = os.pipe2(os.O_CLOEXEC)
    their_error = os.pipe2(os.O_CLOEXEC)
    if stdin:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        inputs = [writer]
    else:
        reader, inputs = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), []
    return [reader, their_output[1], their_error[1]], [*inputs, their_output[0], their_error[0]]


def _terminal() -> tuple[list[int], list[int]]:
    controller, terminal = os.openpty()
    return [terminal] * 3, [controller]
