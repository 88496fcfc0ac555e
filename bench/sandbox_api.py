# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's requests a second and latency, beside a bare aiohttp server in a process of its own that answers with as many bytes.

Same client, same TLS, same run. The bare server has no store and no rules: a list is a constant, a watch event is written when it is asked
for, an exec is one `true` started beside it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from life import ROOT, Sandbox
from measure import command

#: Requests of each kind, one after the other; and how many at once for the requests a second.
COUNT, AT_ONCE = 200, 16
_CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
_BARE = """
import asyncio, json, ssl, sys
from aiohttp import web
from podnet_sandbox import tls
body, certificate = sys.stdin.buffer.read(), sys.argv[1]
told = []
async def listed(request): return web.Response(body=body, content_type="application/json")
async def changed(request):
    event = await request.read()
    for stream in told: await stream.write(event + b"\\n")
    return web.Response(body=event, content_type="application/json")
async def watched(request):
    stream = web.StreamResponse(); stream.enable_chunked_encoding(); await stream.prepare(request)
    told.append(stream); await asyncio.Event().wait()
async def executed(request):
    socket = web.WebSocketResponse(protocols=("v5.channel.k8s.io",)); await socket.prepare(request)
    process = await asyncio.create_subprocess_exec("true"); await process.wait()
    await socket.send_bytes(b"\\3{}"); await socket.close(); return socket
async def serve():
    app = web.Application(); app.router.add_get("/list", listed); app.router.add_get("/watch", watched)
    app.router.add_put("/change", changed); app.router.add_get("/exec", executed)
    credentials = tls.make_credentials()
    open(certificate, "w").write(credentials.ca_certificate)
    runner = web.AppRunner(app, access_log=None); await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.server_context(credentials)); await site.start()
    print(runner.addresses[0][1], flush=True); await asyncio.Event().wait()
asyncio.run(serve())
"""

Ask = Callable[[], Awaitable[Any]]


class Server:
    """Where to ask, how, and the paths of the three things that both servers have."""

    def __init__(self, session: aiohttp.ClientSession, address: str, paths: dict[str, str]) -> None:
        self.session, self.address, self.paths = session, address, paths
        self._number = 0

    async def listed(self) -> int:
        async with self.session.get(self.address + self.paths["list"]) as answer:
            return len(await answer.read())

    async def executed(self) -> None:
        async with self.session.ws_connect(self.address + self.paths["exec"], protocols=("v5.channel.k8s.io",)) as socket:
            async for _message in socket:
                pass

    async def told(self, stream: aiohttp.ClientResponse) -> None:
        """From a change that is asked for to its event."""
        self._number += 1
        data = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "changed"}, "data": {"n": str(self._number)}}
        event = asyncio.create_task(stream.content.readline())
        async with self.session.put(self.address + self.paths["change"], json=data) as answer:
            assert answer.status == 200, await answer.text()
        assert f'"{self._number}"' in (await event).decode()

    async def latencies(self) -> dict[str, list[float]]:
        """Seconds of each of ``COUNT`` requests, by kind."""
        async with self.session.get(self.address + self.paths["watch"]) as stream:
            return {
                "list of 200 objects": await _timed(self.listed),
                "watch event": await _timed(lambda: self.told(stream)),
                "exec": await _timed(self.executed, COUNT // 4),
            }

    async def rate(self) -> float:
        """Lists a second, several at once."""
        began = time.perf_counter()

        async def some() -> None:
            for _ in range(COUNT // AT_ONCE):
                await self.listed()

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        return COUNT // AT_ONCE * AT_ONCE / (time.perf_counter() - began)


async def _timed(ask: Ask, count: int = COUNT) -> list[float]:
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        await ask()
        seconds.append(time.perf_counter() - began)
    return seconds


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures of one sandbox of a node, and the ratios; leaves nothing up."""
    config = json.dumps({"name": "requests", "nodes": ["node"], "encapsulation": "VXLAN"})
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder, Sandbox("requests", Path(folder) / "lab", env, config) as sandbox:
        kubectl = ["kubectl", "--kubeconfig", sandbox.kubeconfig]
        command([*kubectl, "wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s"])
        command([*kubectl, "run", "door", "--image=wbitt/network-multitool"])
        command([*kubectl, "wait", "--for=condition=Ready", "pod/door", "--timeout=60s"])
        asyncio.run(_compare(sandbox.kubeconfig, Path(folder), runs))


async def _compare(kubeconfig: str, folder: Path, runs: int) -> None:
    config = yaml.safe_load(Path(kubeconfig).read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    if "client-certificate-data" in user:
        pem = folder / "client.pem"
        pem.write_bytes(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        context.load_cert_chain(pem)
    connector = aiohttp.TCPConnector(ssl=context, limit=0)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
        real = Server(session, cluster["server"], {
            "list": _CONFIGMAPS + "?labelSelector=listed", "change": f"{_CONFIGMAPS}/changed",
            "watch": f"{_CONFIGMAPS}?watch=1&fieldSelector=metadata.name%3Dchanged&resourceVersion=",
            "exec": "/api/v1/namespaces/default/pods/door/exec?command=true&stdout=true",
        })  # fmt: skip
        for number in range(200):
            body = {"kind": "ConfigMap", "metadata": {"name": f"c{number}", "labels": {"listed": ""}}, "data": {"x": "x" * 200}}
            async with session.post(real.address + _CONFIGMAPS, json=body) as answer:
                assert answer.status == 201, await answer.text()
        async with session.post(real.address + _CONFIGMAPS, json={"kind": "ConfigMap", "metadata": {"name": "changed"}}) as answer:
            revision = (await answer.json())["metadata"]["resourceVersion"]
        real.paths["watch"] += revision
        async with session.get(real.address + real.paths["list"]) as answer:
            body = await answer.read()
        await _beside(real, body, folder, runs)


async def _beside(real: Server, body: bytes, folder: Path, runs: int) -> None:
    certificate = folder / "bare.pem"
    program = [sys.executable, "-c", _BARE, str(certificate)]
    environment = {"PYTHONPATH": f"{ROOT}/roles/sandbox/files", "PATH": "/usr/bin:/bin"}
    bare = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    try:
        bare.stdin.write(body)
        bare.stdin.close()
        port = int(bare.stdout.readline())
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(certificate)), limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(None)) as session:
            paths = {"list": "/list", "watch": "/watch", "change": "/change", "exec": "/exec"}
            await _print(real, Server(session, f"https://127.0.0.1:{port}", paths), len(body), runs)
    finally:
        bare.kill()
        bare.wait()


async def _print(real: Server, bare: Server, size: int, runs: int) -> None:
    rates = [(await real.rate(), await bare.rate()) for _ in range(runs)]
    ours, theirs = (statistics.median(each[side] for each in rates) for side in (0, 1))
    print(f"lists a second, {AT_ONCE} at once, {size // 1024} KiB each   {ours:.0f}, bare aiohttp {theirs:.0f}: {theirs / ours:.1f} x")
    seen, least = await real.latencies(), await bare.latencies()
    for what, seconds in seen.items():
        mine, other = ((statistics.median(each), sorted(each)[int(len(each) * 0.99)]) for each in (seconds, least[what]))
        told = f"{1000 * mine[0]:.1f} ms, 99 % in {1000 * mine[1]:.1f}; bare {1000 * other[0]:.1f} and {1000 * other[1]:.1f}"
        print(f"{what:<40} {told}: {mine[0] / other[0]:.1f} x")
