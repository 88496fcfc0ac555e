# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves exec and attach: over WebSocket to newer clients, over SPDY to older ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import web

from ..errors import ApiError, internal
from ..runtime import ContainerNotFound, Session
from .channels import V1, V1_BASE64, V4, V4_BASE64, V5, ChannelError, Channels
from .remote_command import (
    ERROR,
    RESIZE,
    STDERR,
    STDIN,
    STDOUT,
    Ending,
    Wanted,
    as_json,
    as_text,
    conclude,
    converse,
    error_status,
    exit_status,
)
from .spdy import Connection, ProtocolError, Refused
from .streams import Stream
from .upgrade import WEBSOCKET, stream_protocol, subprotocol, switching, upgrade_of
from .wire import LINGER_SECONDS, MessageWire, upgraded, websocket, while_connected

LOG = logging.getLogger(__name__)

_SUBPROTOCOLS: Mapping[str, Ending] = {
    V5: as_json, V4: as_json, V4_BASE64: as_json, V1: as_text, V1_BASE64: as_text, "": as_text,
}  # fmt: skip
_STREAM_PROTOCOLS: Mapping[str, Ending] = {
    V4: as_json, "v3.channel.k8s.io": as_text, "v2.channel.k8s.io": as_text, V1: as_text,
}  # fmt: skip
_WITH_RESIZE = (V4, "v3.channel.k8s.io")
_CHANNELS = (STDIN, STDOUT, STDERR, ERROR, RESIZE)
#: A client has this long to open its streams (kubelet's streamCreationTimeout).
_OPENING_SECONDS = 30

Start = Callable[[], Awaitable[Session]]
Work = Callable[[Mapping[str, Stream]], Awaitable[None]]


async def serve_session(request: web.Request, start: Start, wanted: Wanted, command: Sequence[str]) -> web.StreamResponse:
    """``start`` a session for a client. Raises `ApiError` or HTTPException before the connection is upgraded."""
    over_websocket = upgrade_of(request) == WEBSOCKET
    protocol = subprotocol(request, tuple(_SUBPROTOCOLS)) if over_websocket else stream_protocol(request, tuple(_STREAM_PROTOCOLS))
    ending = (_SUBPROTOCOLS if over_websocket else _STREAM_PROTOCOLS)[protocol]
    session, failure = None, None
    try:
        session = await start()
    except ContainerNotFound as error:
        if protocol != V5:
            raise web.HTTPInternalServerError(text=str(error)) from error
        # v5 ends in the API server, which has opened the stream before it asks the kubelet
        failure = internal(f"unable to upgrade connection: {error}")
    except ApiError as error:
        failure = error  # what the container runtime says comes over the open stream

    async def work(streams: Mapping[str, Stream]) -> None:
        if session is None:
            status = error_status(failure or internal("no session"))
        else:
            status = exit_status(await converse(session, streams, wanted), command)
        await conclude(streams, ending(status))

    try:
        if over_websocket:
            return await _over_websocket(request, protocol, work)
        return await _over_spdy(request, protocol, wanted.names(resize=protocol in _WITH_RESIZE), work)
    finally:
        if session is not None:
            await session.close()


async def _over_websocket(request: web.Request, protocol: str, work: Work) -> web.StreamResponse:
    async with websocket(request, protocol) as socket:
        channels = Channels(MessageWire(socket), len(_CHANNELS), protocol)
        try:
            await while_connected(request, channels.run(), work(dict(zip(_CHANNELS, channels.streams, strict=True))))
        except ChannelError as error:
            LOG.info("%s: %s", request.path, error)
            await socket.close(code=1002, message=str(error).encode()[:100])
        return socket


async def _over_spdy(request: web.Request, protocol: str, names: frozenset[str], work: Work) -> web.StreamResponse:
    response = switching(protocol)
    async with upgraded(request, response) as wire:
        opening = _Opening(names)
        connection = Connection(wire, opening.accept)

        async def serve() -> None:
            async with asyncio.timeout(_OPENING_SECONDS):
                streams = await opening.complete
            await work(streams)
            await connection.end()
            await asyncio.sleep(LINGER_SECONDS)  # unread input would turn the closing into a reset, and lose the status

        try:
            await while_connected(request, connection.run(), serve())
        except (ProtocolError, TimeoutError) as error:
            LOG.info("%s: %s", request.path, str(error) or "the client did not open its streams")
    return response


class _Opening:
    """The streams a SPDY client opens one by one; ``complete`` when all are there."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self._streams: dict[str, Stream] = {}
        self.complete: asyncio.Future[Mapping[str, Stream]] = asyncio.get_running_loop().create_future()

    def accept(self, stream: Stream) -> None:
        name = stream.headers.get("streamtype", "")
        if name not in self._names or name in self._streams:
            raise Refused(f"unexpected stream type {name}")
        self._streams[name] = stream
        if len(self._streams) == len(self._names) and not self.complete.done():
            self.complete.set_result(self._streams)
