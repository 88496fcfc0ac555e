# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from what (private, pure): one line per kind of cause, in the order in which causes are believed."""

from __future__ import annotations

from typing import Callable, Hashable, Iterable, NamedTuple, Tuple

from .._model import INCONCLUSIVE, NOT_KNOWN, Finding
from .places import Places

At = Callable[[Places, Finding], Iterable[Hashable]]


class Rule(NamedTuple):
    """Findings of ``effects`` follow from the first of ``causes`` whose places (``at``) hold one that they have ``met``.

    Check ids; a trailing ``*`` is any of a family.
    """

    causes: Tuple[str, ...]
    effects: Tuple[str, ...]
    at: At
    met: At


def _anywhere(places: Places, finding: Finding) -> Iterable[Hashable]:
    return (None,)


def _where(test: Callable[[Places, Finding], bool], at: At) -> At:
    """The places of those findings that pass the test."""
    return lambda places, finding: at(places, finding) if test(places, finding) else ()


def _of_bird(places: Places, finding: Finding) -> bool:
    return "proto bird" in finding.actual


def _not_of_bird(places: Places, finding: Finding) -> bool:
    return not _of_bird(places, finding)


def _of_forwarding(places: Places, finding: Finding) -> bool:
    """The kernel writes net.ipv4.ip_forward through to the ``forwarding`` of every device, and to no ``proxy_arp``."""
    return ".forwarding = " in finding.expected


def _large(places: Places, finding: Finding) -> bool:
    """Whether the probe was one that may not be fragmented."""
    return "-M do" in finding.evidence.command


def _decided(places: Places, finding: Finding) -> bool:
    return finding.outcome != INCONCLUSIVE


def _undecided(places: Places, finding: Finding) -> bool:
    return finding.outcome == INCONCLUSIVE


def _without_a_way(places: Places, finding: Finding) -> bool:
    """Whether a route is missing, or BIRD has no way to its next hop; one that leads elsewhere has another cause."""
    return finding.actual in ("no route", "none") or (finding.actual.startswith("unreachable ") and _of_bird(places, finding))


def _unread(places: Places, finding: Finding) -> bool:
    """Whether nothing could be read on the node: the machine, and not only its kubelet, may be gone."""
    node = places.case.nodes.get(finding.node or "")
    return node is not None and (node.facts is None or node.facts.bird is None)


def _unheard(places: Places, finding: Finding) -> bool:
    """Whether nothing could be read on the node, and nobody has a session with it."""
    return _unread(places, finding) and not places.peering.standing(finding.node)


def _without_doors(places: Places, finding: Finding) -> Iterable[Hashable]:
    """All nodes, where the pods could not be listed: calico-node is one of them, and the door to its node."""
    return [node.name for node in places.case.snapshot.nodes] if finding.expected == "pods is observed" else ()


def _of_the_deadline(places: Places, finding: Finding) -> bool:
    """Whether it speaks of the deadline itself, and not of something that was late."""
    return finding.subject.kind == "Deadline"


def _selecting(places: Places, finding: Finding) -> Iterable[Hashable]:
    """What is said of those of whom it is not known whether an option selects them."""
    option, what, _nothing = finding.expected.partition(" is observed")
    return ["%s %s selects it" % (NOT_KNOWN, option)] if what else ()


def _said(places: Places, finding: Finding) -> Iterable[Hashable]:
    return (finding.actual,)


def _selects_no_pod(places: Places, finding: Finding) -> bool:
    return "pods are left out by" in finding.actual


def _of_no_pods(places: Places, finding: Finding) -> bool:
    return "among the 0 that were selected" in finding.actual


