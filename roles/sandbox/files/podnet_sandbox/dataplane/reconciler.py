# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From changed objects to changed networks: a node's is calculated anew where it may differ, and applied where it does.

A node's network is kept while its calico-node runs; when that goes, the routes stay as they are and BIRD ends, as on a
real node. What others change in the kernel is the kernel room's to repair, at Felix's resync.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from ..controllers.calico.node_agent import calico_node_pods
from .bgp_filters import FilterError
from .bgp_passwords import NAMESPACE
from .desired import Bgp, NodeNetwork, ServicePort
from .felix import Datastore, network_of
from .kube_proxy import service_ports

LOG = logging.getLogger(__name__)
GROUP = "crd.projectcalico.org"
INSTALLATIONS = "installations.operator.tigera.io"
#: Seconds until a node whose network could not be set is tried again.
RETRY_DELAY = 1.0


class Dataplane(Protocol):
    """The part of the kernel room that routing needs."""

    @property
    def ipip(self) -> bool: ...

    async def sync_node(self, desired: NodeNetwork) -> None: ...

    def set_felix_ready(self, node: str, ready: bool) -> None: ...

    async def sync_bird(self, node: str, bgp: Bgp | None) -> None: ...


class Reconciler:
    """Keeps every machine's network as the objects say. ``machines`` are the nodes that have one."""

    watches = frozenset({
        "nodes", "pods", "services", "endpointslices.discovery.k8s.io", INSTALLATIONS,
        f"ippools.{GROUP}", f"ipamblocks.{GROUP}", f"blockaffinities.{GROUP}",
        f"bgpconfigurations.{GROUP}", f"bgppeers.{GROUP}", f"bgpfilters.{GROUP}", "secrets",
        f"felixconfigurations.{GROUP}", f"clusterinformations.{GROUP}",
    })  # fmt: skip

    def __init__(self, store: Any, kernel: Dataplane, machines: tuple[str, ...], calico_version: str) -> None:
        self._store = store
        self._kernel = kernel
        self._calico_version = calico_version
        self._outlook: _Outlook | None = None
        turn = asyncio.Lock()
        self._workers = {name: _NodeWorker(name, kernel, turn) for name in machines}

    def reconcile(self) -> None:
        """Look at the objects; nodes for which that may make a difference are seen to in the background."""
        pods = self._store.scan("pods")
        services = service_ports(self._store.scan("services"), self._store.scan("endpointslices.discovery.k8s.io"))
        outlook = _Outlook(self._datastore(pods, services), calico_node_pods(pods))
        before, self._outlook = self._outlook, outlook
        for name, worker in self._workers.items():
            if before is None or outlook.differs(before, name):
                worker.look(outlook)

    async def stop(self) -> None:
        await asyncio.gather(*(worker.stop() for worker in self._workers.values()))

    async def switch_off(self, node: str) -> None:
        """Leave the node alone: its machine is off."""
        await self._workers[node].switch_off()

    def switch_on(self, node: str) -> None:
        """The node's machine is there again, and its kernel has nothing yet."""
        self._workers[node].switch_on()

    def synced(self, node: str) -> bool:
        """Whether the node's kernel has what was last wanted of it."""
        return self._workers[node].synced

    def configured_mtu(self) -> int:
        """Installation's calicoNetwork.mtu; 0: found out."""
        found = self._store.find(INSTALLATIONS, "default") or {}
        return int(((found.get("spec") or {}).get("calicoNetwork") or {}).get("mtu") or 0)

    def _datastore(self, pods: Any, services: Any) -> Datastore:
        information = self._store.find(f"clusterinformations.{GROUP}", "default") or {}
        version = (information.get("spec") or {}).get("calicoVersion")
        return Datastore(
            nodes=self._store.scan("nodes"),
            pools=self._store.scan(f"ippools.{GROUP}"),
            blocks=self._store.scan(f"ipamblocks.{GROUP}"),
            affinities=self._store.scan(f"blockaffinities.{GROUP}"),
            pods=pods,
            services=services,
            bgp_configurations=self._store.scan(f"bgpconfigurations.{GROUP}"),
            bgp_peers=self._store.scan(f"bgppeers.{GROUP}"),
            bgp_filters=self._store.scan(f"bgpfilters.{GROUP}"),
            secrets=[secret for secret in self._store.scan("secrets") if secret["metadata"]["namespace"] == NAMESPACE],
            felix_configurations=self._store.scan(f"felixconfigurations.{GROUP}"),
            calico_version=version or self._calico_version,
            configured_mtu=self.configured_mtu(),
            ipip=self._kernel.ipip,
        )


