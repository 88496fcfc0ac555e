# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ties a sandbox to the life of its control-plane container, from the outside, in a process of its own.

Stopped container: the sandbox is frozen, with everything in it, as etcd keeps a stopped cluster's objects (its API then does
not answer, where a real one refuses). Started again: it goes on. Removed, or the engine gone for a minute: it is ended.
"""

from __future__ import annotations

import signal
import time

from podnet_doubles import docker
from podnet_doubles.built import Built
from podnet_doubles.sandbox import Sandboxes

_PERIOD = 0.3
_PATIENCE = 60.0


def keep(built: Built, root: str, cluster: str, container: str) -> int:
    """Watch until the container is gone; then end the sandbox."""
    sandboxes = Sandboxes(built, root)
    frozen, answered = False, time.monotonic()
    while time.monotonic() - answered < _PATIENCE:
        state = _state(container)
        if state == "removed":
            break
        if state != "unknown":
            answered = time.monotonic()
        running = state == "running"
        if frozen is running:
            sandboxes.signal(cluster, signal.SIGCONT if running else signal.SIGSTOP)
            frozen = not running
        if running:
            docker.succeeds("wait", container)
        else:
            time.sleep(_PERIOD)
    if sandboxes.container(cluster) == container:
        sandboxes.end(cluster)
    return 0


def _state(container: str) -> str:
    try:
        return docker.run("inspect", "--type=container", "--format", "{{.State.Status}}", container).strip()
    except docker.CommandFailed as failure:
        return "removed" if "No such container" in failure.output else "unknown"
