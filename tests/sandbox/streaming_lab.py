# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole sandbox with a few pods, and kubectl on both of its transports, for the tests of what streams."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import yaml
from api_server import kubectl_path
from podnet_sandbox import launch

FILES = Path(launch.__file__).parent.parent
SMALL = {"name": "streams", "nodes": ["a", "b"], "node_subnet": "172.30.0.0/24"}
#: What each transport of kubectl needs to be allowed (a real API server v1.32.13): a WebSocket is a GET. Who may not get
#: is refused, and tries once more by SPDY, which is a POST.
VERBS = {"websocket": "get", "spdy": "create"}
SECONDS = 60


def pod(name, image="busybox", command=None, **more):
    container = {"name": "main", "image": image, **({"command": command} if command else {}), **more}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": {"containers": [container]}}


def access(transport):
    """An account that may stream by one transport only."""
    name = {"name": transport, "namespace": "default"}
    group = "rbac.authorization.k8s.io"
    everything = {"apiGroups": [""], "resources": ["pods", "pods/ephemeralcontainers", "pods/log", "services"], "verbs": ["*"]}
    streams = {"apiGroups": [""], "resources": ["pods/exec", "pods/attach", "pods/portforward"], "verbs": [VERBS[transport]]}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": name},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": name, "rules": [everything, streams]},
        {
            "apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": name,
            "roleRef": {"apiGroup": group, "kind": "Role", "name": transport},
            "subjects": [{"kind": "ServiceAccount", **name}],
        },
    ]  # fmt: skip


class StreamingLab:
    """``kubectl`` and ``terminal`` take a transport first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        answer = self._sandbox("up", "--encapsulation", "VXLAN", "--config", json.dumps(SMALL))
        self.kubeconfig = Path(answer["kubeconfig"])
        self._program = kubectl_path()
        self._configs = {"admin": self.kubeconfig}
        objects = [item for transport in VERBS for item in access(transport)]
        self.apply(*objects)
        for transport in VERBS:
            content = yaml.safe_load(self.kubeconfig.read_text())
            token = self.kubectl("admin", "create", "token", transport).stdout.strip()
            content["users"][0]["user"] = {"token": token}
            self._configs[transport] = folder / f"{transport}.kubeconfig"
            self._configs[transport].write_text(yaml.safe_dump(content))

    def close(self) -> None:
        self._sandbox("down")

    def apply(self, *objects):
        self.kubectl("admin", "apply", "-f", "-", stdin=yaml.safe_dump_all(objects).encode())

    def ready(self, *names):
        self.kubectl("admin", "wait", "--for=condition=Ready", *(f"pod/{name}" for name in names), f"--timeout={SECONDS}s")

    def command(self, transport, *arguments):
        return [self._program, f"--kubeconfig={self._configs[transport]}", f"--cache-dir={self.folder}/cache", *arguments]

    @contextlib.contextmanager
    def using(self, program):
        """Another kubectl than the pinned one."""
        pinned, self._program = self._program, program
        try:
            yield
        finally:
            self._program = pinned

    def kubectl(self, transport, *arguments, stdin=b"", check=True):
        """One command of kubectl; output as text."""
        command = self.command(transport, *arguments)
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=2 * SECONDS, check=False)
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout[-500:]}{done.stderr}"
        return done

    def terminal(self, transport, *arguments):
        """kubectl on a terminal of 30 rows and 100 columns."""
        program, *words = self.command(transport, *arguments)
        return pexpect.spawn(program, words, timeout=SECONDS, dimensions=(30, 100), encoding="utf-8")

    @contextlib.contextmanager
    def forwarding(self, transport, target, *ports):
        """(local port by remote port, the process) of a `kubectl port-forward` that runs."""
        process = self.terminal(transport, "port-forward", "--address=127.0.0.1", target, *(f":{port}" for port in ports))
        try:
            local = {}
            for _ in ports:
                process.expect(r"Forwarding from 127\.0\.0\.1:(\d+) -> (\d+)")
                local[int(process.match[2])] = int(process.match[1])
            yield local, process
        finally:
            process.close(force=True)

    def processes(self, pattern):
        """How many processes of the sandbox's pods have a command line like that."""
        found = 0
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                found += bool(re.search(pattern, entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")))
        return found

    def _sandbox(self, verb, *arguments):
        argv = [sys.executable, "-m", "podnet_sandbox", verb, "--name", "streams", "--state-dir", str(self.folder / "state"), "--json"]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *sys.path])}
        done = subprocess.run([*argv, *arguments], capture_output=True, text=True, env=env, check=False, timeout=2 * SECONDS)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
