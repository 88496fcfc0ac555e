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
from collections.abc import Callable, Mapping

from .commands import nginx

ARGUMENTS = "PODNET_ARGS"
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
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


def node(_env: Mapping[str, str]) -> int:
    """A node's first process, and process 1 to calico-node: who tells that to end, ends all that runs there, but not the node.

    The kubelet starts calico-node's container again, and what keeps BIRD starts BIRD.
    """
    _reap_orphans()
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    while True:
        signal.sigwait(ends)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def _reap_orphans() -> None:
    """Process 1 inherits every orphan of its container; ignoring SIGCHLD lets the kernel bury them."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)


BUILTINS: Mapping[str, Callable[[Mapping[str, str]], int]] = {
    "multitool": multitool,
    "calico-node": pause,
    "node": node,
    "pause": pause,
}
