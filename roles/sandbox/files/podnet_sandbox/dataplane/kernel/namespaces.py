# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network namespaces, made and entered in one thread of their own.

A namespace is a thread's, so this one moves about freely while the event loop's thread stays at home. It also is
the thread where pyroute2 may block: its synchronous IPRoute cannot run inside a running event loop, and a socket
opened while the thread is in a namespace goes on speaking to that namespace (no helper process, unlike
``IPRoute(netns=…)``). `netlink` says which messages are not left to it.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TypeVar

from ...confinement import syscalls
from ...zygote_client import NamespaceDescriptors
from .netlink import Netlink

Result = TypeVar("Result")
_KINDS = {"net": syscalls.CLONE_NEWNET, "uts": syscalls.CLONE_NEWUTS, "ipc": syscalls.CLONE_NEWIPC}


class ToolError(Exception):
    """A programme of the dataplane refused what it was given."""


class NamespaceThread:
    """Runs functions one after the other in a thread that may enter namespaces."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="namespaces")

    async def run(self, function: Callable[..., Result], *arguments: object) -> Result:
        """Call ``function`` there and wait for it without holding up the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def close(self) -> None:
        """Wait for what runs and end the thread."""
        self._executor.shutdown(wait=True, cancel_futures=True)


class NetworkNamespace:
    """One node's, one pod's, or the fabric's namespaces. Use in the `NamespaceThread` only."""

    def __init__(self, descriptors: NamespaceDescriptors) -> None:
        self.descriptors = descriptors
        self._netlink: Netlink | None = None
        self._indexes: dict[str, int] = {}

    @classmethod
    def create(cls, hostname: str) -> NetworkNamespace:
        """New network, UTS and IPC namespaces; ``lo`` up."""
        with _remembered():
            syscalls.unshare(sum(_KINDS.values()))
            socket.sethostname(hostname)
            namespace = cls._current()
        namespace.link_up("lo")
        return namespace

    @classmethod
    def of_this_thread(cls) -> NetworkNamespace:
        """The namespaces the sandbox's own processes are in: the fabric between the nodes."""
        namespace = cls._current()
        namespace.link_up("lo")
        return namespace

    @classmethod
    def _current(cls) -> NetworkNamespace:
        opened = {
            kind: os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _KINDS
        }
        return cls(NamespaceDescriptors(**opened))

    @property
    def netlink(self) -> Netlink:
        """The namespace's rtnetlink socket, opened when first asked for."""
        if self._netlink is None:
            with self.entered():
                self._netlink = Netlink(self.entered)
        return self._netlink

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread is in the network namespace: sockets, /proc/sys/net and programmes are there."""
        with _remembered():
            syscalls.setns(self.descriptors.net, syscalls.CLONE_NEWNET)
            yield

    def socket(self) -> socket.socket:
        """A TCP socket that is in the network namespace, not connected."""
        with self.entered():
            return socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)

    def index(self, device: str) -> int:
        """Interface index; LookupError where there is no such device."""
        if device not in self._indexes:
            self._indexes[device] = self.netlink.device(device).index
        return self._indexes[device]

    def has(self, device: str) -> bool:
        """Whether the device is there now, whatever was known of it before."""
        self._indexes.pop(device, None)
        try:
            return self.index(device) > 0
        except LookupError:
            return False

    def mac(self, device: str) -> str:
        """The device's hardware address."""
        return self.netlink.device(device).mac

    def is_up(self, device: str) -> bool:
        """Whether the device is there now, and set up."""
        return self.has(device) and self.netlink.device(device).up

    def link_up(self, device: str, settings: Mapping[str, int] | None = None) -> None:
        """Set the device up; with ``settings`` for its files in /proc/sys/net/ipv4/conf, by their names."""
        more = {"settings": settings} if settings else {}
        self.netlink.link("set", index=self.index(device), state="up", **more)

    def remove_link(self, device: str) -> None:
        """Delete the device where it is there."""
        if self.has(device):
            self.netlink.link("del", index=self._indexes.pop(device))

    def sysctls(self, keys: Iterable[str]) -> dict[str, int]:
        """Those of the keys below /proc/sys/net that this kernel has."""
        found = {}
        with self.entered():
            for key in keys:
                with suppress(FileNotFoundError), open(f"/proc/sys/net/{key}", encoding="ascii") as file:
                    found[key] = int(file.read())
        return found

    def write_sysctls(self, values: Mapping[str, int]) -> None:
        """Keys below /proc/sys/net with slashes. One that this kernel has not (IPv6 off) is left out."""
        with self.entered():
            for key, value in values.items():
                try:
                    with open(f"/proc/sys/net/{key}", "w", encoding="ascii") as file:
                        file.write(str(value))
                except FileNotFoundError:
                    continue

    def run(self, argv: Sequence[str], text: str = "") -> str:
        """What a programme prints that runs in the network namespace with ``text`` as its input. Raises `ToolError`."""
        with self.entered():
            done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ToolError(f"{' '.join(argv)} ended with {done.returncode}: {done.stderr.strip()}\nits input:\n{text}")
        return done.stdout

    def close(self) -> None:
        """Let the namespaces go."""
        if self._netlink is not None:
            self._netlink.close()
        self.descriptors.close()


@contextmanager
def _remembered() -> Iterator[None]:
    """Whatever namespace the block enters, the thread is back where it was after it."""
    saved = [
        (os.open(f"/proc/thread-self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC), kind) for name, kind in _KINDS.items()
    ]
    try:
        yield
    finally:
        for descriptor, kind in saved:
            syscalls.setns(descriptor, kind)
            os.close(descriptor)
