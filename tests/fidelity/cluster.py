# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox, brought up as a person would by its own command, and asked as a person would: HTTP and `kubectl exec`."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

SANDBOX = Path(__file__).parents[2] / "roles" / "sandbox" / "files"
_KUBECTL = Path(sys.executable).with_name("kubectl")
_MERGE = "application/merge-patch+json"

Object = dict[str, Any]


class Failed(Exception):
    """The sandbox, or a command in it, did not do what the comparison needs."""


class Cluster:
    """One running sandbox."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        content = yaml.safe_load(kubeconfig.read_text())
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        self._server = cluster["server"]
        self._tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile("wb") as file:  # Python takes a client certificate from a file only
            file.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
            file.flush()
            self._tls.load_cert_chain(file.name)

    def get(self, path: str) -> Object | None:
        """What is there; None where nothing is."""
        try:
            return self._request("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise Failed(f"GET {path}: {error.code} {error.read().decode()}") from error

    def create(self, obj: Object) -> Object:
        """POST, wherever objects of that kind go."""
        return self._write("POST", self.path_of(obj), obj)

    def merge(self, path: str, patch: Object) -> Object:
        """A merge patch."""
        return self._write("PATCH", path, patch, _MERGE)

    def path_of(self, obj: Object) -> str:
        """The collection the object belongs to, as discovery has it."""
        version = obj["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        resources = (self.get(root) or {"resources": []})["resources"]
        found = next((item for item in resources if item["kind"] == obj["kind"] and "/" not in item["name"]), None)
        if found is None:
            raise Failed(f"{root} has no kind {obj['kind']}")
        within = f"/namespaces/{obj['metadata'].get('namespace', 'default')}" if found["namespaced"] else ""
        return f"{root}{within}/{found['name']}"

    def run(self, namespace: str, pod: str, script: str, timeout: float = 60) -> str:
        """What a shell script prints in the pod's first container."""
        argv = [_KUBECTL, "--kubeconfig", self.kubeconfig, "exec", "-n", namespace, pod, "--", "sh", "-c", script]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
        if done.returncode:
            raise Failed(f"in pod {namespace}/{pod}: exit code {done.returncode}: {done.stderr.strip()}\n{script}")
        return done.stdout

    def kubectl(self, *words: str) -> str:
        """What kubectl prints."""
        argv = [_KUBECTL, "--kubeconfig", self.kubeconfig, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def _write(self, method: str, path: str, body: Object, kind: str = "application/json") -> Object:
        try:
            return self._request(method, path, json.dumps(body).encode(), kind)
        except urllib.error.HTTPError as error:
            raise Failed(f"{method} {path}: {error.code} {error.read().decode()}\n{json.dumps(body)}") from error

    def _request(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Object:
        request = urllib.request.Request(self._server + path, data=body, method=method)
        if kind:
            request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, context=self._tls, timeout=30) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def running(config: Object) -> Iterator[Cluster]:
    """A sandbox that ends with the block, whatever happens in it."""
    with tempfile.TemporaryDirectory(prefix="fidelity-") as folder:
        where = ["--state-dir", f"{folder}/state"]
        try:
            answer = _podnet_sandbox("up", *where, "--json", "--config", json.dumps(config))
            yield Cluster(Path(json.loads(answer)["kubeconfig"]))
        finally:
            _podnet_sandbox("down", *where)


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait for what is true; raises `Failed` with ``what`` when it does not come."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not so after {seconds:.0f} s")
        time.sleep(0.05)
    return value


def _podnet_sandbox(*words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(SANDBOX)}
    done = subprocess.run(
        [sys.executable, "-m", "podnet_sandbox", *words], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"podnet-sandbox {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
