# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's end of the zygote: asks for processes, hears when they end."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .confinement.rootfs import RootFilesystem, to_message
from .zygote import MAXIMUM_MESSAGE

#: What a container may do besides what any user may; as containerd's default without the host's devices (MKNOD),
#: chroot and file capabilities.
POD_CAPABILITIES = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETGID",
    "SETPCAP",
    "SETUID",
)
_LARGEST = MAXIMUM_MESSAGE // 2


class StartError(Exception):
    """A process could not be started; the text is the zygote's reason."""


@dataclass(frozen=True)
class Process:
    """What to run: ``builtin`` (a function of the zygote's table) or ``argv``."""

    argv: tuple[str, ...] = ()
    builtin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str = "/"
    capabilities: tuple[str, ...] = POD_CAPABILITIES
    tty: bool = False


@dataclass(frozen=True)
class NamespaceDescriptors:
    """Open namespace files: what keeps a node or a pod in existence while nothing runs in it."""

    net: int
    uts: int
    ipc: int

    def close(self) -> None:
        """Let go; the kernel removes the namespace when no process is left in it."""
        for descriptor in (self.net, self.uts, self.ipc):
            os.close(descriptor)


class ZygoteClient:
    """One per server. ``attach`` once the event loop runs."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[int]] = {}
        self._exits: dict[int, asyncio.Future[int]] = {}

    def attach(self) -> None:
        """Listen in the running event loop."""
        asyncio.get_running_loop().add_reader(self._channel, self._readable)

    def detach(self) -> None:
        """Stop listening."""
        asyncio.get_running_loop().remove_reader(self._channel)

    async def start(
        self, namespaces: NamespaceDescriptors, root: RootFilesystem, process: Process, stdio: Sequence[int]
    ) -> int:
        """A first process in new process and mount namespaces; its pid. Raises `StartError`."""
        message = {"op": "start", "process": {**vars(process), "root": to_message(root)}}
        return await self._run(message, [namespaces.net, namespaces.uts, namespaces.ipc, *stdio])

    async def exec(self, target: int, process: Process, stdio: Sequence[int]) -> int:
        """One more process in all namespaces of ``target``; its pid. Raises `StartError`."""
        return await self._run({"op": "exec", "target": target, "process": vars(process)}, list(stdio))

    def kill(self, pid: int, number: int = signal.SIGKILL, *, group: bool = False) -> None:
        """A signal to the process, or to its process group; nothing where it is gone."""
        if pid in self._exits:
            self._send({"op": "kill", "pid": pid, "signal": int(number), "group": group}, [])

    def exited(self, pid: int) -> asyncio.Future[int]:
        """Done with the exit code when ``pid`` has ended. Ask once, right after it was started."""
        return self._exits[pid]

    def forget(self, pid: int) -> None:
        """The exit of ``pid`` is known; its number may be another process's soon."""
        self._exits.pop(pid, None)

    async def _run(self, message: Mapping[str, Any], descriptors: list[int]) -> int:
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            number = next(self._ids)
            answer = self._waiting[number] = asyncio.get_running_loop().create_future()
            try:
                self._send({**message, "id": number}, [*descriptors, writer])
            except BaseException:
                del self._waiting[number]
                raise
        except OSError as error:
            os.close(reader)
            raise StartError(f"the command could not be handed over: {error}") from error
        finally:
            os.close(writer)
        try:
            pid = await answer
            trouble = await _read_all(reader)
        finally:
            os.close(reader)
        if trouble:
            await self._exits[pid]
            self.forget(pid)
            raise StartError(trouble.decode(errors="replace"))
        return pid

    def _send(self, message: Mapping[str, Any], descriptors: list[int]) -> None:
        data = json.dumps(message).encode()
        if len(data) > _LARGEST:
            raise StartError(f"argument list too long: {len(data)} bytes, at most {_LARGEST}")
        socket.send_fds(self._channel, [data], descriptors)

    def _readable(self) -> None:
        while True:
            try:
                data = self._channel.recv(MAXIMUM_MESSAGE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not data:
                self.detach()
                return
            self._dispatch(json.loads(data))

    def _dispatch(self, message: Mapping[str, Any]) -> None:
        if "exited" in message:
            ended = self._exits.get(message["exited"])
            if ended is not None and not ended.done():
                ended.set_result(message["code"])
            return
        waiting = self._waiting.pop(message["id"])
        if "error" in message:
            if not waiting.done():
                waiting.set_exception(StartError(message["error"]))
            return
        self._exits[message["pid"]] = asyncio.get_running_loop().create_future()
        if waiting.done():  # who asked was cancelled meanwhile
            self.kill(message["pid"])
        else:
            waiting.set_result(message["pid"])


async def _read_all(descriptor: int) -> bytes:
    """Until end of file, without a thread."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    content = b""
    while True:
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:
            ready = loop.create_future()
            loop.add_reader(descriptor, lambda future=ready: future.done() or future.set_result(None))
            try:
                await ready
            finally:
                loop.remove_reader(descriptor)
            continue
        if not part:
            return content
        content += part
