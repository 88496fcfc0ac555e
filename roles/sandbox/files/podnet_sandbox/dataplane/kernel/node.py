# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node: its namespaces, its first process, what Felix keeps there, its BIRD."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import Awaitable, Callable

from ...confinement import inside
from ...images.table import PATH
from ...zygote_client import POD_CAPABILITIES, NamespaceDescriptors, Process, ZygoteClient
from ..bird.daemon import BirdDaemon
from ..desired import FelixSettings, NodeNetwork
from . import ipip, vxlan
from .felix_clock import FelixClock, Looks
from .link_events import LinkEvents
from .masquerade import Masquerade
from .namespaces import NamespaceThread, NetworkNamespace
from .routes import RouteTable
from .service_nat import ServiceNat

_log = logging.getLogger(__name__)

NODE_CAPABILITIES = (*POD_CAPABILITIES, "NET_ADMIN", "NET_BROADCAST")
_FELIX_READY = "/run/calico/felix-ready"
_FOLDERS = ("/run/calico", "/var/lib/calico", "/var/log/calico")
_UPLINK_MTU = 1500

StartNode = Callable[[NamespaceDescriptors], Awaitable[int]]
#: Called with the node's name when its first process has ended that nobody here has ended.
Died = Callable[[str], None]


class Node:
    """A node of the cluster. ``number`` tells its cable on the bridge apart."""

    def __init__(
        self,
        name: str,
        address: str,
        number: int,
        namespace: NetworkNamespace,
        thread: NamespaceThread,
        zygote: ZygoteClient,
    ) -> None:
        self.name = name
        self.address = address
        self.number = number
        self.namespace = namespace
        self.pid = 0  # 0: its first process has ended
        self._died: Died = nobody
        self._thread = thread
        self._zygote = zygote
        self._routes = RouteTable(namespace)
        self._vxlan = vxlan.Vxlan(namespace)
        self._ipip = ipip.Ipip(namespace)
        self._masquerade = Masquerade(namespace)
        self._services = ServiceNat(namespace)
        self._felix = FelixClock()
        self._settings = FelixSettings()
        self._restoring: set[asyncio.Future[None]] = set()
        self._written: dict[str, bytes] = {}
        self._events: LinkEvents | None = None
        self.bird = BirdDaemon(lambda: self.root, self._spawn, zygote.kill)

    async def start(self, start_node: StartNode, died: Died) -> None:
        """Start the first process and have the node's folders. Raises `StartError`, or OSError where it ended meanwhile."""
        self.pid = await start_node(self.namespace.descriptors)
        self._exited = self._zygote.exited(self.pid)
        self._exited.add_done_callback(self._ended)
        for path in _FOLDERS:
            with inside.folder(self.root, path):
                pass  # made by being asked for
        self._events = LinkEvents(*await self._thread.run(LinkEvents.listen, self.namespace), self._came_up)
        self._died = died

    async def stop(self) -> None:
        """Kill everything of the node; its namespaces go when the last process is gone."""
        self._died = nobody
        if self._events is not None:
            self._events.close()
        await asyncio.gather(*self._restoring, return_exceptions=True)
        await self.bird.end()
        if self.pid:
            self._zygote.kill(self.pid, signal.SIGKILL)
            await asyncio.shield(self._exited)
        await self._thread.run(self.namespace.close)

    @property
    def root(self) -> str:
        """The node's file system, seen from the server; nowhere when its first process has ended."""
        return f"/proc/{self.pid}/root"

    async def sync(self, desired: NodeNetwork) -> None:
        """Apply what changed since the last call."""
        self._settings = desired.felix
        self._warn(await self._thread.run(self._sync, desired))
        tunnel = desired.vxlan or desired.ipip
        self._write("/var/lib/calico/mtu", f"{tunnel.mtu if tunnel else _UPLINK_MTU}".encode())
        self._write("/var/lib/calico/nodename", self.name.encode())

    async def tick(self, now: float, *, compare: bool) -> None:
        """What Felix does by its clock, if it runs here. ``compare``: see `RouteTable.resync`."""
        looks = self._felix.due(self._settings, now)
        if looks:
            await self.resync(looks, compare=compare)

    async def resync(self, looks: Looks, *, compare: bool) -> None:
        """Put right what others changed, of what ``looks`` names."""
        self._warn(await self._thread.run(self._resync, looks, compare))

    def forget_routes(self, device: str) -> None:
        """The device is gone and its routes with it."""
        self._routes.forget(device)

    def set_felix_ready(self, ready: bool) -> None:
        """Whether Felix runs, which is what `calico-node -felix-ready` on this node answers."""
        self._felix.run(ready, time.monotonic())
        if ready:
            self._write(_FELIX_READY, b"")
        elif self._written.pop(_FELIX_READY, None) is not None and self.pid:
            inside.remove(self.root, _FELIX_READY)

    def listen(self, address: str, port: int) -> socket.socket:
        """A listening TCP socket of the node. In the namespace thread."""
        with self.namespace.entered():
            return socket.create_server((address, port))

    def _sync(self, desired: NodeNetwork) -> list[str]:
        self._masquerade.apply(desired, self.address)
        if self._vxlan.apply(desired.vxlan):
            self._routes.forget(vxlan.DEVICE)
        if self._ipip.apply(desired.ipip):
            self._routes.forget(ipip.DEVICE)
        problems = self._routes.apply(desired.routes)
        self._services.apply(desired.services)
        return problems

    def _resync(self, looks: Looks, compare: bool) -> list[str]:
        problems: list[str] = []
        if looks.device and self._vxlan.restore():
            problems += self._routes.restore(vxlan.DEVICE)
        if looks.device and self._ipip.restore():
            problems += self._routes.restore(ipip.DEVICE)
        if looks.ipsets:
            self._masquerade.resync()
        if looks.routes:
            self._vxlan.resync()
            problems += self._routes.resync(compare=compare, remove_external=self._settings.remove_external_routes)
        return problems

    def _came_up(self, index: int) -> None:
        """A device is up again: with Felix there, so is what it lost by going down."""
        if self._felix.running:
            task = asyncio.ensure_future(self._restore(index))
            self._restoring.add(task)
            task.add_done_callback(self._restoring.discard)

    async def _restore(self, index: int) -> None:
        self._warn(await self._thread.run(self._restore_lost, index))

    def _restore_lost(self, index: int) -> list[str]:
        """Routes, and the tunnel's permanent neighbours."""
        with self.namespace.entered():
            try:
                device = socket.if_indextoname(index)
            except OSError:  # gone meanwhile
                return []
        if device == vxlan.DEVICE:
            self._vxlan.resync()
        return self._routes.restore(device)

    def _warn(self, problems: list[str]) -> None:
        for problem in problems:
            _log.warning("node %s: %s", self.name, problem)

    async def _spawn(self, argv: tuple[str, ...], output: int) -> tuple[int, asyncio.Future[int]]:
        """BIRD, beside the node's first process."""
        process = Process(argv, env={"PATH": PATH}, capabilities=NODE_CAPABILITIES)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            pid = await self._zygote.exec(self.pid, process, (null, output, output))
        finally:
            os.close(null)
        exited = self._zygote.exited(pid)
        exited.add_done_callback(lambda _: self._zygote.forget(pid))
        return pid, exited

    def _ended(self, _code: asyncio.Future[int]) -> None:
        """The kernel has ended all that was in its process namespace with it: calico-node, BIRD."""
        self._zygote.forget(self.pid)
        self.pid = 0
        self._died(self.name)

    def _write(self, path: str, content: bytes) -> None:
        if self.pid and self._written.get(path) != content:
            inside.write(self.root, path, content)
            self._written[path] = content


def nobody(_name: str) -> None:
    """Is told: while a node starts or stops, whoever does that sees for himself."""
