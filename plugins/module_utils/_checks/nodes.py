# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes: Ready, calico-node on each, and one true address that everything else is derived from."""

from __future__ import annotations

import ipaddress
from typing import Dict, Iterator, Tuple

from .._late import late
from .._model import NOT_SELECTED, Address, Node, Snapshot, Subject
from .._prefix import prefix_or_none
from .._shards import SHARD
from .case import Case
from .record import CLUSTER, DEADLINE, NOTHING_SELECTED, Check, Recorder, node_evidence, node_subject
from .remedies import on_node

_LABELS = "kubectl get %s%s --show-labels"


def _ready(case: Case, record: Recorder) -> None:
    if not record.lists("nodes"):
        return
    if not case.snapshot.nodes:
        record.inconclusive(None, CLUSTER, "the cluster has no node: nothing can be proved of it", "kubectl get nodes")
    for node in case.snapshot.nodes:
        if node.ready:
            record.passed(node.name)
            continue
        record.failed(
            node.name, node_subject(node), "Ready", node.not_ready_reason or "not Ready",
            "%s is not Ready: %s" % (node.name, node.not_ready_reason or "no reason given"),
            node_evidence(node, "kubectl get node %s -o wide" % node.name, [node.not_ready_reason or ""]),
        )  # fmt: skip


def _listed(case: Case, record: Recorder) -> None:
    time_is_up = late(case.snapshot)
    if time_is_up:
        record.inconclusive(None, DEADLINE, time_is_up, what="everything")
    gaps = [gap.what for gap in case.snapshot.header.unobserved if gap.what != "probes" and not gap.what.startswith(SHARD)]
    for what in gaps:
        record.lists(what)
    if case.doubt.changed:
        record.inconclusive(None, CLUSTER, case.doubt.reason, evidence=case.doubt.evidence)
    nothing = list(_selecting_nothing(case.snapshot))
    for reason, command in nothing:
        record.inconclusive(None, CLUSTER, reason, command)
    if not (time_is_up or gaps or case.doubt.changed or nothing):
        record.passed(None)


def _selecting_nothing(snapshot: Snapshot) -> Iterator[Tuple[str, str]]:
    """What selects none of those that were to be asked, and the command that shows why: a slip of the pen proves nothing."""
    for what, subjects, where in (("nodes", snapshot.nodes, ""), ("pods", snapshot.pods, " --all-namespaces")):
        reasons = {one.skipped or "" for one in subjects}
        if what in snapshot.header.evidence and reasons and all(reason.startswith(NOT_SELECTED) for reason in reasons):
            options = " and ".join(sorted(reason[len(NOT_SELECTED) :].strip(" ()") for reason in reasons))
            yield "%s: all %d %s are left out by %s" % (NOTHING_SELECTED, len(subjects), what, options), _LABELS % (what, where)


def _calico_node(case: Case, record: Recorder) -> None:
    if not record.lists("pods"):
        return
    for node in case.snapshot.nodes:
        if node.os != "linux":
            record.inconclusive(node.name, node_subject(node), "not modelled (%s node)" % node.os)
        elif node.calico_node_pod is None:
            record.failed(
                node.name, node_subject(node), "a running calico-node pod", "none",
                "%s has no running calico-node pod: nobody programs its routes" % node.name,
                node_evidence(node, "kubectl get pods -A -l k8s-app=calico-node -o wide", []),
            )  # fmt: skip
        elif node.calico_node_ready is False:
            # It is so for half a minute after a start, and while one BGP peer is away: routes may well be right.
            record.warning(
                node.name, node_subject(node), "calico-node Ready", "not Ready",
                "calico-node on %s is not Ready (%s): its routes may be old" % (node.name, node.calico_node_pod),
                node_evidence(node, "kubectl describe pod -n %s %s" % tuple(node.calico_node_pod.split("/", 1)), []),
            )  # fmt: skip
        else:
            record.passed(node.name)


