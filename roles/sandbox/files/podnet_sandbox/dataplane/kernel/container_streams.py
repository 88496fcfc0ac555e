# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's standard streams from its start to its end: to its log, and to and from whoever is attached to it."""

from __future__ import annotations

import asyncio
import os

from .container_log import ContainerLog
from .standard_input import StandardInput

_PART = 1 << 16
#: What an attached client has not read yet, before the container has to wait for it (as with containerd).
_BUFFER = 1 << 17


class ContainerStreams:
    """``theirs``: the descriptors to start the container with. Then `begin`, or `abandon` where it did not start."""

    def __init__(self, *, stdin: bool, tty: bool, stdin_once: bool) -> None:
        self.log = ContainerLog()
        self.tty, self.stdin_once = tty, stdin_once
        self.input: StandardInput | None = None
        self._outputs: list[_Output] = []
        if tty:
            controller, terminal = os.openpty()
            self.theirs = (terminal, terminal, terminal)
            self._ours = [os.dup(controller) if stdin else -1, controller]
            return
        reader, writer = os.pipe2(os.O_CLOEXEC) if stdin else (os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), -1)
        output, error = os.pipe2(os.O_CLOEXEC), os.pipe2(os.O_CLOEXEC)
        self.theirs = (reader, output[1], error[1])
        self._ours = [writer, output[0], error[0]]

    def begin(self, ended: asyncio.Future[int]) -> None:
        """The container runs."""
        self._close(*set(self.theirs))
        writer, *readers = self._ours
        if writer >= 0:
            self.input = StandardInput(writer, ended, terminal=self.tty)
        self._outputs = [_Output(reader, self.log, number) for number, reader in enumerate(readers)]

    def abandon(self) -> None:
        """There will be no container."""
        self._close(*set(self.theirs), *(each for each in self._ours if each >= 0))

    def end(self) -> None:
        """The container has ended: what it wrote last is read, then everybody hears the end."""
        if self.input is not None:
            self.input.close()
        for output in self._outputs:
            output.close()
        self.log.close()

    def tap(self) -> tuple[asyncio.StreamReader, asyncio.StreamReader]:
        """What is written to (standard output, standard error) from now on; on a terminal all to the first."""
        readers = [output.tap() for output in self._outputs]
        if len(readers) == 1:
            readers.append(asyncio.StreamReader())
            readers[1].feed_eof()
        return readers[0], readers[1]

    def untap(self, *readers: asyncio.StreamReader) -> None:
        """Nothing more for these: they are at their end."""
        for output in self._outputs:
            for reader in readers:
                output.untap(reader)

    @staticmethod
    def _close(*descriptors: int) -> None:
        for descriptor in descriptors:
            os.close(descriptor)


class _Output:
    """One descriptor, read as long as nobody who is attached is behind."""

    def __init__(self, descriptor: int, log: ContainerLog, number: int) -> None:
        self._descriptor, self._log, self._number = descriptor, log, number
        self._taps: dict[asyncio.StreamReader, _Tap] = {}
        self._waiting_for: set[_Tap] = set()
        os.set_blocking(descriptor, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._readable)

    def tap(self) -> asyncio.StreamReader:
        reader = asyncio.StreamReader(_BUFFER)
        if self._descriptor < 0:
            reader.feed_eof()
            return reader
        tap = self._taps[reader] = _Tap(self)
        reader.set_transport(tap)
        return reader

    def untap(self, reader: asyncio.StreamReader) -> None:
        tap = self._taps.pop(reader, None)
        if tap is not None:
            reader.feed_eof()
            self.go_on(tap)

    def hold(self, tap: _Tap) -> None:
        """Its reader is behind."""
        if not self._waiting_for and self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
        self._waiting_for.add(tap)

    def go_on(self, tap: _Tap) -> None:
        """Its reader has caught up, or is gone."""
        if tap in self._waiting_for:
            self._waiting_for.discard(tap)
            if not self._waiting_for and self._descriptor >= 0:
                self._loop.add_reader(self._descriptor, self._readable)

    def close(self) -> None:
        """Take what is left."""
        while self._descriptor >= 0 and self._take():
            pass
        if self._descriptor >= 0:
            self._end()

    def _readable(self) -> None:
        self._take()

    def _take(self) -> bool:
        """Some of what was written; False where there is nothing now."""
        try:
            part = os.read(self._descriptor, _PART)
        except BlockingIOError:
            return False
        except OSError:  # EIO: the last process on a terminal is gone
            part = b""
        if not part:
            self._end()
            return False
        self._log.take(self._number, part)
        for reader in self._taps:
            reader.feed_data(part)
        return True

    def _end(self) -> None:
        self._loop.remove_reader(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1
        for reader in self._taps:
            reader.feed_eof()
        self._taps.clear()


class _Tap(asyncio.ReadTransport):
    """What a StreamReader asks to wait, and to go on."""

    def __init__(self, output: _Output) -> None:
        super().__init__()
        self._output = output

    def pause_reading(self) -> None:
        self._output.hold(self)

    def resume_reading(self) -> None:
        self._output.go_on(self)
