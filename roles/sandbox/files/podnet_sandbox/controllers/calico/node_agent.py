# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-node does to the API when it runs on a node: its address, its tunnel address, CNI, `CalicoIsUp`.

It writes the address when it starts, and where there is none: one that somebody has changed meanwhile stays.

Source: calico-facts 3.5, 4.3 and 5.4, FINDINGS A3, A10; node-object-deleted-and-registered-again (a node that has lost
its annotation gets another tunnel address, not the old one); node/pkg/lifecycle/startup, whose monitor compares what
it detects with what it detected before, and not with the annotation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...config import SandboxConfig, release_of
from ...dataplane.block_routes import IPIP, UPLINK, VXLAN
from ...dataplane.felix import ADDRESS_ANNOTATION, IPIP_ANNOTATION, TUNNEL_ANNOTATION
from ...dataplane.felix_settings import settings_of
from ...ipam.allocator import POOLS, Ipam
from ...ipam.pools import TUNNEL, IpamError, encapsulates_vxlan, pool_of, tunnels_ipip
from ...ipam.selector import selects
from ..events import EventRecorder
from ..objects import condition, is_terminating, set_condition

#: The node's devices and addresses: from v3.32 on.
INTERFACES_ANNOTATION = "projectcalico.org/Interfaces"
#: Seconds after which a tunnel address that could not be had is tried again.
RETRY_DELAY = 1.0
_UP = ("False", "CalicoIsUp", "Calico is running on this node")
_DOWN = ("True", "CalicoIsDown", "Calico is shutting down on this node")