@dataclasses.dataclass(frozen=True)
class _Outlook:
    """What all nodes' networks follow from at one moment: the objects, and calico-node's pod by node."""

    data: Datastore
    running: Mapping[str, Mapping[str, Any]]

    def differs(self, before: _Outlook, node: str) -> bool:
        """Whether ``node`` may have to change. One without calico-node always may: it waits for nothing but its pods."""
        if node not in self.running or self.running[node] != before.running.get(node):
            return True
        own, earlier = (data.pods_by_node.get(node) for data in (self.data, before.data))
        return own != earlier or self.data.common != before.data.common

    def network(self, node: str, kept: NodeNetwork) -> NodeNetwork:
        """The node's network; ``kept`` is what it has had until now."""
        if node not in self.running:
            return _without_felix(kept, self.data.pods, tuple(self.data.services))
        if _backend(self.running[node]) != "bird":
            return network_of(node, self.data, bgp=False)
        try:
            return network_of(node, self.data)
        except FilterError as error:
            LOG.warning("BIRD of node %s goes on with the configuration it has: %s", node, error)
            return dataclasses.replace(network_of(node, self.data, bgp=False), bgp=kept.bgp)


class _NodeWorker:
    """Applies one node's network, one thing at a time; only the newest outlook counts.

    ``turn``: the kernel room works for one node at a time, so a node calculates its network when it is its turn, and what
    grew old while others had theirs is never carried out.
    """

    def __init__(self, name: str, kernel: Dataplane, turn: asyncio.Lock) -> None:
        self._name, self._kernel, self._turn = name, kernel, turn
        self._outlook: _Outlook | None = None
        self._seen_to: _Outlook | None = None
        self._kept = NodeNetwork(name)
        self._applied: tuple[NodeNetwork, bool] | None = None
        self._task: asyncio.Task[None] | None = None
        self._on = True

    @property
    def synced(self) -> bool:
        return self._seen_to is self._outlook

    def look(self, outlook: _Outlook) -> None:
        self._outlook = outlook
        if self._on and (self._task is None or self._task.done()):
            self._task = asyncio.ensure_future(self._run())

    async def switch_off(self) -> None:
        self._on = False
        await self.stop()
        self._kept, self._applied, self._seen_to = NodeNetwork(self._name), None, None

    def switch_on(self) -> None:
        self._on = True
        if self._outlook is not None:
            self.look(self._outlook)

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self.synced:
            try:
                await self._step()
            except Exception:  # a node's trouble is its own, and may pass
                LOG.exception("network of node %s", self._name)
                await asyncio.sleep(RETRY_DELAY)

    async def _step(self) -> None:
        async with self._turn:
            outlook = self._outlook
            assert outlook is not None  # or nobody would have asked
            wanted, felix = outlook.network(self._name, self._kept), self._name in outlook.running
            if (wanted, felix) != self._applied:
                await self._kernel.sync_node(wanted)
        self._kernel.set_felix_ready(self._name, felix)
        if wanted.bgp != self._kept.bgp:
            await self._kernel.sync_bird(self._name, wanted.bgp)
        self._kept, self._applied, self._seen_to = wanted, (wanted, felix), outlook


def _without_felix(kept: NodeNetwork, pods: Iterable[Mapping[str, Any]], services: tuple[ServicePort, ...]) -> NodeNetwork:
    """What stays on a node without calico-node: all but BIRD, and what went with the devices of pods that are gone."""
    present = {(pod["metadata"]["namespace"], pod["metadata"]["name"]) for pod in pods}
    gone = {pod.host_device for pod in kept.pods if (pod.namespace, pod.name) not in present}
    return dataclasses.replace(
        kept,
        services=services,
        bgp=None,
        pods=tuple(pod for pod in kept.pods if pod.host_device not in gone),
        routes=tuple(route for route in kept.routes if route.device not in gone),
    )


def _backend(pod: Mapping[str, Any]) -> str:
    """CALICO_NETWORKING_BACKEND of a calico-node pod: bird, or vxlan with BGP disabled."""
    environment = pod["spec"]["containers"][0].get("env") or ()
    return next((str(e.get("value")) for e in environment if e["name"] == "CALICO_NETWORKING_BACKEND"), "bird")
