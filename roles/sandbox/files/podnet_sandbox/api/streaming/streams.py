# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stream: bytes both ways, each way ended on its own. What exec and port-forward see of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

#: Deliveries that may wait to be read before the whole connection is held back.
_WAITING = 4

#: Sends bytes on one stream; ``last``: and nothing after them. Waits while the other side does not read.
Send = Callable[[bytes, bool], Awaitable[None]]


async def _nowhere(_data: bytes, _last: bool) -> None:
    """What is sent on a stream that is over."""


class Stream:
    """One stream of a connection. ``headers``: what it was opened with, names in lower case.

    It lets go of the connection when it is over: circles are not collected before many small things are, and the buffers
    in them are few and large.
    """

    def __init__(self, send: Send, headers: Mapping[str, str] | None = None) -> None:
        self.headers = headers or {}
        self._send = send
        self._incoming: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        self._ended = self._deaf = False

    async def read(self) -> bytes:
        """What came next; empty when the other side has ended its way."""
        if self._ended:
            return b""
        data = await self._incoming.get()
        self._ended = not data
        return data

    async def write(self, data: bytes) -> None:
        """Send ``data``; nothing after `close`."""
        if data:
            await self._send(data, False)

    async def close(self) -> None:
        """End this side's way."""
        send, self._send = self._send, _nowhere
        await send(b"", True)

    # The connection's side

    async def deliver(self, data: bytes) -> None:
        """What came for this stream, empty at its end. Waits while too much waits to be read."""
        if not self._deaf:
            await self._incoming.put(data)
            self._deaf = self._deaf or not data

    def discard(self) -> None:
        """Nobody will read any more; what comes is dropped, and who is delivering goes on."""
        self._deaf = True
        while not self._incoming.empty():
            self._incoming.get_nowait()

    def broken(self) -> None:
        """The stream is over, both ways: what is written is dropped, reading ends."""
        self._send, self._ended = _nowhere, True
        self.discard()
        self._incoming.put_nowait(b"")


class Wire(Protocol):
    """What carries a connection's bytes or messages."""

    async def receive(self) -> bytes:
        """What came next; empty when the other side is gone."""

    async def send(self, data: bytes) -> None:
        """Waits while the other side does not read. Raises ConnectionError."""