def calico_node_pods(pods: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The running calico-node pod of each node, by node name."""
    return {
        pod["spec"]["nodeName"]: pod
        for pod in pods
        if (pod["metadata"].get("labels") or {}).get("k8s-app") == "calico-node"
        and (pod.get("status") or {}).get("phase") == "Running"
        and not is_terminating(pod)
    }


class NodeAgents:
    """calico-node's start-up and allocate-tunnel-addrs, on every node where its pod runs. ``ipip``: whether the kernel has tunl0."""

    watches = frozenset({"pods", "nodes", POOLS})

    def __init__(self, store: Any, config: SandboxConfig, ipam: Ipam, ipip: Callable[[], bool]) -> None:
        self._store = store
        self._config = config
        self._ipam = ipam
        self._ipip = ipip
        self._events = EventRecorder(store, "calico-node")
        self._interfaces = release_of(config.calico_version) >= (3, 32)
        self._with_cni: set[str] = set()
        self._warned: set[tuple[str, str, str]] = set()
        self._started: dict[str, str] = {}  # uid of the calico-node pod that has started there, by node

    def cni_ready(self, node: str) -> bool:
        """Whether calico-node has ever installed CNI there; it stays when calico-node goes."""
        return node in self._with_cni

    def reconcile(self) -> float | None:
        running = calico_node_pods(self._store.scan("pods"))
        again = None
        for node in self._store.scan("nodes"):
            name = node["metadata"]["name"]
            if name in running:
                again = self._start(node, running[name]["metadata"]["uid"]) or again
            elif condition(node, "NetworkUnavailable").get("reason") == _UP[1]:
                self._report(node, *_DOWN)
        return again

    def _start(self, node: Mapping[str, Any], uid: str) -> float | None:
        name = node["metadata"]["name"]
        annotations = node["metadata"].get("annotations") or {}
        wanted: dict[str, str | None] = {}
        if self._started.get(name) != uid or not annotations.get(ADDRESS_ANNOTATION):
            wanted[ADDRESS_ANNOTATION] = self._config.interface_of(name)
            if self._interfaces:
                devices = [{"name": UPLINK, "addresses": [self._config.address_of(name)]}]
                wanted[INTERFACES_ANNOTATION] = json.dumps(devices, separators=(",", ":"))
        again = None
        for tunnel in (_VXLAN, _IPIP) if self._ipip() else (_VXLAN,):
            try:
                wanted[tunnel.annotation] = self._tunnel_address(node, tunnel, annotations.get(tunnel.annotation))
            except IpamError as error:
                self._events.warning(node, "TunnelAddress", f"Unable to assign an address for {tunnel.device}: {error}")
                again = RETRY_DELAY
        self._warn_of_ipip(node)
        if any(annotations.get(key) != value for key, value in wanted.items()):
            self._store.patch("nodes", name, {"metadata": {"annotations": wanted}})
        self._with_cni.add(name)
        self._started[name] = uid
        self._report(node, *_UP)
        return again

    def _tunnel_address(self, node: Mapping[str, Any], tunnel: _Tunnel, current: str | None) -> str | None:
        """The node's address for the tunnel: the one it has if IPAM says so too, a new one, or none."""
        name = node["metadata"]["name"]
        handle = f"{tunnel.kind}-tunnel-addr-{name}"
        pools = [pool for pool in self._store.scan(POOLS) if _wants_tunnel(pool, node, tunnel)]
        owned = self._ipam.addresses(handle)
        if current and current in owned and pool_of(pools, current):
            return current
        if owned:
            self._ipam.release(handle)
        if not pools:
            return None
        attributes = {"node": name, "type": f"{tunnel.kind}TunnelAddress"}
        return self._ipam.assign(name, TUNNEL, handle, attributes, [pool["spec"]["cidr"] for pool in pools])

    def _warn_of_ipip(self, node: Mapping[str, Any]) -> None:
        """Once for each pool: what a real node would tunnel has no route here."""
        why = self._no_ipip(node["metadata"]["name"])
        for pool in filter(tunnels_ipip, self._store.scan(POOLS)) if why else ():
            told = (node["metadata"]["name"], pool["metadata"]["name"], tunnels_ipip(pool))
            if told not in self._warned:
                self._warned.add(told)
                text = f"IPPool {told[1]} has ipipMode {told[2]}, but {why}: what would go through tunl0 is not routed"
                self._events.warning(node, "NoIPIP", text)

    def _no_ipip(self, node: str) -> str:
        """Why nothing is routed into tunl0; "" where Felix does."""
        if not self._ipip():
            return "this machine's kernel has no IPIP (module ipip)"
        felix = settings_of(self._store.scan("felixconfigurations.crd.projectcalico.org"), node)
        if felix.program_cluster_routes and release_of(self._config.calico_version) >= (3, 31):
            return ""
        return "only Calico's own BIRD can route into tunl0, or Felix from v3.31 on where its programClusterRoutes is Enabled"

    def _report(self, node: Mapping[str, Any], status: str, reason: str, message: str) -> None:
        if condition(node, "NetworkUnavailable").get("reason") == reason:
            return
        name = node["metadata"]["name"]
        new = {"type": "NetworkUnavailable", "status": status, "reason": reason, "message": message}
        conditions = set_condition((self._store.get("nodes", name).get("status") or {}).get("conditions") or [], new)
        for entry in conditions:
            if entry["type"] == "NetworkUnavailable":
                entry["lastHeartbeatTime"] = entry["lastTransitionTime"]
        self._store.patch("nodes", name, {"status": {"conditions": conditions}}, subresource="status")


@dataclass(frozen=True)
class _Tunnel:
    """One of a node's tunnels, in the words of its address; ``used`` by a pool."""

    kind: str
    device: str
    annotation: str
    used: Callable[[Mapping[str, Any]], object]


_VXLAN = _Tunnel("vxlan", VXLAN, TUNNEL_ANNOTATION, encapsulates_vxlan)
_IPIP = _Tunnel("ipip", IPIP, IPIP_ANNOTATION, tunnels_ipip)


def _wants_tunnel(pool: Mapping[str, Any], node: Mapping[str, Any], tunnel: _Tunnel) -> bool:
    """Any enabled pool of the node that encapsulates so needs the tunnel, also a CrossSubnet one that never uses it."""
    labels = node["metadata"].get("labels") or {}
    return (
        bool(tunnel.used(pool))
        and not pool["spec"].get("disabled")
        and selects(pool["spec"].get("nodeSelector"), labels)
    )
