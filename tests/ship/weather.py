# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad weather between a person and a cluster: an API server on loopback that passes everything on to the real one, but for its spells.

A spell is asked first, request by request. What it answers is the answer; None lets the request through.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import aiohttp
import trustme
import yaml
from aiohttp import web

Spell = Callable[["Weather", web.Request], Awaitable["web.StreamResponse | None"]]
_LARGEST = 64 << 20
#: Of a websocket of v4.channel.k8s.io the first byte of a message is the channel.
STDOUT = b"\x01"
_EXEC_PROTOCOLS = ("v4.channel.k8s.io", "v5.channel.k8s.io")


class Weather:
    """Serves in a thread of its own. ``asked`` counts requests by path, what a spell answered among them."""

    def __init__(self, kubeconfig: Path, folder: Path, valid_from: datetime | None = None) -> None:
        self._valid_from = valid_from
        self._real = yaml.safe_load(kubeconfig.read_text())
        self._authority = trustme.CA()
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._spells: list[Spell] = []
        self._serving: set[asyncio.Task] = set()
        self.asked: dict[str, int] = {}

    @contextmanager
    def running(self) -> Iterator[Weather]:
        """The weather, while it is there; the kubeconfig for it is in ``kubeconfig``."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        runner = self._do(self._start())
        try:
            yield self
        finally:
            self._do(self._end(runner))
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(10)
            self._loop.close()

    @contextmanager
    def spell(self, *spells: Spell) -> Iterator[Weather]:
        """It is bad for a while."""
        self._spells[:] = spells
        self.asked.clear()
        try:
            yield self
        finally:
            self._spells.clear()

    def _do(self, work: Awaitable):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> web.AppRunner:
        self.session = aiohttp.ClientSession(
            self._real["clusters"][0]["cluster"]["server"],
            connector=aiohttp.TCPConnector(ssl=self._trusting(), limit=0),
            auto_decompress=False,
        )
        application = web.Application(client_max_size=_LARGEST)
        application.router.add_route("*", "/{path:.*}", self._serve)
        runner = web.AppRunner(application, shutdown_timeout=0)
        await runner.setup()
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("127.0.0.1", not_before=self._valid_from).configure_cert(shown)
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=shown)
        await site.start()
        self._write_kubeconfig(runner.addresses[0][1])
        return runner

    async def _end(self, runner: web.AppRunner) -> None:
        for task in self._serving:  # spells that never end, and clients that gave up without a word
            task.cancel()
        await self.session.close()
        await runner.cleanup()

    def _trusting(self) -> ssl.SSLContext:
        """Of the real kubeconfig: whom to trust, and who asks."""
        cluster, user = self._real["clusters"][0]["cluster"], self._real["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode("ascii"))
        pair = self._folder / "pair.pem"
        with _private(pair) as file:
            for part in ("client-certificate-data", "client-key-data"):
                file.write(base64.b64decode(user[part]))
        context.load_cert_chain(pair)
        return context

    def _write_kubeconfig(self, port: int) -> None:
        authority = base64.b64encode(self._authority.cert_pem.bytes()).decode("ascii")
        document = {
            "apiVersion": "v1", "kind": "Config", "current-context": "weather",
            "clusters": [{
                "name": "weather",
                "cluster": {"server": f"https://127.0.0.1:{port}", "certificate-authority-data": authority},
            }],
            "users": [{"name": "weather", "user": {"token": "nobody-looks-at-it"}}],
            "contexts": [{"name": "weather", "context": {"cluster": "weather", "user": "weather"}}],
        }  # fmt: skip
        self.kubeconfig = self._folder / "kubeconfig"
        with _private(self.kubeconfig) as file:
            file.write(yaml.safe_dump(document).encode("utf-8"))

    # -- serving --------------------------------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.asked[request.path] = self.asked.get(request.path, 0) + 1
        task = asyncio.current_task()
        self._serving.add(task)
        try:
            return await self._answer(request)
        finally:
            self._serving.discard(task)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        for spell in self._spells:
            answer = await spell(self, request)
            if answer is not None:
                return answer
        if is_exec(request):
            return await self.exec(request)
        return await self.pass_on(request)

    async def pass_on(self, request: web.Request, query: dict[str, str] | None = None) -> web.Response:
        """What the real one answers; ``query`` instead of the request's own."""
        headers = {name: value for name, value in request.headers.items() if name in ("Accept", "Content-Type")}
        asked = self.session.request(
            request.method, request.path, params=request.query if query is None else query, headers=headers, data=await request.read()
        )
        async with asked as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    async def exec(self, request: web.Request, change: Callable[[bytes], bytes | None] = lambda message: message) -> web.StreamResponse:
        """A command in a pod; each message as ``change`` makes it, None ends the connection without a word."""
        try:
            far = await self.session.ws_connect(request.rel_url, protocols=_EXEC_PROTOCOLS, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as refused:
            return web.json_response({"kind": "Status", "message": refused.message}, status=refused.status)
        near = web.WebSocketResponse(protocols=_EXEC_PROTOCOLS)
        await near.prepare(request)
        async with far:
            async for message in far:
                changed = change(message.data) if isinstance(message.data, bytes) else None
                if changed is None:
                    return cut(request, near)
                await near.send_bytes(changed)
            await near.close()
        return near


@contextmanager
def _private(path: Path):
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        yield file


def is_exec(request: web.Request) -> bool:
    """Whether a command is to be run in a pod."""
    return request.path.endswith("/exec")


def cut(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    """The connection ends here and now."""
    if request.transport is not None:
        request.transport.abort()
    return answer


def status(code: int, message: str, **headers: str) -> web.Response:
    """A Kubernetes Status."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": code}
    return web.json_response(body, status=code, headers=headers)


# -- spells -----------------------------------------------------------------------------------------------------------


def once(path: str, spell: Spell) -> Spell:
    """The first request of the path, or of each that begins with ``path…*``, alone."""
    done: set[str] = set()

    async def first(weather: Weather, request: web.Request):
        if not _matches(path, request) or request.path in done:
            return None
        done.add(request.path)
        return await spell(weather, request)

    return first


def always(path: str, spell: Spell) -> Spell:
    """Every request of the path."""

    async def each(weather: Weather, request: web.Request):
        return await spell(weather, request) if _matches(path, request) else None

    return each


def _matches(path: str, request: web.Request) -> bool:
    return request.path.startswith(path[:-1]) if path.endswith("*") else request.path == path


def says(code: int, message: str, **headers: str) -> Spell:
    """An error of the API server's."""

    async def spell(_weather: Weather, _request: web.Request):
        return status(code, message, **headers)

    return spell


async def hangs_up(_weather: Weather, request: web.Request):
    """The connection ends in the middle of an answer."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "100000"})
    await answer.prepare(request)
    await answer.write(b'{"kind":"List","items":[')
    return cut(request, answer)


async def trickles(_weather: Weather, request: web.Request):
    """A byte now and then: no read ever times out."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await answer.write(b" ")
            await asyncio.sleep(0.2)
    return answer


async def is_a_login_page(_weather: Weather, _request: web.Request):
    """What a captive portal answers."""
    return web.Response(text="<html>Log in</html>", content_type="text/html")


async def is_silent(_weather: Weather, request: web.Request):
    """A command that says nothing and does not end."""
    near = await _opened(request)
    await near.receive()
    return near


def prints(piece: bytes, times: int | None = None) -> Spell:
    """A command that prints this so many times, or for ever, and ends well."""

    async def spell(_weather: Weather, request: web.Request):
        near = await _opened(request)
        with contextlib.suppress(ConnectionError):
            sent = 0
            while times is None or sent < times:
                await near.send_bytes(STDOUT + piece)
                await asyncio.sleep(0)  # what is sent to a client that has gone is dropped without a pause: nobody else would be served
                sent += 1
            await near.send_bytes(b'\x03{"metadata":{},"status":"Success"}')
            await near.close()
        return near

    return spell


async def _opened(request: web.Request) -> web.WebSocketResponse:
    near = web.WebSocketResponse(protocols=_EXEC_PROTOCOLS)
    await near.prepare(request)
    return near


async def breaks_off(weather: Weather, request: web.Request):
    """A command whose connection ends after a first piece of its output, as when its pod is killed."""
    seen: list[bytes] = []

    def first(message: bytes) -> bytes | None:
        seen.append(message)
        return message[:200] if len(seen) == 1 else None

    return await weather.exec(request, first)


def garbles(good: bytes, bad: bytes) -> Spell:
    """A command in whose output something else stands."""

    async def spell(weather: Weather, request: web.Request):
        return await weather.exec(request, lambda message: message.replace(good, bad))

    return spell


def happens(event: Callable[[], None]) -> Spell:
    """Something happens in the cluster, and the request then goes through."""

    async def spell(_weather: Weather, _request: web.Request):
        await asyncio.to_thread(event)

    return spell
