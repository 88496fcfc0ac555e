# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From `up` to a running sandbox: one process tree, started here, that dies whole.

    up ── forks ──► holder (host's namespaces' view ends here: it unshares, forks and waits)
                      └── process 1: the zygote (`zygote.py`), a new Python with a clean environment
                            ├── the server (`server.py`): API, controllers, kernel room
                            └── nodes and containers, each process 1 of namespaces of its own

The API's socket is bound before the network namespace is left, so it stays on the host's loopback. Whichever of
holder, process 1 and server dies takes everything along: process 1 is told by the kernel when the holder ends, ends
itself when the server's socket closes, and a process namespace does not outlive its process 1. Until `up` has written
down what runs, its own end (Ctrl-C, a kill) is the holder's as well: nobody else could find it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NoReturn

from .config import SandboxConfig
from .confinement import isolation, syscalls
from .log import open_log
from .state import StateError, StateFolder, start_time

_READY_SECONDS = 60.0
_DOWN_SECONDS = 10.0
_LOG_LINES = 15
_KEEP = b"k"
_SEARCH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
#: Programme → Debian package: what the nodes are wired and seen with.
_PROGRAMMES = {
    "ip": "iproute2",
    "ipset": "ipset",
    "iptables-nft-restore": "iptables",
    "nft": "nftables",
    "ping": "iputils-ping",
}

#: Module → distribution: what the sandbox's processes import, which would otherwise be found missing in their log.
_LIBRARIES = {"aiohttp": "aiohttp", "jsonpatch": "jsonpatch", "pyroute2": "pyroute2", "trustme": "trustme", "yaml": "PyYAML"}


class LaunchError(Exception):
    """The sandbox was not started (or stopped); the text says what was tried, what came back and what to do."""


def check_programmes(*, bird: bool) -> None:
    """Raises `LaunchError` naming everything that is not installed, and how to install it."""
    wanted = {**_PROGRAMMES, **({"bird": "bird"} if bird else {})}
    libraries = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if libraries:
        wheels = " ".join(_LIBRARIES[name] for name in libraries)
        raise LaunchError(f"{sys.executable} has no {', '.join(libraries)}. Install: {sys.executable} -m pip install {wheels}")
    missing = [name for name in wanted if shutil.which(name, path=_SEARCH) is None]
    if missing:
        packages = " ".join(sorted({wanted[name] for name in missing}))
        hint = ""
        if "bird" in missing:
            hint = (
                " BIRD is the BGP daemon of the nodes (bird2 will do as well; its own service need not run); a lab with "
                "bgp: Disabled does without it (--without-bird)."
            )
        raise LaunchError(f"not installed: {', '.join(missing)}. As root: apt-get install {packages}.{hint}")


def start(config: SandboxConfig, folder: StateFolder, *, bird: bool = True) -> dict[str, Any]:
    """Start a sandbox in ``folder``, which must be locked by nobody; its state. Raises `LaunchError`."""
    check_programmes(bird=bird)
    config = replace(config, uuid=config.uuid or str(uuid.uuid4()), state_dir=str(folder.path))
    with _bind(config.port) as listener:
        folder.create()
        try:
            lock = folder.lock()
        except OSError as error:
            raise LaunchError(f"the lab folder {folder.path} cannot be used: {error}") from error
        if lock is None:
            raise LaunchError(f"a sandbox is starting or ending in {folder.path}; try again, or see {folder.log}")
        try:
            replaced = folder.clear_stale()
            pid, ready, keep = _fork_holder(config, folder, listener, lock)
        finally:
            os.close(lock)
    with open(keep, "wb", buffering=0) as kept:
        try:
            answer = _await_ready(ready, pid, folder)
        except LaunchError:
            folder.clear_unless_told()
            raise
        state = _state(config, pid, answer, replaced)
        try:
            folder.write(state, answer["kubeconfig"])
        except StateError:
            kept.close()  # and so it ends: nobody would find it
            folder.wait_dead(_DOWN_SECONDS)
            folder.clear()
            raise
        kept.write(_KEEP)
    return state


def stop(folder: StateFolder) -> bool:
    """End the sandbox of ``folder``; whether there was one. Raises `LaunchError`."""
    state = folder.read()
    if state is None or start_time(state["pid"]) != state["started_ticks"]:
        if not folder.alive():
            return False
        raise LaunchError(
            f"a sandbox lives in {folder.path}, but its {folder.path}/state.json does not say which process it is. Find it "
            f"with `fuser {folder.path}/sandbox.lock` and end it"
        )
    holder = os.pidfd_open(state["pid"])
    try:
        signal.pidfd_send_signal(holder, signal.SIGTERM)
        gone = select.select([holder], [], [], _DOWN_SECONDS)[0]
    except ProcessLookupError:
        gone = [holder]
    finally:
        os.close(holder)
    if not gone or not folder.wait_dead(_DOWN_SECONDS):
        raise LaunchError(
            f"the sandbox of {folder.path} (process {state['pid']}) did not end in {_DOWN_SECONDS:.0f} s. Kill it, and all of it goes: "
            f"kill -KILL {state['pid']}"
        )
    return True


