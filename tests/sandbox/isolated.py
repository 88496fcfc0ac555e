# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a coroutine with the real kernel room in namespaces of its own: `python isolated.py MODULE:FUNCTION`.

The coroutine gets a `Kernel`; what it returns is printed as JSON. Everything it made ends with this process.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

from podnet_sandbox.confinement import isolation, syscalls

FOLDER = Path(__file__).parent


def run(function: str, timeout: float = 60):
    """What ``function`` (MODULE:FUNCTION) returned, run in a process of its own. Fails with its output."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FOLDER), *sys.path])}
    argv = [sys.executable, __file__, function]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def _first(function: str) -> None:
    """Process 1 of the new process namespace: the zygote; its child is the server."""
    isolation.settle()
    from podnet_sandbox.images.entrypoints import BUILTINS
    from podnet_sandbox.zygote import Zygote

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        try:
            print(json.dumps(asyncio.run(_serve(function, theirs))), flush=True)
        except BaseException:
            traceback.print_exc()
        os._exit(0)
    theirs.close()
    Zygote(ours, BUILTINS).run()


async def _serve(function: str, channel: socket.socket):
    from podnet_sandbox.dataplane.kernel import Kernel
    from podnet_sandbox.zygote_client import ZygoteClient

    module, _, name = function.partition(":")
    with tempfile.TemporaryDirectory() as scratch:
        kernel = Kernel(ZygoteClient(channel), scratch=scratch, single_user=not isolation.is_privileged())
        return await getattr(importlib.import_module(module), name)(kernel)


def main(function: str) -> None:
    isolation.enter(privileged=isolation.is_privileged())
    pid = os.fork()
    if pid == 0:
        syscalls.die_with_parent(9)
        try:
            _first(function)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main(sys.argv[1])
