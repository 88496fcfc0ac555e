# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first process of the sandbox's process namespace: forks every other one and reaps them all.

It has one thread and imports little, so that a fork is cheap, may enter any namespace (a process with threads may
not enter a mount namespace), and inherits no lock. The server asks over a SOCK_SEQPACKET pair, one JSON message a
datagram, file descriptors by SCM_RIGHTS:

    {"op": "start", "id", "process"}  + [net, uts, ipc, stdin, stdout, stderr, status]   a container's first process
    {"op": "exec", "id", "target", "process"} + [stdin, stdout, stderr, status]          one more in its namespaces
    {"op": "kill", "pid", "signal", "group"}

and hears {"id", "pid"}, {"id", "error"} and, for every child that ended, {"exited": pid, "code"}. ``status`` is a
pipe: closed by the successful execve, or carrying the reason why there was none.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import sys
import termios
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from .confinement import rootfs, syscalls

MAXIMUM_MESSAGE = 1 << 18
_MAXIMUM_DESCRIPTORS = 8
_NAMESPACES = {"net": syscalls.CLONE_NEWNET, "uts": syscalls.CLONE_NEWUTS, "ipc": syscalls.CLONE_NEWIPC}

#: A container's first process that is a function of this programme, not a programme of its own.
Builtin = Callable[[Mapping[str, str]], int]


class Zygote:
    """The message loop. Ends, and with it everything, when the server's end of the socket is closed."""

    def __init__(self, channel: socket.socket, builtins: Mapping[str, Builtin]) -> None:
        self._channel = channel
        self._builtins = builtins
        self._outgoing: collections.deque[bytes] = collections.deque()
        self._own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._wake_reader, self._wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Serve until the server is gone."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        while True:
            poll.register(self._channel, select.POLLIN | (select.POLLOUT if self._outgoing else 0))
            for descriptor, events in poll.poll():
                if descriptor == self._wake_reader:
                    self._reap()
                elif events & select.POLLOUT:
                    self._flush()
                elif not self._receive():
                    return

    def _receive(self) -> bool:
        data, descriptors, _ignored, _ignored = socket.recv_fds(self._channel, MAXIMUM_MESSAGE, _MAXIMUM_DESCRIPTORS)
        if not data:
            return False
        message = json.loads(data)
        try:
            self._handle(message, descriptors)
        except OSError as error:
            if "id" in message:
                self._send({"id": message["id"], "error": str(error)})
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _handle(self, message: Mapping[str, Any], descriptors: list[int]) -> None:
        if message["op"] == "kill":
            _kill(message["pid"], message["signal"], message["group"])
        elif message["op"] == "start":
            self._fork_into(None, message, descriptors)
        else:
            self._fork_into(message["target"], message, descriptors)

    def _fork_into(self, target: int | None, message: Mapping[str, Any], descriptors: list[int]) -> None:
        """Fork with the child's process namespace new (``target`` None) or that of ``target``."""
        if target is None:
            syscalls.unshare(syscalls.CLONE_NEWPID)
        else:
            with open(f"/proc/{target}/ns/pid", "rb") as namespace:
                syscalls.setns(namespace.fileno(), syscalls.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                syscalls.setns(self._own_pid_namespace, syscalls.CLONE_NEWPID)
        if pid == 0:
            self._child(target, message["process"], descriptors)
        self._send({"id": message["id"], "pid": pid})

    def _child(self, target: int | None, process: Mapping[str, Any], descriptors: list[int]) -> NoReturn:
        status = descriptors[-1]
        try:
            _reset_signals()
            if target is None:
                _enter_new(process, descriptors[:3])
            else:
                _enter_existing(target)
            _attach(descriptors[-4:-1], status, process["tty"])
            status = _STATUS
            os.chdir(process["cwd"])
            syscalls.keep_capabilities(process["capabilities"])
            self._become(process)
        except BaseException as error:  # every failure has to reach the asker, and this copy must never return
            _report(status, error)
        os._exit(127)

    def _become(self, process: Mapping[str, Any]) -> None:
        if process["builtin"]:
            syscalls.hide_memory()  # it still holds what the zygote held
            os.close(_STATUS)
            code = 1
            try:
                code = self._builtins[process["builtin"]](process["env"])
            except Exception:
                traceback.print_exc()
            sys.stdout.flush()
            os._exit(code)
        os.execve(_find(process["argv"][0], process["env"], process["cwd"]), process["argv"], dict(process["env"]))

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_reader, 4096)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            self._send({"exited": pid, "code": code if code >= 0 else 128 - code})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._outgoing.append(json.dumps(message).encode())
        self._flush()

    def _flush(self) -> None:
        while self._outgoing:
            try:
                self._channel.send(self._outgoing[0], socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                os._exit(0)  # the server is gone, and the sandbox with it
            self._outgoing.popleft()


_STATUS = 3


def _kill(pid: int, number: int, group: bool) -> None:
    try:
        if group:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        pass


def _reset_signals() -> None:
    """Python ignores SIGPIPE; programmes expect it to end them."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _enter_new(process: Mapping[str, Any], descriptors: Sequence[int]) -> None:
    for descriptor, kind in zip(descriptors, _NAMESPACES.values(), strict=True):
        syscalls.setns(descriptor, kind)
    syscalls.unshare(syscalls.CLONE_NEWNS)
    rootfs.enter(rootfs.from_message(process["root"]))


def _enter_existing(target: int) -> None:
    """The mount namespace last: after it /proc is another one."""
    opened = [
        (os.open(f"/proc/{target}/ns/{name}", os.O_RDONLY), kind)
        for name, kind in {**_NAMESPACES, "mnt": syscalls.CLONE_NEWNS}.items()
    ]
    for descriptor, kind in opened:
        syscalls.setns(descriptor, kind)
    os.chdir("/")


def _attach(stdio: Sequence[int], status: int, tty: bool) -> None:
    """Standard streams, a session of its own, ``status`` as descriptor 3; everything else is closed."""
    os.setsid()
    saved = fcntl.fcntl(status, fcntl.F_DUPFD, 64)
    streams = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for descriptor in stdio]
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    os.dup2(saved, _STATUS, inheritable=False)
    os.closerange(_STATUS + 1, os.sysconf("SC_OPEN_MAX"))
    if tty:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _find(name: str, env: Mapping[str, str], cwd: str) -> str:
    """The programme's path, or FileNotFoundError/PermissionError in runc's words."""
    candidates = [name] if "/" in name else [f"{folder}/{name}" for folder in env.get("PATH", "").split(":")]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    if "/" in name and os.path.exists(name):
        raise PermissionError(f'exec: "{name}": permission denied')
    if "/" in name:
        raise FileNotFoundError(f'exec: "{name}": stat {name}: no such file or directory')
    raise FileNotFoundError(f'exec: "{name}": executable file not found in $PATH')


def _report(status: int, error: BaseException) -> None:
    try:
        os.write(status, (str(error) or repr(error)).encode())
    except OSError:
        return  # the asker is gone
