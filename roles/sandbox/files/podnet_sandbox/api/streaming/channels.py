# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams over WebSocket messages: the first byte of each is a channel's number.

``v4.channel.k8s.io`` and its kin differ in little: the base64 ones write the number as a digit and the content as text,
v5 has a message that ends a channel (255 and its number).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from functools import partial

from .streams import Stream
from .wire import LAST_SECONDS, MessageWire

V5 = "v5.channel.k8s.io"
V4, V4_BASE64 = "v4.channel.k8s.io", "v4.base64.channel.k8s.io"
V1, V1_BASE64 = "channel.k8s.io", "base64.channel.k8s.io"
_CLOSE = 255
_DIGIT = ord("0")


class ChannelError(Exception):
    """A message that makes no sense; ends the connection."""


class Channels:
    """``count`` streams, numbered from 0."""

    def __init__(self, wire: MessageWire, count: int, protocol: str) -> None:
        self._wire = wire
        self._base64 = protocol in (V4_BASE64, V1_BASE64)
        self._may_close = protocol == V5
        self.streams = [Stream(partial(self._send, number)) for number in range(count)]

    async def run(self) -> None:
        """Serve until the client is gone. Raises `ChannelError`."""
        try:
            while message := await self._wire.receive():
                await self._message(message)
            for stream in self.streams:
                await stream.deliver(b"")
            await asyncio.sleep(LAST_SECONDS)
        finally:
            for stream in self.streams:
                stream.broken()

    async def _message(self, message: bytes) -> None:
        number, content = message[0], message[1:]
        if self._may_close and number == _CLOSE:
            if len(content) != 1 or content[0] >= len(self.streams):
                raise ChannelError(f"a close signal for no channel: {content[:8]!r}")
            await self.streams[content[0]].deliver(b"")
            return
        if self._base64:
            number, content = number - _DIGIT, _decoded(content)
        if content and 0 <= number < len(self.streams):  # others are dropped, as the kubelet does
            await self.streams[number].deliver(content)

    async def _send(self, number: int, data: bytes, _last: bool) -> None:
        if not data:
            return
        if self._base64:
            await self._wire.send_text(f"{number}{base64.b64encode(data).decode()}")
        else:
            await self._wire.send(bytes((number,)) + data)


def _decoded(content: bytes) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except binascii.Error as error:
        raise ChannelError(f"content that is not base64: {error}") from error
