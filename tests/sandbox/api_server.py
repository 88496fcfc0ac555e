# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox API server for tests, over TLS on loopback, whose containers are processes of this machine."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import yaml
from aiohttp import web
from podnet_sandbox import tls
from podnet_sandbox.api.authentication import Authenticator
from podnet_sandbox.api.errors import internal
from podnet_sandbox.api.runtime import ForwardError
from podnet_sandbox.api.server import Identity, build_runner
from podnet_sandbox.api.store import Store

SERVICE_SUBNET = "10.96.0.0/16"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "a", "labels": {"app": "x"}},
    "spec": {"containers": [{"name": "c", "image": "multitool:1"}]},
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "d"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}},
    },
}


class Answer(NamedTuple):
    status: int
    headers: Any
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def message(self) -> str:
        return self.body["message"]

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.text.splitlines()]


class ProcessSession:
    """A command run by this machine's kernel."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.stdout, self.stderr = process.stdout, process.stderr
        self.sizes: list[tuple[int, int]] = []

    async def write_stdin(self, data: bytes) -> None:
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def close_stdin(self) -> None:
        self._process.stdin.close()

    async def wait(self) -> int:
        return await self._process.wait()

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process._transport.close()  # `wait` would wait for output that nobody reads

    def resize(self, rows: int, columns: int) -> None:
        self.sizes.append((rows, columns))


class ProcessRuntime:
    """Runs what it is told, in no container at all."""

    def __init__(self) -> None:
        self.sessions: list[ProcessSession] = []

    async def exec(self, _namespace, _pod, _container, argv, *, stdin, tty):
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except FileNotFoundError as error:
            raise internal(f'exec: "{argv[0]}": executable file not found in $PATH: unknown') from error
        self.sessions.append(ProcessSession(process))
        return self.sessions[-1]

    async def connect(self, _namespace, _pod, port):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise ForwardError(f"nobody listens on {port}") from error

    async def logs(self, _namespace, _pod, container, **options):
        yield f"{container} tail={options['tail_lines']}\n".encode()
        yield b"second line\n"


class ApiServer:
    """One server in a thread; ``store`` is touched through `call` only. Namespaces go at once, but for ``namespace_grace``."""

    namespace_grace = 0.0

    def __init__(self, folder: Path, *, kubelet: bool = True, version: str = "v1.32.13") -> None:
        self.credentials = tls.make_credentials()
        self.runtime = ProcessRuntime()
        self._kubelet, self._version = kubelet, version
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.kubeconfig = folder / "kubeconfig"
        self.tls = tls_client_context(self.credentials)
        content = tls.make_kubeconfig(self.credentials, f"https://{self.address}", "test")
        self.kubeconfig.write_text(yaml.safe_dump(content))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> ApiServer:
        self._thread.start()
        assert self._ready.wait(10), "the API server did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        self._loop.close()

    def call(self, function, *arguments, **named):
        """Run ``function`` on the server's thread."""

        async def run():
            return function(*arguments, **named)

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    def busy(self) -> set[Any]:
        """The connections on which something is being answered."""
        return self._connections._busy

    def create(self, res: str, obj: Any) -> Any:
        return self.call(self.store.create, res, obj)

    def request(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Answer:
        """One request as administrator, or with ``token`` ('' : anonymous); header names with underscores."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json"}
        if data is not None:
            sent["Content-Type"] = "application/json"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        token = self.credentials.token if token is None else token
        if token:
            sent["Authorization"] = f"Bearer {token}"
        request = Request(f"https://{self.address}{path}", data, sent, method=method)
        try:
            with urlopen(request, timeout=20, context=self.tls) as response:
                return Answer(response.status, response.headers, response.read().decode(errors="surrogateescape"))
        except HTTPError as error:
            return Answer(error.code, error.headers, error.read().decode(errors="surrogateescape"))

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.request("POST", path, body, **headers)

    def patch(self, path: str, body: Any, kind: str = "merge-patch+json") -> Answer:
        return self.request("PATCH", path, body, Content_Type=f"application/{kind}")

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """kubectl with the administrator's kubeconfig."""
        command = [kubectl_path(), f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig.parent}", *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self.store, runtime = await self._prepare()
        self.authenticator = Authenticator(self.store, self.credentials.token)
        identity = Identity(self.credentials.ca_certificate, self.address, self._version)
        if self._kubelet:
            self.store.subscribe(self._on_change)
        grace = self.namespace_grace
        runner = build_runner(self.store, runtime, self.authenticator, identity, namespace_grace=grace, shutdown_timeout=0.1)
        self._connections = runner.app.middlewares[0].__self__
        await runner.setup()
        await web.SockSite(runner, self._listener, ssl_context=tls.server_context(self.credentials)).start()
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()
        await self._finish()

    async def _prepare(self) -> tuple[Store, Any]:
        """The objects there are, and who runs their containers."""
        return Store(service_subnet=SERVICE_SUBNET), self.runtime

    async def _finish(self) -> None:
        """After the server."""

    def _on_change(self, event, res, obj, _old) -> None:
        if res == "pods" and event != "DELETED":
            metadata = obj["metadata"]
            self._loop.call_soon(self._run_pod, metadata["name"], metadata["namespace"])

    def _run_pod(self, name: str, namespace: str) -> None:
        """A scheduler and a kubelet that always succeed."""
        pod = self.store.find("pods", name, namespace)
        if pod is None:
            return
        if pod["metadata"].get("deletionTimestamp"):
            self.store.finalize_delete("pods", name, namespace)
        elif not pod["spec"].get("nodeName"):
            self.store.patch("pods", name, {"spec": {"nodeName": "node-1"}}, namespace)
        elif pod["status"]["phase"] == "Pending":
            self.store.patch("pods", name, {"status": running_status(pod)}, namespace, subresource="status")


def running_status(pod: Any) -> Any:
    started = {"running": {"startedAt": pod["metadata"]["creationTimestamp"]}}
    return {
        "phase": "Running",
        "podIP": "192.168.0.1",
        "podIPs": [{"ip": "192.168.0.1"}],
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {"name": item["name"], "ready": True, "restartCount": 0, "image": item["image"], "imageID": "", "state": started}
            for item in pod["spec"]["containers"]
        ],
    }


def until(condition: Any, seconds: float = 10) -> Any:
    """What ``condition`` gives, as soon as it is true, or after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return value


def tls_client_context(credentials: tls.Credentials) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=credentials.ca_certificate)


def kubectl_path() -> str | None:
    """kubectl beside this Python, or of the machine."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl")
