# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot with everything that several checks look up in it (private). Each index is made once, on first use."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Tuple

from .._expected import OWN, Expectation, address_of, encapsulations
from .._fib import Network, RouteTable
from .._model import Affinity, Allocation, Block, Link, Node, Pod, Route, Snapshot, Subject, Unobserved
from .._prefix import Prefix, prefix
from .doubt import Doubt
from .towards import Compared, Towards, compare
from .tunnels import Tunnels


#: What settings decide, as aspects of the checks, by the list that they are in.
_SETTINGS = {
    "installations": ("ipam", "routes", "pods", "forwarding", "nat", "sysctls"),
    "felixconfigurations": ("routes", "pods", "forwarding", "nat", "sysctls", "rules"),
    "bgpconfigurations": ("routes", "forwarding"),
}


class Case:
    """What is judged: the snapshot, the person's intent, and what follows from the snapshot."""

    def __init__(self, snapshot: Snapshot, intent: Optional[Mapping[str, Any]] = None) -> None:
        self.snapshot = snapshot
        self.intent = dict(intent or {})
        self.settings = snapshot.header.settings
        self.expectation = Expectation(snapshot)
        self._views: Dict[int, Towards] = {}
        self._compared: Dict[str, Dict[str, Compared]] = {}
        self._unsettled: Dict[str, Dict[str, List[Route]]] = {}
        self._in_pool: Dict[str, bool] = {}

    @cached_property
    def network(self) -> Network:
        """The observed data plane."""
        return Network(self.snapshot, self.expectation)

    @cached_property
    def doubt(self) -> Doubt:
        """What changed while it was read."""
        return Doubt(self.snapshot.header.changed, self.settings.interface_prefix)

    @property
    def nodes(self) -> Dict[str, Node]:
        """Nodes by name."""
        return self.expectation.nodes

    @cached_property
    def pods(self) -> List[Pod]:
        """Pods that Calico must have wired, in order."""
        return [pod for name in sorted(self.expectation.live_pods) for pod in self.expectation.live_pods[name]]

    @cached_property
    def pods_by_address(self) -> Dict[str, List[Pod]]:
        """Live pods by address; more than one is a fault."""
        found: Dict[str, List[Pod]] = {}
        for pod in self.pods:
            found.setdefault(address_of(pod), []).append(pod)
        return found

    @cached_property
    def pods_by_name(self) -> Dict[Tuple[str, str], Pod]:
        """Every pod the API knows."""
        return {(pod.namespace, pod.name): pod for pod in self.snapshot.pods}

    @cached_property
    def workload_pods(self) -> Dict[Tuple[str, str, str], List[Pod]]:
        """Pods by the (kind, namespace, name) of their workload; a Deployment's belong to ReplicaSets named after it."""
        found: Dict[Tuple[str, str, str], List[Pod]] = {}
        for pod in self.snapshot.pods:
            kind, _slash, name = (pod.owner or "Pod/" + pod.name).partition("/")
            if kind == "ReplicaSet":
                kind, name = "Deployment", name.rpartition("-")[0]
            found.setdefault((kind, pod.namespace, name), []).append(pod)
        return found

    def lacking(self, workload: Subject, node: Optional[str] = None) -> List[Pod]:
        """The pods of a workload (on a node) that are there and not ready; none where one is not there at all."""
        whose = (workload.kind, workload.namespace or "", workload.name or "")
        pods = [pod for pod in self.workload_pods.get(whose, ()) if not pod.terminating and node in (None, pod.node)]
        wanted = next((one.desired for one in self.snapshot.workloads if (one.kind, one.namespace, one.name) == whose), 1)
        return [pod for pod in pods if not pod.ready] if len(pods) >= (1 if node else wanted) else []

    @cached_property
    def blocks(self) -> Dict[str, Block]:
        """Blocks that are not deleted, by CIDR."""
        return {block.cidr: block for block in self.snapshot.blocks if not block.deleted}

    @cached_property
    def affinities(self) -> Dict[str, List[Affinity]]:
        """Host affinities that are not deleted, by CIDR."""
        found: Dict[str, List[Affinity]] = {}
        for affinity in self.snapshot.affinities:
            if not affinity.deleted and affinity.type == "host":
                found.setdefault(affinity.cidr, []).append(affinity)
        return found

    @cached_property
    def allocations(self) -> Dict[str, List[Tuple[Block, Allocation]]]:
        """What IPAM says of each address in use."""
        found: Dict[str, List[Tuple[Block, Allocation]]] = {}
        for block in self.blocks.values():
            for allocation in block.allocations:
                found.setdefault(allocation.address, []).append((block, allocation))
        return found

    @cached_property
    def pool_prefixes(self) -> Tuple[Prefix, ...]:
        """The pools' ranges."""
        return tuple(prefix(pool.cidr) for pool in self.snapshot.pools)

    @cached_property
    def encapsulations(self) -> Set[str]:
        """Those that Felix is set up for, ``vxlan`` and ``ipip`` among them: then every node has their device."""
        return encapsulations(self.snapshot.pools)

    @cached_property
    def bgp_runs(self) -> Optional[bool]:
        """Whether BIRD is meant to run: as the Installation says; without one, whether it runs anywhere."""
        if self.settings.bgp_enabled is not None:
            return self.settings.bgp_enabled
        seen = [node.facts.bird.running for node in self.snapshot.nodes if node.facts and node.facts.bird]
        return any(seen) if seen else None

    def in_pool(self, cidr: str) -> bool:
        """Whether a destination lies inside a pool."""
        known = self._in_pool.get(cidr)
        if known is None:
            inner = prefix(cidr)
            known = self._in_pool[cidr] = any(outer.covers(inner) for outer in self.pool_prefixes)
        return known

    def towards(self, node: Node) -> Towards:
        """What is expected towards all nodes by those that see them as this one does."""
        view = self.expectation.view_of(node)
        if id(view) not in self._views:
            self._views[id(view)] = Towards(view, self.settings.interface_prefix)
        return self._views[id(view)]

    def compared(self, node: Node) -> Dict[str, Compared]:
        """The node's expected routes to other nodes and its own blocks, by role, held against those that were observed."""
        known = self._compared.get(node.name)
        if known is None:
            routes = self.routes(node)
            known = {OWN: compare(routes, self.expectation.local_routes_of(node)[OWN])}
            known.update(self.towards(node).compared(node.name, routes))
            self._compared[node.name] = known
        return known

    def routes(self, node: Node) -> RouteTable:
        """The node's table main."""
        return self.network.main(node)

    def unsettled(self, node: Node) -> Dict[str, List[Route]]:
        """By destination, the node's routes besides single ones towards other nodes that are as expected."""
        known = self._unsettled.get(node.name)
        if known is None:
            self.compared(node)
            known = self._unsettled[node.name] = self.towards(node).unsettled(node.name, self.routes(node))
        return known

    def explained(self, node: Node) -> Callable[[str], bool]:
        """Of a destination, whether the node must or may have a route to there."""
        towards = self.towards(node)
        local = {one.dst for routes in self.expectation.local_routes_of(node).values() for one in routes}
        return lambda dst: dst in local or towards.explains(node.name, dst)

    def links(self, node: Node) -> Mapping[str, Link]:
        """The node's devices by name."""
        return self.network.links(node)

    @cached_property
    def tunnels(self) -> Tunnels:
        """The ends of the VXLAN tunnels."""
        return Tunnels(self.expectation)

    @cached_property
    def assumed(self) -> Dict[str, Unobserved]:
        """Aspects whose settings could not be read, so that Calico's defaults were assumed, with the gap."""
        gaps = [gap for gap in self.snapshot.header.unobserved if gap.what in _SETTINGS]
        return {aspect: gap for gap in reversed(gaps) for aspect in _SETTINGS[gap.what]}

    @property
    def _addresses_are_foreign(self) -> bool:
        """Whether Calico's IPAM gave no pod an address, where no Installation says whose task that is: so it is with Canal."""
        told = self.settings.ipam_type or self.settings.cni_type
        unread = {gap.what for gap in self.snapshot.header.unobserved}
        given = self.snapshot.blocks or self.snapshot.affinities or self.snapshot.handles
        return not (told or given or unread & {"installations", "ipamblocks", "blockaffinities", "ipamhandles"}) and bool(self.pods)

    @property
    def _has_pod_devices(self) -> bool:
        prefix = self.settings.interface_prefix
        seen = [node.facts for node in self.snapshot.nodes if node.facts and node.facts.links]
        return not seen or any(link.name.startswith(prefix) for facts in seen for link in facts.links)

    @property
    def _uses_nftables(self) -> bool:
        """Whether Felix makes no rules of iptables; told ``Auto``, it chooses, and its rule is seen nowhere."""
        seen = [node.facts.masquerade for node in self.snapshot.nodes if node.facts and node.facts.masquerade]
        chosen = self.settings.nftables_mode == "Auto" and not any(one.rule_present for one in seen)
        return self.settings.linux_dataplane == "Nftables" or self.settings.nftables_mode == "Enabled" or chosen

    @cached_property
    def not_modelled(self) -> Dict[str, str]:
        """Aspects of the data plane that this cluster's configuration takes out of the engine's reach, with the reason."""
        found: Dict[str, str] = {}
        settings = self.settings

        def out(reason: str, *aspects: str) -> None:
            for aspect in aspects:
                found.setdefault(aspect, "not modelled (%s)" % reason)

        if settings.cni_type not in (None, "Calico"):
            out("CNI plugin %s" % settings.cni_type, "ipam", "routes", "pods", "forwarding", "nat")
        if settings.ipam_type not in (None, "Calico"):
            out("IPAM %s" % settings.ipam_type, "ipam")
        if self._addresses_are_foreign:
            out("IPAM of another: pods have addresses, and there is neither block nor affinity", "ipam")
            if not self._has_pod_devices:
                reason = "CNI plugin of another: on no node a device is called %s…" % settings.interface_prefix
                out(reason, "pods", "routes", "forwarding", "nat")
        if settings.linux_dataplane == "VPP":
            out("VPP dataplane", "routes", "pods", "forwarding", "nat")
        if settings.route_sync_disabled:
            out("routeSyncDisabled: Felix programs no routes", "routes", "forwarding")
        if settings.route_source != "CalicoIPAM":
            out("routeSource %s" % settings.route_source, "blocks")
        if settings.bpf_enabled or settings.linux_dataplane == "BPF":
            out("eBPF dataplane", "forwarding", "nat", "sysctls")
        if self._uses_nftables:
            out("nftables: Felix's sets and rules are in its own table, which is not read", "nat")
        if settings.wireguard_enabled:
            out("WireGuard: its own table decides", "forwarding", "rules")
        return found
