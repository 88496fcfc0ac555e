# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a streaming request is upgraded to: bytes (SPDY/3.1), messages (WebSocket), or bytes in messages (tunnelled SPDY)."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from aiohttp import WSMsgType, web

#: Bytes taken from a connection at once, and left in it until somebody wants them.
_CHUNK = 64 * 1024
#: How often a connection that is not read is looked at: is the other side still there?
_LOOK_SECONDS = 2
#: What a client sent before it went is still taken for so long: some hang up as soon as the last of it is under way.
LAST_SECONDS = 1
#: How long a client may take to hang up after it was told the end.
LINGER_SECONDS = 5
#: The longest message, as kubelet's (golang.org/x/net/websocket).
_LONGEST_MESSAGE = 32 * 1024 * 1024
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send ``data`` and wait while too much is under way. Raises ConnectionError."""
    if writer.is_closing():
        raise ConnectionResetError("the other side is gone")
    writer.write(data)
    try:
        await writer.drain()
    except ConnectionError as error:
        error.__traceback__ = None  # asyncio keeps it in the reader, which would so hold everybody who ever waited here
        raise ConnectionResetError("the other side is gone") from None


class RawWire:
    """An HTTP connection that carries no HTTP any more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def receive(self) -> bytes:
        """See `Wire`."""
        try:
            return await self._reader.read(_CHUNK)
        except ConnectionError:
            return b""

    async def send(self, data: bytes) -> None:
        """See `Wire`."""
        await write(self._writer, data)


class MessageWire:
    """A WebSocket; each message is received and sent whole."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket

    async def receive(self) -> bytes:
        """See `Wire`; messages without content are left out."""
        async for message in self._socket:
            if message.type == WSMsgType.BINARY and message.data:
                return bytes(message.data)
            if message.type == WSMsgType.TEXT and message.data:
                return str(message.data).encode()
        return b""

    async def send(self, data: bytes) -> None:
        """See `Wire`."""
        await self._socket.send_bytes(data)

    async def send_text(self, text: str) -> None:
        """A message of the base64 protocols."""
        await self._socket.send_str(text)


class _Upgraded(asyncio.StreamReaderProtocol):
    """Reads in place of aiohttp's protocol, and remembers whether the end of the connection was heard here."""

    lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        super().connection_lost(exc)


@contextlib.asynccontextmanager
async def upgraded(request: web.Request, response: web.StreamResponse) -> AsyncIterator[RawWire]:
    """The connection of ``request`` once ``response`` (101) is sent; closed afterwards.

    aiohttp upgrades to WebSocket alone, so the connection's protocol is exchanged while it carries something else.
    """
    response.force_close()
    await response.prepare(request)
    transport, http = request.transport, request.protocol
    if transport is None:
        raise ConnectionResetError("the client is gone")
    reader = asyncio.StreamReader(_CHUNK)
    protocol = _Upgraded(reader)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    try:
        yield RawWire(reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop()))
    finally:
        transport.set_protocol(http)
        if protocol.lost:
            http.connection_lost(None)
        else:
            transport.close()


@contextlib.asynccontextmanager
async def websocket(request: web.Request, protocol: str) -> AsyncIterator[web.WebSocketResponse]:
    """A WebSocket with the subprotocol that was chosen ('': none); closed afterwards."""
    protocols = (protocol,) if protocol else ()
    socket = web.WebSocketResponse(protocols=protocols, compress=False, max_msg_size=_LONGEST_MESSAGE, timeout=LINGER_SECONDS)
    await socket.prepare(request)
    try:
        yield socket
    finally:
        with contextlib.suppress(ConnectionError):
            await socket.close()


async def while_connected(request: web.Request, receiving: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Do ``work`` until it is done or the client hangs up, which is when ``receiving`` ends. Raises what either raises."""
    tasks = [asyncio.create_task(each) for each in (work, receiving, _hung_up(request.transport))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:  # a lost connection is what was waited for
        if isinstance(outcome, Exception) and not isinstance(outcome, ConnectionError):
            raise outcome


async def _hung_up(transport: asyncio.BaseTransport | None) -> None:
    """Returns when the other side has closed the connection, also when nobody reads what it sent before."""
    connection: socket.socket | None = transport.get_extra_info("socket") if transport else None
    while connection is not None and (descriptor := connection.fileno()) >= 0:
        poll = select.poll()
        poll.register(descriptor, _GONE)
        if any(events & _GONE for _ignored, events in poll.poll(0)):
            await asyncio.sleep(LAST_SECONDS)
            return
        await asyncio.sleep(_LOOK_SECONDS)
