# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pods/log``: what a container printed, as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiohttp import web

from .clock import age
from .errors import Cause, forbidden_field, invalid, invalid_value
from .options import number
from .pod_containers import check_has_log, container_of
from .registry import Resource
from .request import truth
from .runtime import Runtime

#: How often a log that is followed and says nothing is looked at: is its reader still there?
_LOOK_SECONDS = 5
_OPTIONS = Resource("", "v1", "PodLogOptions", "pods")
#: Each number with the least it may be, and how that is said.
_LEAST = {
    "tailLines": (0, "must be greater than or equal to 0"),
    "limitBytes": (1, "must be greater than 0"),
    "sinceSeconds": (1, "must be greater than 0"),
}


async def serve_logs(request: web.Request, runtime: Runtime, pod: Mapping[str, Any]) -> web.StreamResponse:
    """Stream a container's output. Raises `ApiError` while nothing is sent yet."""
    query, metadata = request.query, pod["metadata"]
    _check(query, metadata["name"])
    container = container_of(pod, query.get("container", ""))
    if not pod["spec"].get("nodeName"):
        return web.Response(status=204)  # as kube-apiserver, which has no kubelet to ask
    previous = truth(query.get("previous"))
    check_has_log(pod, container, previous=previous)
    lines = runtime.logs(
        metadata["namespace"],
        metadata["name"],
        container,
        follow=truth(query.get("follow")),
        tail_lines=number(query, "tailLines"),
        previous=previous,
        timestamps=truth(query.get("timestamps")),
        since_seconds=_since(query),
    )
    limit = number(query, "limitBytes")
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"})
    response.enable_chunked_encoding()
    try:
        first = await anext(lines, None)  # an error must be raised before the answer begins
        await response.prepare(request)
        await _send(request, response, first, lines, limit)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has seen enough
    finally:
        close = getattr(lines, "aclose", None)
        if close is not None:
            await close()
    return response


async def _send(
    request: web.Request, response: web.StreamResponse, data: bytes | None, lines: AsyncIterator[bytes], limit: int | None
) -> None:
    """``data`` and what follows it, up to ``limit`` bytes, as long as the client is there."""
    while data is not None and limit != 0:
        await response.write(data if limit is None else data[:limit])
        limit = None if limit is None else max(0, limit - len(data))
        following = asyncio.ensure_future(anext(lines, None))
        try:
            while not (await asyncio.wait((following,), timeout=_LOOK_SECONDS))[0]:
                if request.transport is None:
                    return
        finally:
            if not following.done():
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
        data = following.result()


def _check(query: Mapping[str, str], name: str) -> None:
    """Raises `ApiError` 422 with all that is wrong."""
    causes: list[Cause] = []
    for field, (least, why) in _LEAST.items():
        given = number(query, field)
        if given is not None and given < least:
            causes.append(invalid_value(field, str(given), why))
    if query.get("sinceSeconds") and query.get("sinceTime"):
        causes.append(forbidden_field("", "at most one of `sinceTime` or `sinceSeconds` may be specified"))
    if causes:
        raise invalid(_OPTIONS, name, causes)


def _since(query: Mapping[str, str]) -> float | None:
    seconds = number(query, "sinceSeconds")
    return seconds if seconds is not None else age(query.get("sinceTime"))
