# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""First processes of containers that are functions of this programme: forked from the zygote, never executed.

Each is called as process 1 of the container with its environment (its arguments as JSON in `PODNET_ARGS`, taken out
first) and returns the exit code.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping

from .commands import felix_health, nginx

ARGUMENTS = "PODNET_ARGS"
_ENDS = frozenset({signal.SIGTERM, signal.SIGINT})
_PORTS = {"HTTP_PORT": 80, "HTTPS_PORT": 443}


def multitool(env: Mapping[str, str]) -> int:
    """The multitool image's entrypoint: sets the ports, then runs its arguments, or the web server."""
    _reap_orphans()
    try:
        ports = [int(env.get(name) or default) for name, default in _PORTS.items()]
    except ValueError as error:
        print(f"HTTP_PORT and HTTPS_PORT must be numbers: {error}", file=sys.stderr)
        return 1
    nginx.configure(*ports)
    arguments = json.loads(env.get(ARGUMENTS, "[]"))
    if arguments and os.path.basename(arguments[0]) != "nginx":
        plain = {name: value for name, value in env.items() if name != ARGUMENTS}
        os.execvpe(arguments[0], arguments, plain)
    print(nginx.banner(*ports), end="", flush=True)
    return nginx.main()


def pause(env: Mapping[str, str]) -> int:
    """Nothing, until told to end: a Calico or Kubernetes service whose work the sandbox itself does."""
    _reap_orphans()
    print(f"{env.get('PODNET_IMAGE', 'pause')}: its work is done by the sandbox", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    signal.sigwait(_ENDS)
    return 0


def calico_node(env: Mapping[str, str]) -> int:
    """calico-node's container: Felix's health port besides nothing, until told to end. What Felix does, the sandbox itself does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)  # in the thread as well: it is `pause` that waits for them
    threading.Thread(target=felix_health.serve, daemon=True).start()
    return pause(env)


def node(_env: Mapping[str, str]) -> int:
    """A node's first process, and process 1 to calico-node: who tells that to end, ends all that runs there, but not the node.

    The kubelet starts calico-node's container again, and what keeps BIRD starts BIRD.
    """
    _reap_orphans()
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    while True:
        signal.sigwait(_ENDS)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def _reap_orphans() -> None:
    """Process 1 inherits every orphan of its container; ignoring SIGCHLD lets the kernel bury them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


BUILTINS: Mapping[str, Callable[[Mapping[str, str]], int]] = {
    "multitool": multitool,
    "calico-node": calico_node,
    "node": node,
    "pause": pause,
}
