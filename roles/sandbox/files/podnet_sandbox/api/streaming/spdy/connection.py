# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side of a SPDY/3.1 connection: the streams a client opens.

There is no flow control by WINDOW_UPDATE: Kubernetes' clients (moby/spdystream) send none and expect none. TCP holds
back whoever is too quick: a stream nobody reads stops the reading of the connection.
"""

from __future__ import annotations

from collections.abc import Callable

from ..streams import Stream, Wire
from . import frames
from .frames import Control, Data, FrameReader, FrameWriter, ProtocolError

#: Data in one frame, as much as Go's io.Copy writes at once.
_CHUNK = 32 * 1024
_MOST_STREAMS = 1000


class Refused(Exception):
    """A stream that is not wanted."""


class Connection:
    """Streams over a `Wire`. ``accept`` is called with each new one and may raise `Refused`."""

    def __init__(self, wire: Wire, accept: Callable[[Stream], None]) -> None:
        self._wire, self._accept = wire, accept
        self._reader, self._writer = FrameReader(), FrameWriter()
        self._streams: dict[int, _Numbered] = {}
        self._last = 0

    async def run(self) -> None:
        """Serve until the client is gone. One that does not keep to the protocol is told so before `ProtocolError`."""
        try:
            while data := await self._wire.receive():
                for frame in self._reader.feed(data):
                    if isinstance(frame, Data):
                        await self._data(frame)
                    elif frame.type == frames.GOAWAY:
                        return
                    else:
                        await self._control(frame)
        except ProtocolError:
            await self._wire.send(self._writer.go_away(self._last, fault=True))
            raise
        finally:
            for stream in self._streams.values():
                stream.broken()
            self._streams.clear()

    async def end(self) -> None:
        """Say that there will be no more."""
        await self._wire.send(self._writer.go_away(self._last, fault=False))

    def discard(self) -> None:
        """Nobody reads the streams any more."""
        for stream in self._streams.values():
            stream.discard()

    async def _control(self, frame: Control) -> None:
        if frame.type == frames.SYN_STREAM:
            await self._open(frame)
        elif frame.type == frames.RST_STREAM:
            stream = self._streams.pop(frame.stream, None)
            if stream is not None:
                stream.broken()
        elif frame.type == frames.PING and frame.stream % 2 == 1:  # ours would be even
            await self._wire.send(self._writer.ping(frame.stream))

    async def _open(self, frame: Control) -> None:
        number = frame.stream
        if number % 2 == 0 or number <= self._last:
            raise ProtocolError(f"stream {number} opened by a client after stream {self._last}")
        self._last = number
        stream = _Numbered(self, number, frame)
        try:
            if len(self._streams) >= _MOST_STREAMS:
                raise Refused(f"more than {_MOST_STREAMS} streams at once")
            self._streams[number] = stream
            self._accept(stream)
        except Refused:
            self._streams.pop(number, None)
            stream.broken()
            await self._wire.send(self._writer.reset(number, frames.REFUSED_STREAM))
            return
        await self._wire.send(self._writer.reply(number))
        if frame.flags & frames.FIN:
            await self._ended(stream)

    async def _data(self, frame: Data) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None:
            if frame.stream > self._last or frame.stream % 2 == 0:
                raise ProtocolError(f"data of stream {frame.stream}, which was never opened")
            return  # it was reset, which the client may not know yet
        if frame.content:
            await stream.deliver(frame.content)
        if frame.last:
            await self._ended(stream)

    async def _ended(self, stream: _Numbered) -> None:
        await stream.deliver(b"")
        stream.heard = True
        self._forget(stream)

    async def _send(self, stream: _Numbered, data: bytes, last: bool) -> None:
        for at in range(0, len(data), _CHUNK):
            await self._wire.send(self._writer.data(stream.number, data[at : at + _CHUNK]))
        if last:
            await self._wire.send(self._writer.data(stream.number, b"", last=True))
            stream.said = True
            self._forget(stream)

    def _forget(self, stream: _Numbered) -> None:
        if stream.heard and stream.said:
            self._streams.pop(stream.number, None)


class _Numbered(Stream):
    """A stream of a SPDY connection; over when both sides have ended it."""

    def __init__(self, connection: Connection, number: int, frame: Control) -> None:
        async def send(data: bytes, last: bool) -> None:
            await connection._send(self, data, last)

        super().__init__(send, frame.headers)
        self.number = number
        self.heard = self.said = False
