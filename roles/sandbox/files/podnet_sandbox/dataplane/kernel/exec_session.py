# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command in a container: pipes or a terminal, exit code, kill."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from ...zygote_client import Process, StartError, ZygoteClient
from . import terminal
from .standard_input import StandardInput
from .workloads import ExecFailed

#: Output not read by the client stops the command, as it would on a terminal: this much is buffered.
BUFFER = 1 << 18


class ExecSession:
    """A command on pipes, or on a pseudo terminal (everything on ``stdout``)."""

    def __init__(self, zygote: ZygoteClient, *, tty: bool) -> None:
        self._zygote = zygote
        self._tty = tty
        self._pid = 0
        self._exited: asyncio.Future[int] | None = None
        self._input: StandardInput | None = None
        self._transports: list[asyncio.BaseTransport] = []
        self.stdout = asyncio.StreamReader(limit=BUFFER)
        self.stderr = asyncio.StreamReader(limit=BUFFER)

    async def start(self, target: int, process: Process, *, stdin: bool) -> None:
        """Run ``process`` beside ``target``. Raises `ExecFailed`."""
        theirs, ours = _terminal(target) if self._tty else _pipes(stdin)
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
        await self._connect(ours, self._exited)

    async def write_stdin(self, data: bytes) -> None:
        """Wait until the command took ``data``."""
        if self._input is not None:
            await self._input.write(data)

    async def close_stdin(self) -> None:
        """End of input."""
        if self._input is not None:
            await self._input.end()

    async def wait(self) -> int:
        """The exit code, once the command has ended."""
        assert self._exited is not None  # started
        code = await asyncio.shield(self._exited)
        self._close_input()
        return code

    async def close(self) -> None:
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
        """The terminal's new size; the command hears SIGWINCH. Raises ValueError."""
        if self._input is not None:
            self._input.resize(rows, columns)

    async def _connect(self, ours: list[int], exited: asyncio.Future[int]) -> None:
        if self._tty:
            self._input = StandardInput(os.dup(ours[0]), exited, terminal=True)
            await self._read(ours[0], terminal.TerminalProtocol(self.stdout))
            self.stderr.feed_eof()
            return
        *inputs, output, error = ours
        if inputs:
            self._input = StandardInput(inputs[0], exited, terminal=False)
        await self._read(output, asyncio.StreamReaderProtocol(self.stdout))
        await self._read(error, asyncio.StreamReaderProtocol(self.stderr))

    async def _read(self, descriptor: int, protocol: asyncio.Protocol) -> None:
        file = os.fdopen(descriptor, "rb", buffering=0)
        transport, _ignored = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
        self._transports.append(transport)

    def _close_input(self) -> None:
        if self._input is not None:
            self._input.close()


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


def _terminal(target: int) -> tuple[list[int], list[int]]:
    """Raises `ExecFailed`."""
    try:
        controller, theirs = terminal.open_in(target)
    except OSError as error:
        raise ExecFailed(f"no terminal could be opened: {error}") from error
    return [theirs] * 3, [controller]
