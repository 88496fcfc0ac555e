# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's exercises with this cluster's commands, outputs and verdicts (private, pure).

By hand the reader must put his own addresses, device and pod names into every command. Here they are this cluster's.
Outputs of ping and tcpdump are verbatim; those of ``ip`` are its own text form, written from the JSON that was read.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import List, NamedTuple, Optional, Sequence, Tuple

from .._expected import Expectation, address_of
from .._fib import Network
from .._iproute import address_text, link_text, route_text
from .._model import FAILED, INCONCLUSIVE, PASSED, SKIPPED, WARNING, Node, Path, Pod, PodFacts, Probe, Snapshot, Verdict
from .._names import pod_device


class Step(NamedTuple):
    """One command of an exercise: where it runs, the command with this cluster's names, what came back."""

    where: str
    command: str
    output: str


class Exercise(NamedTuple):
    """One exercise. ``checks`` prove it for every pod and node, not only for those shown."""

    number: str
    title: str
    shows: str
    steps: Tuple[Step, ...]
    meaning: str
    checks: Tuple[str, ...]
    correction: Optional[str] = None
    table: Optional[Tuple[List[str], List[List[str]]]] = None
    path: Optional[Path] = None


class Proof(NamedTuple):
    """What the verdict says of an exercise: worst outcome, subjects that passed, results that were counted."""

    outcome: str
    passed: int
    places: int


def proof(verdict: Verdict, checks: Sequence[str]) -> Proof:
    """The verdict on the checks of an exercise; skipped if none of them said anything."""
    own = [result for result in verdict.results if any(fnmatchcase(result.id, one) for one in checks)]
    outcome = next((one for one in (FAILED, INCONCLUSIVE, WARNING, PASSED) if any(r.outcome == one for r in own)), SKIPPED)
    spoken = [result for result in own if result.outcome != SKIPPED]
    return Proof(outcome, sum(result.passed for result in spoken), len({result.node for result in spoken}))


class Cast(NamedTuple):
    """Who plays: the source pod, one on its node, one on another node; None where the cluster has none."""

    source: Pod
    near: Optional[Pod]
    far: Optional[Pod]
    near_probe: Optional[Probe]
    far_probe: Optional[Probe]


def cast(snapshot: Snapshot, expectation: Expectation) -> Optional[Cast]:
    """The pods that were probed, else pods that were looked into; None in a cluster without pods."""
    pods = {"%s/%s" % (p.namespace, p.name): p for own in expectation.live_pods.values() for p in own if not p.terminating}
    near_probe = next((p for p in snapshot.probes if p.source_node == p.destination_node and p.source in pods), None)
    far_probe = next((p for p in snapshot.probes if p.source_node != p.destination_node and p.source in pods), None)
    seen = [pods[name] for name in sorted(pods) if pods[name].facts is not None] or [pods[name] for name in sorted(pods)]
    if not seen:
        return None
    named = far_probe or near_probe
    source = pods[named.source] if named else min(seen, key=lambda pod: (pod.owner is not None, pod.namespace, pod.name))
    others = [pod for pod in seen if pod != source]
    near = pods.get(near_probe.destination) if near_probe else next((p for p in others if p.node == source.node), None)
    far = pods.get(far_probe.destination) if far_probe else next((p for p in others if p.node != source.node), None)
    return Cast(source, near, far, near_probe, far_probe)


