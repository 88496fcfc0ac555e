# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a streaming request wants to be upgraded to, and which protocol it speaks then."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from ..errors import ApiError, bad_request

WEBSOCKET, SPDY = "websocket", "spdy/3.1"
_VERSION, _ACCEPTED = "X-Stream-Protocol-Version", "X-Accepted-Stream-Protocol-Versions"
_SUBPROTOCOL = "Sec-WebSocket-Protocol"


def upgrade_of(request: web.Request) -> str:
    """`WEBSOCKET` or `SPDY`. Raises `ApiError` 400 where neither is asked for, or with a handshake that is none: nothing has begun yet."""
    if "upgrade" in request.headers.get("Connection", "").lower():
        wanted = request.headers.get("Upgrade", "").lower()
        for known in (WEBSOCKET, SPDY):
            if known in wanted:
                if known == WEBSOCKET and not web.WebSocketResponse(protocols=_listed(request, _SUBPROTOCOL)).can_prepare(request):
                    raise bad_request("unable to upgrade: the WebSocket handshake has no valid Sec-WebSocket-Version or -Key")
                return known
    raise bad_request("Upgrade request required")


def subprotocol(request: web.Request, offered: Sequence[str]) -> str:
    """The first of a WebSocket client's subprotocols that is ``offered``, '' where it names none. Raises `ApiError` 403."""
    wanted = _listed(request, _SUBPROTOCOL)
    if not wanted:
        return ""
    found = next((each for each in wanted if each in offered), None)
    if found is None:
        message = f"requested protocol(s) are not supported: [{' '.join(wanted)}]; supports [{' '.join(offered)}]"
        raise ApiError(403, "Forbidden", message)
    return found


def asks_for_tunnel(request: web.Request, protocols: Sequence[str]) -> bool:
    """Whether one of the WebSocket's subprotocols is SPDY in its messages."""
    return any(each in protocols for each in _listed(request, _SUBPROTOCOL))


def stream_protocol(request: web.Request, offered: Sequence[str]) -> str:
    """The first of a SPDY client's protocols that is ``offered``. Raises HTTP 400 or 403 in the kubelet's words, as text."""
    wanted = _listed(request, _VERSION)
    if not wanted:
        raise web.HTTPBadRequest(text=f"unable to upgrade: {_VERSION} is required")
    found = next((each for each in wanted if each in offered), None)
    if found is None:
        text = f"client supports [{' '.join(wanted)}], server accepts [{' '.join(offered)}]"
        accepted = {_ACCEPTED: ", ".join(offered)}
        raise web.HTTPForbidden(text=f"unable to upgrade: unable to negotiate protocol: {text}", headers=accepted)
    return found


def switching(protocol: str) -> web.StreamResponse:
    """The answer after which a connection carries SPDY."""
    return web.StreamResponse(status=101, headers={"Connection": "Upgrade", "Upgrade": "SPDY/3.1", _VERSION: protocol})


def _listed(request: web.Request, header: str) -> list[str]:
    values = (value for line in request.headers.getall(header, []) for value in line.split(","))
    return [value.strip() for value in values if value.strip()]
