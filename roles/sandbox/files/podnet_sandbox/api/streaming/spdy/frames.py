# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPDY/3.1's frames from bytes and to bytes. No I/O.

A frame begins with 8 bytes. The first bit tells a control frame (15 bits version, 16 bits type, 8 bits flags, 24 bits
length) from one with data (31 bits stream, 8 bits flags, 24 bits length).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .headers import Compressor, Decompressor, HeaderError

VERSION = 3
SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
#: Status codes of RST_STREAM.
PROTOCOL_ERROR, INVALID_STREAM, REFUSED_STREAM, CANCEL = 1, 2, 3, 5

_HEAD = struct.Struct(">II")
_STREAM = struct.Struct(">I")
_CONTROL = 1 << 31
_ID = _CONTROL - 1
_LENGTH = (1 << 24) - 1
#: The longest control frame that is read: a header block is some dozens of bytes.
_LONGEST_CONTROL = 16 * 1024
#: Bytes before the header block: stream, associated stream, priority and slot; of the others the stream alone.
_BEFORE_HEADERS = {SYN_STREAM: 10, SYN_REPLY: 4, HEADERS: 4}
_AT_LEAST = {SYN_STREAM: 10, SYN_REPLY: 4, RST_STREAM: 8, SETTINGS: 4, PING: 4, GOAWAY: 8, HEADERS: 4, WINDOW_UPDATE: 8}


class ProtocolError(Exception):
    """What came is not SPDY/3.1."""


@dataclass(frozen=True)
class Control:
    """A control frame. ``stream`` is the number it carries first: the stream's, or a PING's own."""

    type: int
    flags: int
    stream: int
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Data:
    """Some of a stream's data; a long frame comes in several, the last of which may end the stream."""

    stream: int
    content: bytes
    last: bool


class FrameReader:
    """Takes bytes as they come, gives the frames that are in them."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._headers = Decompressor()
        self._open: tuple[int, int, bool] | None = None  # a data frame: stream, bytes to come, whether it ends the stream

    def feed(self, data: bytes) -> Iterator[Control | Data]:
        """The frames that ``data`` completes. Raises `ProtocolError`."""
        self._waiting += data
        while (frame := self._next()) is not None:
            yield frame

    def _next(self) -> Control | Data | None:
        if self._open is not None:
            return self._part(*self._open)
        if len(self._waiting) < _HEAD.size:
            return None
        first, second = _HEAD.unpack_from(self._waiting)
        flags, length = second >> 24, second & _LENGTH
        if not first & _CONTROL:
            del self._waiting[: _HEAD.size]
            return self._part(first, length, bool(flags & FIN))
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != VERSION:
            raise ProtocolError(f"a control frame of version {version}, not {VERSION}")
        if length > _LONGEST_CONTROL:
            raise ProtocolError(f"a control frame of {length} bytes, at most {_LONGEST_CONTROL} are read")
        if len(self._waiting) < _HEAD.size + length:
            return None
        body = bytes(self._waiting[_HEAD.size : _HEAD.size + length])
        del self._waiting[: _HEAD.size + length]
        return self._control(kind, flags, body)

    def _part(self, stream: int, left: int, last: bool) -> Data | None:
        if left and not self._waiting:
            self._open = stream, left, last
            return None
        content = bytes(self._waiting[:left])
        del self._waiting[:left]
        left -= len(content)
        self._open = (stream, left, last) if left else None
        return Data(stream, content, last and not left)

    def _control(self, kind: int, flags: int, body: bytes) -> Control:
        if len(body) < _AT_LEAST.get(kind, 0):
            raise ProtocolError(f"a control frame of type {kind} with {len(body)} bytes")
        headers: Mapping[str, str] = {}
        if kind in _BEFORE_HEADERS:
            try:
                headers = self._headers.read(body[_BEFORE_HEADERS[kind] :])
            except HeaderError as error:
                raise ProtocolError(f"headers that cannot be read: {error}") from error
        number = _STREAM.unpack_from(body)[0] if len(body) >= _STREAM.size else 0
        return Control(kind, flags, number if kind == PING else number & _ID, headers)


class FrameWriter:
    """Frames as bytes."""

    def __init__(self) -> None:
        self._headers = Compressor()

    def reply(self, stream: int) -> bytes:
        """SYN_REPLY without headers: the stream is accepted."""
        return _control(SYN_REPLY, _STREAM.pack(stream) + self._headers.write({}))

    @staticmethod
    def data(stream: int, content: bytes, *, last: bool = False) -> bytes:
        """At most 16 MiB of a stream's data."""
        return _HEAD.pack(stream, (FIN if last else 0) << 24 | len(content)) + content

    @staticmethod
    def reset(stream: int, status: int) -> bytes:
        """RST_STREAM: the stream is over, both ways."""
        return _control(RST_STREAM, _HEAD.pack(stream, status))

    @staticmethod
    def ping(number: int) -> bytes:
        """PING: answered with itself."""
        return _control(PING, _STREAM.pack(number))

    @staticmethod
    def go_away(last_stream: int, *, fault: bool) -> bytes:
        """GOAWAY: no more streams; ``fault``: because of the other side's protocol error."""
        return _control(GOAWAY, _HEAD.pack(last_stream, int(fault)))


def _control(kind: int, body: bytes) -> bytes:
    return _HEAD.pack(_CONTROL | VERSION << 16 | kind, len(body)) + body