def _bind(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=512)
    except OSError as error:
        raise LaunchError(
            f"the Kubernetes API cannot listen on 127.0.0.1:{port}: {error.strerror}. Choose another port, or 0 for a free "
            f"one; `ss -ltnp 'sport = :{port}'` shows who has it"
        ) from error


def _fork_holder(config: SandboxConfig, folder: StateFolder, listener: socket.socket, lock: int) -> tuple[int, int, int]:
    """(the holder's pid, a descriptor that will say that the sandbox is ready, or why not; one to be told `_KEEP` by)."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    keep_reader, keep_writer = os.pipe2(os.O_CLOEXEC)
    log = open_log(folder.log)
    # Python drops an interrupt that comes while libraries look after a fork (logging's locks): it is heard afterwards.
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    pid = os.fork()
    signal.pthread_sigmask(signal.SIG_SETMASK, heard)
    if pid == 0:
        os.close(reader)
        os.close(keep_writer)
        _hold(config, listener.fileno(), writer, lock, log, keep_reader)
    for descriptor in (writer, keep_reader, log):
        os.close(descriptor)
    return pid, reader, keep_writer


def _hold(config: SandboxConfig, listener: int, ready: int, lock: int, log: int, keep: int) -> NoReturn:
    """The holder: out of the host's namespaces, fork process 1, end with it."""
    try:
        os.setsid()
        _redirect(log)
        os.chdir("/")
        privileged = isolation.is_privileged()
        isolation.enter(privileged=privileged)
        alive_reader, alive_writer = os.pipe2(os.O_CLOEXEC)
        pid = os.fork()
        if pid == 0:
            os.close(alive_writer)
            _become_first(config, privileged, listener, ready, lock, alive_reader)
        os.close(ready)
        os.close(listener)
        signal.signal(signal.SIGTERM, lambda number, frame: os.kill(pid, signal.SIGKILL))
        readable = select.select([keep, os.pidfd_open(pid)], [], [])[0]
        if keep in readable and os.read(keep, len(_KEEP)) != _KEEP:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except BaseException as error:  # nobody else could tell
        _say(ready, {"error": str(error) or repr(error)})
    os._exit(0)


def _become_first(
    config: SandboxConfig, privileged: bool, listener: int, ready: int, lock: int, holder: int
) -> NoReturn:
    """Process 1: die with the holder, own /proc, then a new Python that knows nothing of the caller's environment.

    The new programme also belongs to the user namespace, if there is one, where this one's memory does not.
    """
    try:
        syscalls.die_with_parent(signal.SIGKILL)
        if select.select([holder], [], [], 0)[0]:
            os._exit(0)  # the holder ended before it could be watched
        isolation.settle()
        message_reader, message_writer = os.pipe()
        message = {"config": config.to_json(), "privileged": privileged, "listener": listener, "ready": ready, "lock": lock}
        os.write(message_writer, json.dumps(message).encode())
        os.close(message_writer)
        for descriptor in (message_reader, listener, ready, lock):
            os.set_inheritable(descriptor, True)
        environment = {
            "PATH": _SEARCH,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),  # whatever way the libraries were found
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        argv = [sys.executable, "-m", f"{__package__}.process_one", str(message_reader)]
        os.execve(sys.executable, argv, environment)
    except BaseException as error:
        _say(ready, {"error": str(error) or repr(error)})
    os._exit(1)


def _redirect(log: int) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    for number, descriptor in enumerate((null, log, log)):
        os.dup2(descriptor, number)


def _say(descriptor: int, message: Mapping[str, str]) -> None:
    os.write(descriptor, json.dumps(message).encode())


def _await_ready(descriptor: int, pid: int, folder: StateFolder) -> dict[str, Any]:
    deadline = time.monotonic() + _READY_SECONDS
    content = b""
    with open(descriptor, "rb", buffering=0) as pipe:
        while True:
            readable, _ignored, _ignored = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                os.kill(pid, signal.SIGTERM)
                raise LaunchError(f"the sandbox was not ready in {_READY_SECONDS:.0f} s and was ended. {_last_lines(folder)}")
            part = pipe.read(65536)
            if not part:
                break
            content += part
    answer = json.loads(content) if content else {"error": f"it ended while it started. {_last_lines(folder)}"}
    if "error" in answer:
        os.waitpid(pid, 0)
        raise LaunchError(f"the sandbox did not start: {answer['error']}")
    return dict(answer)


def _last_lines(folder: StateFolder) -> str:
    lines = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join([f"The end of {folder.log}:", *lines])


def _state(config: SandboxConfig, pid: int, answer: Mapping[str, Any], replaced: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "config": json.loads(config.to_json()),
        "name": config.name,
        "uuid": config.uuid,
        "pid": pid,
        "started_ticks": start_time(pid),
        "server": answer["server"],
        "nodes": node_list(config),
        "replaced": replaced,
    }


def node_list(config: SandboxConfig) -> list[dict[str, str]]:
    """Name, address and role of each node."""
    return [
        {
            "name": name,
            "address": config.address_of(name),
            "role": "control-plane" if name == config.control_plane else "worker",
        }
        for name in config.nodes
    ]
