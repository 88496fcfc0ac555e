# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel room's front door: nodes, pods, Felix's and BIRD's work, exec, attach, port-forward, logs, probes.

All methods are called from the sandbox's event loop. Blocking netlink work runs in one thread of its own
(`namespaces.NamespaceThread`); processes are started by the zygote.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Sequence

from ...zygote_client import ZygoteClient
from ..desired import Bgp, NodeNetwork, PodNetwork
from . import ipip, probes, wiring
from .attach_session import AttachSession
from .containers import Containers, RunningPod
from .exec_session import ExecSession
from .fabric import Fabric
from .forward import connect_inside
from .namespaces import NamespaceThread, NetworkNamespace
from .neighbours import Neighbours
from .node import Died, Node, nobody
from .volumes import Volumes
from .workloads import Answer, ContainerSpec, ContainerState, ExitCallback, NotRunning, PodHandle, PodProcessSpec, Session

_log = logging.getLogger(__name__)

#: Seconds between two looks at the nodes' clocks: no interval of Felix is kept more exactly.
_TICK = 1.0
#: Sessions of `exec` at once; the next one waits.
_MAXIMUM_SESSIONS = 256


class Kernel:
    """Everything of the sandbox that is not an API object.

    ``scratch``: any folder, covered inside containers only. ``compare_routes``: Felix of v3.32 and later puts right
    at the resync what was changed in place, earlier ones do not (FINDINGS A4, D).
    """

    def __init__(
        self,
        zygote: ZygoteClient,
        *,
        scratch: str = "/tmp",
        single_user: bool = False,
        compare_routes: bool = False,
        on_exit: ExitCallback | None = None,
    ) -> None:
        self.on_exit = on_exit
        self.on_node_exit: Died = nobody
        self._zygote = zygote
        self._thread = NamespaceThread()
        self._compare_routes = compare_routes
        self.volumes = Volumes(scratch)
        self._containers = Containers(zygote, self.volumes, single_user=single_user, on_exit=self._exited)
        self._nodes: dict[str, Node] = {}
        self._pods: dict[tuple[str, str], RunningPod] = {}
        self._numbers = 0
        self._neighbours = Neighbours()
        self._pod_sysctls = wiring.PodSysctls()
        self._router: NetworkNamespace | None = None
        self.ipip = False  # known from `start` on
        self._resync: asyncio.Task[None] | None = None
        self._sessions = asyncio.Semaphore(_MAXIMUM_SESSIONS)

    async def start(self) -> None:
        """The router between the nodes, which has none yet; and whether the kernel has IPIP."""
        self._zygote.attach()
        self.volumes.start()
        self._router = await self._thread.run(NetworkNamespace.of_this_thread)
        self.ipip = await self._thread.run(ipip.supported)
        self._fabric = await self._thread.run(Fabric, self._router, self._neighbours)
        self._resync = asyncio.create_task(self._resync_for_ever())

    async def stop(self) -> None:
        """End every process and forget every namespace."""
        if self._resync is not None:
            self._resync.cancel()
        for namespace, name in list(self._pods):
            await self.remove_pod(namespace, name)
        for name in list(self._nodes):
            await self.remove_node(name)
        if self._router is not None:
            await self._thread.run(self._router.close)
        self._thread.close()
        self._zygote.detach()
        self.volumes.stop()

    async def add_node(self, name: str, interface: str, gateway: str) -> None:
        """A node: host name, network namespace with eth0 on its subnet's bridge, default route, sysctls, mount view.

        ``interface``: its address with its own mask (``172.18.0.3/16``).
        """
        namespace = await self._thread.run(NetworkNamespace.create, name)
        self._numbers += 1
        node = Node(name, interface.partition("/")[0], self._numbers, namespace, self._thread, self._zygote)
        self._nodes[name] = node
        await self._thread.run(self._fabric.join, name, node.number, namespace, interface, gateway)
        await node.start(self._containers.start_node, self.on_node_exit)

    async def remove_node(self, name: str) -> None:
        """The node and its BIRD vanish from the network; its pods must have been removed, or been switched off with it."""
        node = self._nodes.pop(name, None)
        if node is not None:
            await self._thread.run(self._fabric.leave, name, node.number)
            await node.stop()

    async def switch_off(self, name: str) -> None:
        """The node as a machine without power: nothing runs there, no device is left. What its pods wrote stays: volumes and logs."""
        for entry in [each for each in self._pods.values() if each.handle.node == name]:
            await self._containers.stop(entry.handle)
            await self._unwire(entry)
        await self.remove_node(name)

    async def add_pod(self, node: str, pod: PodNetwork | None, spec: PodProcessSpec) -> PodHandle:
        """Wire a pod (``pod`` None: host network) and start the containers of ``spec``. Raises `ImageUnknown`, `WorkloadError`."""
        host = self._nodes[node]
        self._containers.check_images(spec)
        before = self._pods.pop((spec.namespace, spec.name), None)
        if before is not None:  # its sandbox is made anew
            await self._containers.stop(before.handle)
            await self._unwire(before)
        own = None
        if pod is not None:
            own = await self._wire(host.namespace, pod, spec.hostname or spec.name)
        entry = RunningPod(PodHandle(spec.namespace, spec.name, node, {}), spec, pod, own)
        self._pods[spec.namespace, spec.name] = entry
        try:
            for container in spec.containers:
                await self._containers.start(entry, container, host)
        except BaseException:
            await self.remove_pod(spec.namespace, spec.name)
            raise
        return entry.handle

    async def _wire(self, node: NetworkNamespace, pod: PodNetwork, hostname: str) -> NetworkNamespace:
        """A wired namespace, or nothing of it: a pod deleted in this very moment leaves no device behind."""
        own = asyncio.ensure_future(self._thread.run(NetworkNamespace.create, hostname))
        wired: asyncio.Future[None] | None = None
        try:
            wired = asyncio.ensure_future(self._thread.run(self._wire_pod, node, await asyncio.shield(own), pod))
            await asyncio.shield(wired)
        except BaseException:  # the thread goes on with what it has begun: undo that when it is done
            await asyncio.wait([each for each in (own, wired) if each is not None])
            await self._thread.run(self._unwire_pod, node, pod)
            if not own.cancelled() and own.exception() is None:
                await self._thread.run(own.result().close)
            raise
        return own.result()

    def _wire_pod(self, node: NetworkNamespace, own: NetworkNamespace, pod: PodNetwork) -> None:
        """In the namespace thread."""
        wiring.wire_pod(node, own, pod, self._pod_sysctls)
        self._neighbours.pod(node, own, pod)

    def _unwire_pod(self, node: NetworkNamespace, pod: PodNetwork) -> None:
        """In the namespace thread."""
        wiring.unwire_pod(node, pod)
        self._neighbours.pod_gone(pod)

    async def remove_pod(self, namespace: str, name: str) -> None:
        """Kill the pod's processes, take its devices away. Twice is fine."""
        entry = self._pods.pop((namespace, name), None)
        if entry is not None:
            await self._containers.stop(entry.handle)
            await self._unwire(entry)
        self._containers.forget(namespace, name)
        self.volumes.remove((namespace, name))  # filled before there was a pod to start

    async def leave_network(self, namespace: str, name: str) -> None:
        """Take the devices of a pod away whose containers have ended for good; what they wrote can still be read."""
        await asyncio.shield(asyncio.ensure_future(self._unwire(self._pod(namespace, name))))

    async def _unwire(self, entry: RunningPod) -> None:
        own, network, entry.own, entry.network = entry.own, entry.network, None, None
        if own is not None and network is not None:
            host = self._nodes.get(entry.handle.node)
            if host is not None:
                await self._thread.run(self._unwire_pod, host.namespace, network)
                host.forget_routes(network.host_device)
            await self._thread.run(own.close)

    async def start_container(self, namespace: str, name: str, container: ContainerSpec) -> ContainerState:
        """Start a container, again if it has ended. Raises `NotRunning` without such a pod, `ImageUnknown`, `WorkloadError`."""
        entry = self._pod(namespace, name)
        await self._containers.start(entry, container, self._nodes[entry.handle.node])
        return entry.handle.containers[container.name]

    async def end_container(self, namespace: str, name: str, container: str, grace: float) -> None:
        """SIGTERM to a container's first process, and SIGKILL after ``grace`` seconds; returns when it is gone."""
        await self._containers.end(self._pod(namespace, name), container, grace)

    async def sync_node(self, desired: NodeNetwork) -> None:
        """Felix's dataplane driver: apply what changed since the last call; what others changed waits for the resync."""
        await self._nodes[desired.name].sync(desired)

    async def sync_bird(self, node: str, bgp: Bgp | None) -> None:
        """Start, reconfigure (graceful) or stop the node's real BIRD. Raises `BirdError`."""
        await self._nodes[node].bird.apply(bgp)

    async def exec(
        self, namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool = False, tty: bool = False
    ) -> Session:
        """Run a command in a container. Raises `NotRunning`, `ExecFailed`."""
        return await self._session(namespace, pod, container, argv, stdin=stdin, tty=tty)

    def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> Session:
        """A running container's output from now on, and its input. Raises `NotRunning`."""
        return AttachSession(self._containers.streams(self._pod(namespace, pod).handle, container), stdin=stdin)

    async def forward(self, namespace: str, pod: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection to `localhost` in the pod's network namespace. Raises `NotRunning`, `ForwardFailed`."""
        entry = self._pod(namespace, pod)
        if not any(state.running for state in entry.handle.containers.values()):
            raise NotRunning(f'pod "{pod}" of namespace "{namespace}" has ended')
        inside = entry.own or self._nodes[entry.handle.node].namespace
        return await connect_inside(await self._thread.run(inside.socket), port)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
        since_seconds: float | None = None,
    ) -> AsyncIterator[bytes]:
        """Lines the container wrote, oldest first. Raises `NotRunning`."""
        log = self._containers.log(self._pod(namespace, pod).handle, container, previous=previous)
        since = time.time() - since_seconds if since_seconds is not None else 0.0
        return log.read(follow=follow, tail_lines=tail_lines, timestamps=timestamps, since=since)

    async def probe_exec(self, namespace: str, pod: str, container: str, argv: Sequence[str], timeout: float) -> Answer:
        """Whether the command ends with 0 in time."""
        session = await self._session(namespace, pod, container, argv, stdin=False, tty=False)
        return await probes.ends_well(session, argv, timeout)

    async def probe_http(
        self, namespace: str, pod: str, host: str, port: int, path: str, timeout: float, *, tls: bool = False
    ) -> Answer:
        """Whether the node gets an answer of 200-399 from the pod, as a kubelet's httpGet probe does."""
        return await probes.http(await self._connect(namespace, pod, host, port), path, timeout, tls=tls)

    async def probe_tcp(self, namespace: str, pod: str, host: str, port: int, timeout: float) -> Answer:
        """Whether the node can connect to the pod's port."""
        return await probes.tcp(await self._connect(namespace, pod, host, port), timeout)

    async def listen(self, node: str, address: str, port: int) -> socket.socket:
        """A listening TCP socket in the node's network namespace (the API server on the control plane's address)."""
        return await self._thread.run(self._nodes[node].listen, address, port)

    def set_felix_ready(self, node: str, ready: bool) -> None:
        """Whether Felix runs on the node, which is what `calico-node -felix-ready` there answers."""
        self._nodes[node].set_felix_ready(ready)

    async def _connect(self, namespace: str, pod: str, host: str, port: int) -> probes.Connection:
        """A socket of the pod's *node*, not yet connected: probes come from the kubelet."""
        node = self._nodes[self._pod(namespace, pod).handle.node]
        return probes.Connection(await self._thread.run(node.namespace.socket), host, port)

    async def _session(
        self, namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession:
        entry = self._pod(namespace, pod)
        target, process = self._containers.beside(entry, container, tuple(argv), tty=tty)
        session = ExecSession(self._zygote, tty=tty)
        await self._sessions.acquire()
        try:
            await session.start(target, process, stdin=stdin)
        except BaseException:
            self._sessions.release()
            raise
        session.when_ended(self._sessions.release)
        return session

    def _pod(self, namespace: str, name: str) -> RunningPod:
        try:
            return self._pods[namespace, name]
        except KeyError:
            raise NotRunning(f'pod "{name}" of namespace "{namespace}" does not run') from None

    def _exited(self, handle: PodHandle, state: ContainerState) -> None:
        if self.on_exit is not None and (handle.namespace, handle.name) in self._pods:
            self.on_exit(handle, state)

    async def _resync_for_ever(self) -> None:
        """Felix's timers, for all nodes."""
        while True:
            await asyncio.sleep(_TICK)
            for name in list(self._nodes):
                node = self._nodes.get(name)  # it may be switched off while another has its turn
                try:
                    if node is not None:
                        await node.tick(time.monotonic(), compare=self._compare_routes)
                except Exception:  # one node's trouble must not end the others' timers
                    _log.exception("resync of node %s", name)