def _observed(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        if record.facts(node) is None:
            continue
        gaps = node.facts.unobserved if node.facts else ()
        for gap in gaps:
            record.inconclusive(node.name, node_subject(node), "%s: %s" % (gap.what, gap.reason), gap.command, gap.what)
        if not gaps:
            record.passed(node.name)


def _address(case: Case, record: Recorder) -> None:
    seen: Dict[str, str] = {}
    for node in case.snapshot.nodes:
        problem = _address_problem(case, node, seen)
        if problem is None:
            record.passed(node.name)
            continue
        expected, actual, message = problem
        record.failed(
            node.name, node_subject(node), expected, actual, message,
            node_evidence(
                node, "kubectl get node %s -o yaml" % node.name,
                ["InternalIP: %s" % node.internal_ip, "projectcalico.org/IPv4Address: %s" % node.calico_address],
            ),
        )  # fmt: skip


def _address_problem(case: Case, node: Node, seen: Dict[str, str]):
    """(expected, actual, message) of what is wrong with the node's address, or None."""
    name, annotation, internal = node.name, node.calico_address, node.internal_ip
    if not annotation:
        return (
            "annotation projectcalico.org/IPv4Address",
            "none",
            "%s has no Calico address: calico-node has not registered it" % name,
        )
    own = annotation.partition("/")[0]
    subnet = prefix_or_none(annotation)
    if subnet is None:
        return "an address with its mask", annotation, "%s: its Calico address %s is no address" % (name, annotation)
    if internal and ":" not in internal and own != internal:
        return (
            internal,
            annotation,
            "%s: Calico routes to %s, Kubernetes knows the node as %s" % (name, own, internal),
        )
    if own in seen:
        return "an address of its own", annotation, "%s and %s have the same Calico address %s" % (seen[own], name, own)
    seen[own] = name
    facts = node.facts
    if facts is not None and facts.addresses and all(address.address != own for address in facts.addresses):
        return (
            "%s on one of its devices" % own,
            "on none",
            "%s: no device of the node has its Calico address %s" % (name, own),
        )
    cross = any("CrossSubnet" in (pool.vxlan_mode, pool.ipip_mode) for pool in case.snapshot.pools)
    if cross and subnet.length == 32 and len(case.nodes) > 1:
        return (
            "the subnet's mask",
            annotation,
            "%s: its Calico address %s has a /32 mask, so every node counts as another subnet" % (name, annotation),
        )
    return None


def _uplink(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "links", "addresses", "routes")
        device = case.expectation.uplink(node) if facts is not None else None
        if facts is None or device is None:
            continue  # an address that is on no device is nodes.address's
        link = case.links(node).get(device)
        own = next(entry for entry in facts.addresses if entry.dev == device and entry.address == case.expectation.host_address(node))
        if link is not None and not (link.admin_up and link.carrier):
            down = "down" if not link.admin_up else "without carrier"
            record.failed(
                node.name, Subject("Device", name=device), "up", down,
                "%s: %s, which has the node's address %s, is %s: the node is cut off" % (node.name, device, own.address, down),
                node_evidence(node, "ip link show %s" % device, [down]),
                "Nobody sets it up. On the node itself, for no other way leads there: ip link set %s up" % device,
            )  # fmt: skip
        elif not _reaches_subnet(case, node, own):
            subnet = ipaddress.ip_network("%s/%d" % (own.address, own.prefixlen), strict=False)
            record.failed(
                node.name, Subject("Device", name=device), "a route to the node's subnet %s" % subnet, "none",
                "%s has no route to its own subnet %s on %s: it reaches its neighbours by a router at best"
                % (node.name, subnet, device),
                node_evidence(node, "ip route show dev %s" % device, []),
                "Nobody repairs it; the kernel makes it with the address: %s"
                % on_node(node, "ip", "route", "add", str(subnet), "dev", device, "src", own.address),
            )  # fmt: skip
        else:
            record.passed(node.name)


def _reaches_subnet(case: Case, node: Node, own: Address) -> bool:
    """Whether a route without a gateway covers the subnet of the address on its device; a /32 has no subnet."""
    routes = case.routes(node)
    around = (ipaddress.ip_network("%s/%d" % (own.address, length), strict=False) for length in range(own.prefixlen, -1, -1))
    return own.prefixlen == 32 or any(
        route.dev == own.dev and not route.gateway for network in around for route in routes.to(str(network))
    )


CHECKS = (
    Check(
        "nodes.ready", "Every node is Ready",
        "A node that is not Ready runs no pods, and what is read from it may be old.",
        "kubectl describe node NODE; look at the kubelet's log.", _ready,
    ),
    Check(
        "nodes.calico-node", "A calico-node pod runs on every node",
        "calico-node holds Felix and BIRD: without it routes stay as they were and new pods are not wired.",
        "kubectl logs of the calico-node pod; check taints, image pulls and its readiness message.", _calico_node, "critical",
    ),
    Check(
        "api.observed", "What is judged could be read from the API",
        "A check on objects that could not be listed is inconclusive, never passed; and what is modelled depends on the settings.",
        "Allow what rbac/view.yaml allows, and run again.", _listed, "minor",
    ),
    Check(
        "nodes.observed", "What is judged could be read on every node",
        "A check on evidence that is missing is inconclusive, never passed.",
        "Allow pods/exec in calico-node's namespace, and run again.", _observed, "minor",
    ),
    Check(
        "nodes.address", "Calico's node address is the node's own",
        "Every route to another node's pods goes to this address, and its mask decides what CrossSubnet tunnels.",
        "Set nodeAddressAutodetectionV4 in the Installation (for example kubernetes: NodeInternalIP), or correct the "
        "annotation projectcalico.org/IPv4Address.", _address, "critical",
    ),
    Check(
        "nodes.uplink", "Each node's uplink is up, and leads to its own subnet",
        "What nodes send each other goes by the device of their address: with it go routes, BGP sessions and tunnels.",
        "ip link set UPLINK up on the node, by its console; look at what manages the device.", _uplink, "critical",
    ),
)  # fmt: skip