_P = Places
_PACKETS = ("paths.*", "connectivity.*")
_MISSING = ("blocks.remote-route", "blocks.borrowed-route")
RULES: Tuple[Rule, ...] = (
    # What was not seen. The same gap is told once, whichever checks wanted it.
    Rule(("shards.whole", "api.observed"), ("*",), _P.shard, _P.want_of_shard),
    Rule(("api.observed",), ("*",), _where(_of_the_deadline, _P.deadline), _P.deadline),
    Rule(("nodes.ready", "nodes.calico-node"), ("*",), _P.node, _P.gap_nodes),
    Rule(("api.observed",), ("*",), _P.gap, _P.gap),
    Rule(("api.observed",), ("*",), _without_doors, _P.gap_nodes),
    Rule(("api.observed",), ("*",), _selecting, _said),
    Rule(("api.observed",), ("connectivity.*",), _where(_selects_no_pod, _anywhere), _where(_of_no_pods, _anywhere)),
    Rule(("*",), ("*",), _P.grant, _P.grant),
    Rule(("*",), ("*",), _P.reason, _P.reason),
    Rule(("nodes.observed",), ("*",), _P.gap, _P.gap),
    Rule(("*",), ("*",), _P.gap, _P.gap),
    # What everything else is derived from.
    Rule(("intent.pools",), ("blocks.*",), _P.prefix, _P.around),
    Rule(("intent.pools",), ("vxlan.*", "pods.mtu", "connectivity.encapsulation"), _anywhere, _anywhere),
    Rule(("nodes.address",), ("blocks.*", "bgp.sessions", "vxlan.*") + _PACKETS, _P.node, _P.nodes),
    Rule(("nodes.address",), ("pods.mtu",), _P.node, _where(_undecided, _P.node)),
    # What cuts off a whole node. BGP's next node loses its routes because of the session, and the session because of this.
    Rule(("nodes.uplink",), ("blocks.*", "host.gateway-route"), _P.node, _where(_without_a_way, _P.node)),
    Rule(("nodes.uplink",), ("bgp.sessions",) + _PACKETS, _P.node, _P.nodes),
    Rule(("nodes.ready", "nodes.calico-node"), ("bgp.sessions",), _where(_unread, _P.node), _where(_decided, _P.nodes)),
    Rule(("ipam.affinity", "ipam.owner", "ipam.layout"), ("ipam.*", "blocks.*", "pods.allocation") + _PACKETS, _P.prefix, _P.around),
    # Pods.
    Rule(("host.device",), ("host.route", "sysctls.pod-device", "pods.*") + _PACKETS, _P.pods, _P.pods),
    Rule(("pods.allocation",), ("pods.allocation",), _P.prefix, _P.prefix),
    Rule(("pods.allocation",), ("ipam.allocation", "pods.*", "host.*", "blocks.*") + _PACKETS, _P.pods, _P.pods),
    Rule(("sysctls.forwarding",), ("sysctls.pod-device",), _P.node, _where(_of_forwarding, _P.node)),
    Rule(("sysctls.forwarding", "host.gateway-route"), ("pods.gateway",), _P.node, _P.node),
    Rule(("sysctls.pod-device",), ("pods.gateway",), _P.pods, _P.pods),
    # Tunnels.
    Rule(("vxlan.device",), ("vxlan.neighbours", "vxlan.fdb"), _P.node, _P.node),
    Rule(("vxlan.device", "ipip.device"), ("blocks.*",) + _PACKETS, _P.device, _P.devices),
    Rule(("vxlan.neighbours", "vxlan.fdb"), _PACKETS, _P.vtep, _P.vteps),
    # BGP.
    Rule(("bgp.running",), ("bgp.sessions",), _P.node, _P.nodes),
    Rule(("bgp.sessions",), ("bgp.sessions",), _P.sessionless_here, _P.sessionless),
    Rule(("bgp.sessions",), ("bgp.sessions",), _P.session, _P.session),
    Rule(("bgp.sessions",), ("bgp.sessions",), _P.alone, _P.alone),
    Rule(("bgp.running",), _MISSING, _P.node, _P.withdrawn),
    Rule(("bgp.sessions",), _MISSING, _P.session, _P.withdrawn),
    Rule(("nodes.ready", "nodes.calico-node"), _MISSING, _where(_unheard, _P.node), _P.withdrawn),
    Rule(("bgp.running", "bgp.sessions"), ("nodes.calico-node",), _P.node, _P.node),
    # Routes.
    Rule(("blocks.stray-route",), ("blocks.stray-route",), _where(_not_of_bird, _P.prefix), _where(_of_bird, _P.prefix)),
    Rule(_MISSING + ("blocks.own-blackhole", "host.route"), ("blocks.stray-route", "bgp.synced"), _P.route, _P.route),
    Rule(("blocks.stray-route", "blocks.route-owner", "host.stray"), ("bgp.synced",), _P.prefix, _P.prefix),
    # What packets meet on their way. They say themselves where they were lost last of all.
    Rule(("sysctls.forwarding",), _PACKETS, _P.node, _P.nodes),
    Rule(("host.gateway-route",), _PACKETS, _P.node, _P.end_nodes),
    Rule(("sysctls.pod-device", "host.route", "pods.interface", "pods.routes", "pods.gateway"), _PACKETS, _P.pods, _P.pods),
    Rule(("pods.mtu",), ("connectivity.*",), _P.pods, _where(_large, _P.pods)),
    Rule(_MISSING + ("blocks.stray-route", "host.route", "host.stray"), _PACKETS, _P.route, _P.routes_met),
    Rule(("blocks.policy-rule",), _PACKETS, _P.node, _P.nodes),
    Rule(("nat.masquerade",), ("connectivity.source",), _P.node, _P.end_nodes),
    Rule(("connectivity.loss",), ("connectivity.*",), _P.probe, _P.probe),
    Rule(("*",), ("verdict.empty",), _anywhere, _anywhere),
)  # fmt: skip

# A kubelet asks its own pods by the host's end of their cable: a workload lacks ready pods where that is cut.
POD_IS_CUT_OFF = Rule(
    ("host.device", "host.route", "sysctls.pod-device", "pods.gateway", "pods.routes", "pods.interface"), (), _P.pods, _P.pods
)


def node_is_cut_off(host_network: bool) -> Rule:
    """What keeps all pods of a node from being ready; calico-node, on the host's network, is not ready without BGP."""
    causes = ("bgp.running", "bgp.sessions") if host_network else ("sysctls.forwarding", "host.gateway-route")
    return Rule(("nodes.ready",) + causes, (), _P.node, _P.node)
