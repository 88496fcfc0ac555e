# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel room without a cluster, in namespaces of its own, for tests: `Lab` here, `Kernel` at the other end of a pipe.

Started as the sandbox is (`launch.py`): leave the host's namespaces, fork, run a new Python as process 1.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import traceback
import types
from typing import Any, NamedTuple

WORKER, WORKER2, CONTROL_PLANE = "pod-routing-worker", "pod-routing-worker2", "pod-routing-control-plane"


class Ran(NamedTuple):
    """What a command in a container came to."""

    code: int
    output: str
    error: str


class Lab:
    """Calls the other process's `Kernel` by method name. ``prefix``: words before the Python command (setpriv …)."""

    def __init__(self, scratch: str, *, prefix: tuple[str, ...] = (), python: str = sys.executable, env=None) -> None:
        self._lock = threading.Lock()
        argv = [*prefix, python, os.path.abspath(__file__), scratch]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(env or {})}
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """One method of `Kernel` (or `run`); what it raises is raised here."""
        with self._lock:
            pickle.dump((method, arguments, named), self._process.stdin)
            self._process.stdin.flush()
            good, value = pickle.load(self._process.stdout)
        if not good:
            raise value
        return value

    def run(self, namespace: str, pod: str, *argv: str, stdin: bytes | None = None, tty: bool = False) -> Ran:
        """Run a command in a pod's first container to its end."""
        return Ran(*self.call("run", namespace, pod, argv, stdin, tty))

    def pod(self, name: str, *argv: str, **named: Any) -> Ran:
        """Run a command in a pod of namespace default."""
        return self.run("default", name, *argv, **named)

    def node(self, name: str, *argv: str, **named: Any) -> Ran:
        """Run a command in the node's calico-node."""
        return self.run("calico-system", f"calico-node-{name}", *argv, **named)

    def close(self) -> None:
        """End it, whatever state it is in."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()


def _hold(scratch: str) -> None:
    from podnet_sandbox.confinement import isolation, syscalls

    privileged = isolation.is_privileged()
    isolation.enter(privileged=privileged)
    pid = os.fork()
    if pid == 0:
        syscalls.die_with_parent(signal.SIGKILL)
        isolation.settle()
        os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), scratch, str(int(privileged))])
    os.waitpid(pid, 0)


def _first(scratch: str, privileged: bool) -> None:
    from podnet_sandbox.images.entrypoints import BUILTINS
    from podnet_sandbox.zygote import Zygote

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        asyncio.run(_serve(theirs, scratch, privileged))
        os._exit(0)
    theirs.close()
    Zygote(ours, BUILTINS).run()


async def _serve(channel: socket.socket, scratch: str, privileged: bool) -> None:
    from podnet_sandbox.dataplane.bird import daemon
    from podnet_sandbox.dataplane.kernel import Kernel
    from podnet_sandbox.zygote_client import ZygoteClient

    if "KERNEL_LAB_BIRD" in os.environ:  # a BIRD that is not the machine's own: PATH:MAJOR
        path, _, major = os.environ["KERNEL_LAB_BIRD"].rpartition(":")
        daemon.installed = lambda: (path, int(major))
    kernel = Kernel(ZygoteClient(channel), scratch=scratch, single_user=not privileged)
    exits: list[tuple[str, str, int]] = []
    kernel.on_exit = lambda handle, state: exits.append((handle.name, state.name, state.exit_code))
    extra = {"run": _run, "resync": _resync, "exits": _exits, "read_logs": _read_logs, "cancelled_add": _cancelled_add, "volume": _volume, "mounts": _mounts,
             "has_ipip": _has_ipip, "stand_in_for_ipip": _stand_in_for_ipip}  # fmt: skip
    while True:
        try:
            method, arguments, named = await asyncio.to_thread(pickle.load, sys.stdin.buffer)
        except EOFError:
            return
        try:
            if method in extra:
                value = await extra[method](kernel, exits, *arguments, **named)
            else:
                value = getattr(kernel, method)(*arguments, **named)
                value = await value if asyncio.iscoroutine(value) else value
            answer = (True, value)
        except Exception as error:
            traceback.print_exc()
            answer = (False, error)
        sys.stdout.buffer.write(pickle.dumps(answer))
        sys.stdout.buffer.flush()


async def _run(kernel, exits, namespace, pod, argv, stdin, tty):
    container = kernel._pods[namespace, pod].spec.containers[0].name
    session = await kernel.exec(namespace, pod, container, argv, stdin=stdin is not None, tty=tty)
    if stdin is not None:
        await session.write_stdin(stdin)
        await session.close_stdin()
    output, error = await asyncio.gather(session.stdout.read(), session.stderr.read())
    return await session.wait(), output.decode(), error.decode()


async def _resync(kernel, exits, node, *looks, compare=False):
    from podnet_sandbox.dataplane.kernel.felix_clock import Looks

    await kernel._nodes[node].resync(Looks(**dict.fromkeys(looks, True)), compare=compare)


async def _cancelled_add(kernel, exits, turns, *arguments):
    """Whether adding a pod is cancelled that is told so as it waits for the ``turns``-th time: of waiting, not of time, so that a
    quick machine is not done before."""
    adding = asyncio.ensure_future(_cancelling(kernel.add_pod(*arguments), turns))
    await asyncio.gather(adding, return_exceptions=True)
    return adding.cancelled()


@types.coroutine
def _cancelling(coroutine, turns):
    """The coroutine; its task is cancelled once it has begun to wait for the ``turns``-th time."""
    steps = coroutine.__await__()
    advance, value = steps.send, None
    while True:
        try:
            waiting = advance(value)
        except StopIteration as done:
            return done.value
        turns -= 1
        if turns == 0:
            asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
        try:
            advance, value = steps.send, (yield waiting)
        except BaseException as error:
            advance, value = steps.throw, error


async def _has_ipip(kernel, exits):
    return kernel.ipip


async def _stand_in_for_ipip(kernel, exits, node, kind):
    """A device of another kind under tunl0's name, for a kernel that has no IPIP."""
    from podnet_sandbox.dataplane.kernel.ipip import Ipip

    kernel._nodes[node]._ipip = Ipip(kernel._nodes[node].namespace, kind)


async def _mounts(kernel, exits):
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        return len(mounts.readlines())


async def _volume(kernel, exits, method, *arguments):
    return getattr(kernel.volumes, method)(*arguments)


async def _exits(kernel, exits):
    return exits


async def _read_logs(kernel, exits, *arguments, **named):
    return [line async for line in kernel.logs(*arguments, **named)]


if __name__ == "__main__":
    if len(sys.argv) == 2:
        _hold(sys.argv[1])
    else:
        _first(sys.argv[1], sys.argv[2] == "1")
