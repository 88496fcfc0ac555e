# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pods/log``: what a container printed, as a stream."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from .clock import age
from .errors import bad_request
from .request import truth
from .runtime import Runtime


async def serve_logs(request: web.Request, runtime: Runtime, namespace: str, pod: str) -> web.StreamResponse:
    """Stream a container's output. Raises `ApiError` while nothing is sent yet."""
    query = request.query
    lines = runtime.logs(
        namespace,
        pod,
        query.get("container") or None,
        follow=truth(query.get("follow")),
        tail_lines=_number(query, "tailLines"),
        previous=truth(query.get("previous")),
        timestamps=truth(query.get("timestamps")),
        since_seconds=_since(query),
    )
    limit = _number(query, "limitBytes")
    first = await anext(lines, None)  # an error must be raised before the answer begins
    response = web.StreamResponse(headers={"Content-Type": "text/plain", "Cache-Control": "no-cache, private"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    try:
        data = first
        while data is not None and limit != 0:
            await response.write(data if limit is None else data[:limit])
            limit = None if limit is None else max(0, limit - len(data))
            data = await anext(lines, None)
        await response.write_eof()
    except ConnectionError:
        pass  # the client has seen enough
    finally:
        close = getattr(lines, "aclose", None)
        if close is not None:
            await close()
    return response


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    if not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)


def _since(query: Mapping[str, str]) -> float | None:
    seconds = _number(query, "sinceSeconds")
    return seconds if seconds is not None else age(query.get("sinceTime"))
