# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox behind a cluster's idle containers: started, found, ended; `keeper.py` ties it to the control plane's container.

The folder is the state folder / the engine / the cluster. Nothing in it is needed to remove the containers, and a folder whose
container is gone is removed by the next command of any double, so that a double killed at any moment leaves nothing that stays.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from podnet_doubles import docker
from podnet_doubles.built import Built
from podnet_doubles.errors import ToolError

_CONTAINER = "control-plane-container"
_IMAGES = "images.json"
_LOCK = "sandbox.lock"
#: The argument with which a double runs as the keeper of a sandbox.
KEEPER = "__keeper__"


@dataclass(frozen=True)
class Running:
    """Where a sandbox serves its API on this host, and the administrator's kubeconfig."""

    server: str
    kubeconfig: dict[str, Any]


class Sandboxes:
    """The sandboxes of one Docker engine."""

    def __init__(self, built: Built, root: str = "") -> None:
        self._built = built
        engine = "" if root else docker.run("info", "--format", "{{.ID}}").strip()
        self._root = Path(root) if root else built.state_folder() / re.sub(r"\W", "", engine)[:12]

    def start(self, cluster: str, container: str, settings: dict[str, Any]) -> Running:
        """Start the cluster's sandbox, tied to the life of its control-plane ``container``. Raises `ToolError`."""
        self.end(cluster)
        folder = self._folder(cluster)
        self._root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, parents=True)
        (folder / _CONTAINER).write_text(container, encoding="ascii")
        bird = [] if shutil.which("bird", path="/usr/sbin:/usr/bin:/sbin:/bin") else ["--without-bird"]
        ended = self._command(folder, "up", "--json", "--config", json.dumps(settings), *bird)
        if ended.returncode:
            raise ToolError(f"failed to init node with kubeadm: {ended.stderr.strip()}")
        answer = json.loads(ended.stdout)
        self._keep(cluster, container)
        return Running(answer["server"], yaml.safe_load(Path(answer["kubeconfig"]).read_text(encoding="utf-8")))

    def end(self, cluster: str) -> None:
        """End the cluster's sandbox, if there is one, and remove its folder."""
        self._end(self._folder(cluster))

    def container(self, cluster: str) -> str:
        """The id of the control plane that the cluster's sandbox belongs to; empty where there is none."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder(cluster) / _CONTAINER).read_text(encoding="ascii")
        return ""

    def signal(self, cluster: str, number: signal.Signals) -> None:
        """Send a signal to every process of the cluster's sandbox."""
        _signal(self._folder(cluster) / _LOCK, number)

    def sweep(self) -> None:
        """End every sandbox whose control plane is gone."""
        for folder in sorted(self._root.glob("*")):
            container = self.container(folder.name)
            if not container or not docker.succeeds("inspect", "--type=container", container):
                self._end(folder)

    def log(self, cluster: str) -> str:
        """What the sandbox said."""
        with contextlib.suppress(FileNotFoundError):
            return (self._folder(cluster) / "sandbox.log").read_text(encoding="utf-8", errors="replace")
        return ""

    def loaded_images(self, cluster: str) -> dict[str, list[str]]:
        """Node → ids of the images that were loaded into it."""
        with contextlib.suppress(FileNotFoundError):
            return dict(json.loads((self._folder(cluster) / _IMAGES).read_text(encoding="utf-8")))
        return {}

    def remember_images(self, cluster: str, images: dict[str, list[str]]) -> None:
        """The reverse of `loaded_images`."""
        (self._folder(cluster) / _IMAGES).write_text(json.dumps(images), encoding="utf-8")

    def _keep(self, cluster: str, container: str) -> None:
        argv = [self._built.python, sys.argv[0], KEEPER, str(self._root), cluster, container]
        nowhere = subprocess.DEVNULL
        subprocess.Popen(argv, cwd="/", start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)

    def _folder(self, cluster: str) -> Path:
        return self._root / cluster

    def _end(self, folder: Path) -> None:
        if not folder.exists():
            return
        _signal(folder / _LOCK, signal.SIGCONT)
        if self._command(folder, "down").returncode:
            # A launcher that was killed has not written down who it started.
            _signal(folder / _LOCK, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._root.rmdir()
            self._root.parent.rmdir()

    def _command(self, folder: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        argv = [self._built.python, "-m", "podnet_sandbox", verb, "--state-dir", str(folder), *arguments]
        return subprocess.run(argv, env=self._environment(), cwd="/", text=True, capture_output=True, check=False)

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": self._built.sandbox}


def _signal(lock: Path, number: signal.Signals) -> None:
    """To the processes that have ``lock`` open: every process of one sandbox has, and nobody else."""
    target = os.path.realpath(lock)
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(entry) == target:
                os.kill(int(entry.parts[2]), number)