class Lesson:
    """Writes the exercises of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.expectation = Expectation(snapshot)
        self.network = Network(snapshot, self.expectation)
        self.nodes = self.expectation.nodes

    def exercises(self) -> List[Exercise]:
        """All exercises that this cluster can show, in their order."""
        cast_ = cast(self.snapshot, self.expectation)
        found = [self._topology(), self._placement()]
        if cast_ is not None:
            found += self._inside(cast_.source)
            if cast_.near is not None:
                found += self._same_node(cast_.source, cast_.near, cast_.near_probe)
            if cast_.far is not None:
                found += self._across(cast_.source, cast_.far, cast_.far_probe)
        return found + [self._blocks()]

    # -- pieces -------------------------------------------------------------------------------------------------

    def _in_pod(self, pod: Pod, command: str, output: str) -> Step:
        name = "%s/%s" % (pod.namespace, pod.name)
        return Step("pod %s" % name, "kubectl exec -n %s %s -- %s" % (pod.namespace, pod.name, command), output)

    def _on_node(self, node: Optional[Node], command: str, output: str) -> Step:
        if node is None or not node.calico_node_pod:
            return Step("node %s" % (node.name if node else "?"), command, output)
        namespace, _slash, pod = node.calico_node_pod.partition("/")
        full = "kubectl exec -n %s %s -c calico-node -- %s" % (namespace, pod, command)
        return Step("node %s" % node.name, full, output)

    def _host_route(self, pod: Pod) -> Step:
        node = self.nodes.get(pod.node or "")
        address = address_of(pod)
        routes = node.facts.routes if node and node.facts else ()
        found = [route_text(route) for route in routes if route.table == "main" and route.dst == address + "/32"]
        return self._on_node(node, "ip route | grep '^%s '" % address, "\n".join(found) or _nothing(node))

    # -- the exercises ------------------------------------------------------------------------------------------

    def _topology(self) -> Exercise:
        head = ["node", "role", "state", "kubelet", "InternalIP", "Calico's address", "tunnel address", "calico-node"]
        rows = []
        for node in self.snapshot.nodes:
            role = "control plane" if "node-role.kubernetes.io/control-plane" in node.labels else "worker"
            state = "Ready" if node.ready else node.not_ready_reason or "not Ready"
            rows.append([
                node.name, role, state, node.kubelet_version or "", node.internal_ip or "", node.calico_address or "none",
                node.vxlan_tunnel_address or "none", node.calico_node_pod or "none",
            ])  # fmt: skip
        return Exercise(
            "1", "The nodes", "%d nodes, each Ready, each with the address that everything else is derived from" % len(rows),
            (Step("", "kubectl get nodes -o wide", ""),),
            "Calico keeps no node list of its own: it writes its address, with the subnet's mask, into an annotation of the "
            "Kubernetes node. Other nodes route to that address, and the mask decides whether they do so directly or through "
            "the tunnel. The proof is that both views name the same address and that a device of the node has it.",
            ("nodes.ready", "nodes.address", "nodes.calico-node", "intent.nodes"), table=(head, rows),
        )  # fmt: skip

    def _placement(self) -> Exercise:
        rows = []
        for node in sorted(self.expectation.live_pods):
            for pod in self.expectation.live_pods[node]:
                block = self.expectation.blocks.longest(address_of(pod))
                device = pod_device(pod.namespace, pod.name, self.expectation.settings.interface_prefix)
                borrowed = " (borrowed)" if block is not None and block.owner != node else ""
                cidr = (block.cidr if block else "none") + borrowed
                rows.append(["%s/%s" % (pod.namespace, pod.name), node, address_of(pod), cidr, device])
        return Exercise(
            "2", "The pods and their addresses", "every pod's address comes from a block that its node owns",
            (Step("", "kubectl get pods -A -o wide", ""),),
            "Each address is unique, lies in a block of the pod's node, and is allocated to that very pod in Calico's IPAM. The "
            "device's name needs no looking up: it is cali and the first 11 hex digits of SHA-1 of namespace.pod.",
            ("workloads.*", "pods.allocation", "intent.workloads"),
            table=(["pod", "node", "address", "block", "device on the host"], rows),
        )  # fmt: skip

    def _inside(self, pod: Pod) -> List[Exercise]:
        facts = pod.facts
        addresses = _ip_addr(pod) if facts else "(not observed)"
        routes = "\n".join(route_text(route) for route in facts.routes if ":" not in route.dst) if facts else "(not observed)"
        mtu = next((link.mtu for link in facts.links if link.name == "eth0"), None) if facts else None
        return [
            Exercise(
                "3.1, 3.2", "Inside a pod: its address", "eth0 has one address, a /32, and MTU %s" % (mtu or "unknown"),
                (self._in_pod(pod, "ip addr", addresses),),
                "A /32 leaves no neighbours: nothing is on the pod's own network but the pod, so everything it sends goes to its "
                "host.",
                ("pods.interface", "pods.mtu"),
                self._about_mtu(mtu),
            ),
            Exercise(
                "3.3", "Inside a pod: its routes", "two routes, both to an address that nobody has",
                (self._in_pod(pod, "ip route", routes),),
                "169.254.1.1 is configured nowhere. The host's end of the cable answers for it by proxy ARP, always with "
                "ee:ee:ee:ee:ee:ee: the pod's routes are the same everywhere, and every decision is the host's.",
                ("pods.routes", "pods.gateway", "sysctls.pod-device", "host.gateway-route"),
            ),
        ]  # fmt: skip

    def _about_mtu(self, mtu: Optional[int]) -> Optional[str]:
        """What the original lab says of the MTU, corrected where it applies."""
        if mtu is None or all(pool.vxlan_mode != "CrossSubnet" for pool in self.snapshot.pools):
            return None
        return (
            "MTU %d leaves 50 bytes of the uplink's for VXLAN's headers. With CrossSubnet they are reserved although nothing "
            "between nodes of one subnet is encapsulated." % mtu
        )

    def _same_node(self, source: Pod, near: Pod, probe: Optional[Probe]) -> List[Exercise]:
        path = self.network.walk(source, near)
        return [
            Exercise(
                "3.4", "Ping a pod on the same node", "TTL 63: one hop, the host",
                (self._ping(source, near, probe),),
                "The answer left with 64 and was forwarded once, by the node both pods run on. The two pods share a block and "
                "still do not talk to each other directly.",
                ("connectivity.loss", "connectivity.ttl", "paths.*"), path=path,
            ),
            Exercise(
                "3.5", "On the node: the route to the pod", "one /32 to one device, no gateway",
                (self._host_route(near),),
                "Felix keeps exactly one such route for each of the node's pods. Without it the packet would fall into the block's "
                "blackhole.",
                ("host.*",),
            ),
            Exercise(
                "3.6", "In the destination: what arrives", "the pods' own addresses: no NAT",
                (self._capture(near, probe),),
                "Request and reply are matched by id and sequence; the source is the sender's own address. A capture inside a "
                "pod can never show encapsulation: whether anything was tunnelled is proved by the tunnel device's counters, read "
                "before and after.",
                ("connectivity.source", "connectivity.matched", "connectivity.encapsulation", "nat.*"),
            ),
        ]  # fmt: skip

    def _across(self, source: Pod, far: Pod, probe: Optional[Probe]) -> List[Exercise]:
        path = self.network.walk(source, far)
        first = next((hop for hop in path.hops if hop.kind == "node"), None)
        route = route_text(first.route) if first is not None and first.route is not None else "(not observed)"
        node = self.nodes.get(source.node or "")
        pool = self.expectation.pool_of(address_of(far))
        other = self.nodes.get(far.node or "")
        way = self.expectation.way(pool, node, other) if pool and node and other else "unknown"
        return [
            Exercise(
                "4.1", "Ping a pod on another node", "TTL 62: two hops, the two hosts",
                (self._ping(source, far, probe),),
                "One hop more than on the same node. TTL cannot tell a tunnel from a direct route (a tunnel's inner packet loses "
                "none on the way), but 61 would betray a detour through a third node.",
                ("connectivity.loss", "connectivity.ttl", "paths.*"), path=path,
            ),
            Exercise(
                "4.2", "On the source's node: the route that decides", "one route for a whole block, via the node that owns it",
                (self._on_node(node, "ip route get fibmatch %s" % address_of(far), route),),
                "Nodes know blocks of each other, not pods. Here the pool's packets go this way: %s." % way,
                ("blocks.*", "vxlan.*", "bgp.*", "sysctls.forwarding"),
                "proto 80 is Felix: in a VXLAN pool, CrossSubnet too, Felix programs the routes, not BGP; proto bird is BIRD. "
                "«cache» in the answer of ip route get is no cached route. There is one way to each block, so no ECMP.",
            ),
            Exercise(
                "4.3", "On the destination's node: the route to the pod", "the same /32 to a device as on the first node",
                (self._host_route(far),),
                "From here on everything is as on one node: the destination's host delivers to the pod's own device.",
                ("host.*",),
            ),
            Exercise(
                "4.4", "In the destination: what arrives", "the source is still the first pod's own address",
                (self._capture(far, probe),),
                "Across nodes, too, nothing was rewritten. Calico masquerades only what leaves all of its pools.",
                ("connectivity.source", "connectivity.matched", "connectivity.encapsulation", "nat.*"),
            ),
        ]  # fmt: skip

    def _ping(self, source: Pod, target: Pod, probe: Optional[Probe]) -> Step:
        output = probe.ping_output if probe and probe.ping_output else "(no packet was sent: run connectivity_assert)"
        count = probe.sent if probe else 4
        return self._in_pod(source, "ping -c %d %s" % (count, address_of(target)), output)

    def _capture(self, target: Pod, probe: Optional[Probe]) -> Step:
        output = probe.capture_output if probe and probe.capture_output else "(nothing was captured: run connectivity_assert)"
        return self._in_pod(target, "tcpdump -n -v -i eth0 icmp", output)

    def _blocks(self) -> Exercise:
        states = {(one.cidr, one.node): one.state for one in self.snapshot.affinities if not one.deleted}
        rows = []
        for block in sorted((one for one in self.snapshot.blocks if not one.deleted), key=lambda one: (one.owner or "", one.cidr)):
            size = 1 << (32 - int(block.cidr.partition("/")[2])) if ":" not in block.cidr else 0
            pool = self.expectation.pool_of(block.cidr)
            used = len(block.allocations)
            rows.append([
                block.owner or "nobody", block.cidr, states.get((block.cidr, block.owner or ""), "none"), pool.name if pool else "none",
                "%d of %d" % (used, size),
            ])  # fmt: skip
        return Exercise(
            "IPAM", "Who owns which block", "each node owns its block; its affinity is confirmed",
            (Step("", "kubectl get blockaffinities.crd.projectcalico.org -o wide", ""),
             Step("", "calicoctl ipam show --show-blocks", "")),
            "Felix routes VXLAN pools by the block, BIRD the others by the affinity. The proof is that blocks, affinities, "
            "allocations and handles tell one story.",
            ("ipam.*", "intent.pools"), table=(["node", "block", "affinity", "pool", "in use"], rows),
        )  # fmt: skip


def _ip_addr(pod: Pod) -> str:
    lines: List[str] = []
    facts = pod.facts or PodFacts()
    for link in facts.links:
        lines += link_text(link._replace(kind=None, rx_packets=None, tx_packets=None)).splitlines()
        lines += [address_text(entry).splitlines()[1] for entry in facts.addresses if entry.dev == link.name]
    return "\n".join(lines)


def _nothing(node: Optional[Node]) -> str:
    return "(nothing)" if node is not None and node.facts is not None else "(not observed)"
