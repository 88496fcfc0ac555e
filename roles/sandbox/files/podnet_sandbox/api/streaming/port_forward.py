# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves ``pods/portforward``: each connection of the client is a stream for its data and one for what went wrong.

Three ways: SPDY/3.1 (kubectl before 1.31, client-go), SPDY in a WebSocket's messages (kubectl from 1.31 on), and channels
of a WebSocket, two for each port of the query (the Python client).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from ..errors import bad_request
from ..runtime import ForwardError
from .channels import V4, V4_BASE64, ChannelError, Channels
from .spdy import Connection, ProtocolError, Refused
from .streams import Stream, Wire
from .upgrade import WEBSOCKET, asks_for_tunnel, stream_protocol, subprotocol, switching, upgrade_of
from .wire import MessageWire, upgraded, websocket, while_connected, write

LOG = logging.getLogger(__name__)

_PROTOCOL = "portforward.k8s.io"
_TUNNEL = f"SPDY/3.1+{_PROTOCOL}"
_SUBPROTOCOLS = (V4, V4_BASE64)
_DATA, _ERROR = "data", "error"
_PORT = struct.Struct("<H")
_LARGEST_PORT = (1 << 16) - 1
_CHUNK = 32 * 1024
#: When one way of a connection has ended, the other has this long (containerd's portForward).
_GRACE_SECONDS = 1
_MOST_SINGLE = 1000

#: A connection to a port of the pod. Raises `ForwardError`.
Connect = Callable[[int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def serve_port_forward(request: web.Request, connect: Connect) -> web.StreamResponse:
    """Forward a client's connections until it is gone. Raises `ApiError` before the connection is upgraded."""
    if upgrade_of(request) != WEBSOCKET:
        response = switching(stream_protocol(request, (_PROTOCOL,)))
        async with upgraded(request, response) as wire:
            await _serve_pairs(request, wire, connect)
        return response
    if asks_for_tunnel(request, (_TUNNEL,)):
        async with websocket(request, _TUNNEL) as socket:
            await _serve_pairs(request, MessageWire(socket), connect)
        return socket
    ports = _ports(request)
    protocol = subprotocol(request, _SUBPROTOCOLS)
    async with websocket(request, protocol) as socket:
        channels = Channels(MessageWire(socket), 2 * len(ports), protocol)
        try:
            await while_connected(request, channels.run(), _serve_channels(channels, ports, connect))
        except ChannelError as error:
            LOG.info("%s: %s", request.path, error)
            await socket.close(code=1002, message=str(error).encode()[:100])
    return socket


async def forward(port: int, data: Stream, errors: Stream, connect: Connect) -> None:
    """One connection, from its opening to its end."""
    with contextlib.suppress(ConnectionError):
        try:
            reader, writer = await connect(port)
            try:
                await _copy(data, reader, writer)
            finally:
                writer.close()
        except ForwardError as error:
            await errors.write(str(error).encode())
        data.discard()
        await data.close()
        await errors.close()


async def _copy(data: Stream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    ways = [asyncio.create_task(each) for each in (_to_client(reader, data), _to_pod(data, writer))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait(ways, timeout=_GRACE_SECONDS)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _to_client(reader: asyncio.StreamReader, data: Stream) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(_CHUNK):
            await data.write(part)
        await data.close()


async def _to_pod(data: Stream, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while part := await data.read():
            await write(writer, part)


async def _serve_channels(channels: Channels, ports: list[int], connect: Connect) -> None:
    """Every channel begins with its port's number, so that the client knows which is which."""
    async with asyncio.TaskGroup() as group:
        for index, port in enumerate(ports):
            data, errors = channels.streams[2 * index : 2 * index + 2]
            await data.write(_PORT.pack(port))
            await errors.write(_PORT.pack(port))
            group.create_task(forward(port, data, errors, connect))


async def _serve_pairs(request: web.Request, wire: Wire, connect: Connect) -> None:
    pairs = _Pairs(connect)
    connection = Connection(wire, pairs.accept)
    try:
        await while_connected(request, connection.run(), pairs.run())
    except ProtocolError as error:
        LOG.info("%s: %s", request.path, error)


class _Pairs:
    """Brings together the two streams of each connection, which have a request's number in common."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._single: dict[str, Stream] = {}
        self._complete: asyncio.Queue[tuple[int, Stream, Stream]] = asyncio.Queue()

    def accept(self, stream: Stream) -> None:
        """For `Connection`."""
        kind, request = stream.headers.get("streamtype"), stream.headers.get("requestid", "")
        port = _port(stream.headers.get("port", ""))
        if kind not in (_DATA, _ERROR) or port is None or not request:
            raise Refused(f"headers that name no connection: {dict(stream.headers)}")
        other = self._single.pop(request, None)
        if other is None:
            if len(self._single) >= _MOST_SINGLE:
                raise Refused(f"more than {_MOST_SINGLE} streams without their other half")
            self._single[request] = stream
        elif other.headers["streamtype"] == kind:
            raise Refused(f"a second {kind} stream of request {request}")
        else:
            pair = (stream, other) if kind == _DATA else (other, stream)
            self._complete.put_nowait((port, *pair))

    async def run(self) -> None:
        """Forward each pair that is complete."""
        async with asyncio.TaskGroup() as group:
            while True:
                port, data, errors = await self._complete.get()
                group.create_task(forward(port, data, errors, self._connect))


def _ports(request: web.Request) -> list[int]:
    texts = [text for value in request.query.getall("ports", []) for text in value.split(",")]
    if not texts:
        raise bad_request('query parameter "port" is required')
    ports = []
    for text in texts:
        port = _port(text)
        if port is None:
            raise bad_request(f'unable to parse "{text}" as a port')
        ports.append(port)
    return ports


def _port(text: str) -> int | None:
    """The port a text names, None if it names none."""
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return None
    port = int(text)
    return port if 0 < port <= _LARGEST_PORT else None
