# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How connections are served: what keeps one client from taking the server away from the others.

Limits and times are kube-apiserver's where it has them: a mebibyte of request line and headers, 90 s for a connection on which
nothing is asked, 60 s for a body to come and for an answer to be taken, 429 when too much is asked at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from .errors import ApiError
from .media import refuse

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: Seconds.
IDLE, TRANSFER = 90.0, 60.0
_LOOK = 1.0
_HEADER_BYTES = 1 << 20
_HEADERS = 1000


class Connections:
    """The connections of one server. ``limit``: as many are answered at once; by default a quarter of the file descriptors there
    may be. As many more may be quiet.
    """

    def __init__(self, limit: int = 0) -> None:
        self._limit = limit or resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4
        self._busy: set[object] = set()
        self._quiet_since: dict[web.RequestHandler, float] = {}

    def runner(self, app: web.Application, shutdown_timeout: float = 60.0) -> web.AppRunner:
        """What serves ``app``; its middlewares must have `serve` first."""
        runner = web.AppRunner(
            app,
            access_log=None,
            keepalive_timeout=IDLE,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            max_headers=_HEADERS,
            shutdown_timeout=shutdown_timeout,
        )

        async def watch(_app: web.Application) -> AsyncIterator[None]:
            task = asyncio.create_task(self._watch(runner), name="connections")
            yield
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        app.cleanup_ctx.append(watch)
        return runner

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The outermost middleware. An answer that its client does not take in time ends the connection."""
        if len(self._busy) >= self._limit:
            return refuse(ApiError(429, "TooManyRequests", "Too many requests, please try again later.", {"retryAfterSeconds": 1}))
        self._busy.add(request.protocol)
        try:
            response = await handler(request)
            if isinstance(response, web.Response):  # a stream has its own ways to end
                await _deliver(request, response)
            return response
        finally:
            self._busy.discard(request.protocol)

    async def _watch(self, runner: web.AppRunner) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            if runner.server is not None:
                self._look(runner.server.connections)

    def _look(self, connections: list[web.RequestHandler]) -> None:
        """Close those on which nothing was asked for too long, and, when there are too many, those that are quiet longest."""
        now = time.monotonic()
        quiet = {each: self._quiet_since.get(each, now) for each in connections if each not in self._busy}
        self._quiet_since = quiet
        too_many = max(0, len(connections) - 2 * self._limit)
        for place, connection in enumerate(sorted(quiet, key=lambda each: quiet[each])):
            if place < too_many or now - quiet[connection] > IDLE:
                connection.force_close()


async def _deliver(request: web.Request, response: web.Response) -> None:
    try:
        async with asyncio.timeout(TRANSFER):
            await response.prepare(request)
            await response.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass  # the client is gone


async def read_body(request: web.Request) -> bytes:
    """The request's body. Raises `ApiError` 408 where it does not come in time."""
    try:
        async with asyncio.timeout(TRANSFER):
            return await request.read()
    except TimeoutError as error:
        raise ApiError(408, "Timeout", f"Timeout: the request's body did not come in {TRANSFER:.0f} s") from error
