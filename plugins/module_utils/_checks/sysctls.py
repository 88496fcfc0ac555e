# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel switches without which right routes carry nothing. Neither Felix nor anybody repairs them (recordings, 100 s)."""

from __future__ import annotations

from itertools import chain
from typing import Dict, Iterator, List, Optional, Tuple

from .._expected import IPIP, VXLAN, encapsulations
from .._model import Node, NodeFacts, Pod, Subject
from .._names import IPIP_DEVICE, VXLAN_DEVICE, pod_device
from .._prefix import Prefix, prefix_or_none
from .case import Case
from .record import Check, Recorder, node_evidence, node_subject, pod_subject
from .remedies import switch_on

_NOBODY = "Nobody repairs it: find what sets it (a file in /etc/sysctl.d, a hardening tool)"


def _forwarding(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "sysctls")
        if facts is None:
            continue
        # 0 here is 0 on every device; 1 here may be 0 on one.
        if _forwards(record, node, facts, ("ip_forward",), "the node forwards no packet of its pods"):
            for device in _ways_in(case, node):
                _forwards(
                    record, node, facts, ("conf", device, "forwarding"), "what arrives at %s is forwarded to no pod" % device
                )


def _ways_in(case: Case, node: Node) -> Iterator[str]:
    """The devices at which packets from other nodes arrive: where they came from decides whether they are forwarded."""
    uplink = case.expectation.uplink(node)
    if uplink:
        yield uplink
    kinds = encapsulations(case.snapshot.pools)
    links = case.links(node)
    for kind, device in (("vxlan", VXLAN_DEVICE), ("ipip", IPIP_DEVICE)):
        if kind in kinds and device in links:
            yield device


def _forwards(record: Recorder, node: Node, facts: NodeFacts, words: Tuple[str, ...], meaning: str) -> bool:
    name, path = "net.ipv4." + ".".join(words), "/proc/sys/net/ipv4/" + "/".join(words)
    value = facts.sysctls.get(name)
    if value == "1":
        record.passed(node.name)
    elif value is None:
        record.inconclusive(node.name, node_subject(node), "%s was not read" % name, "cat %s" % path, name)
    else:
        record.failed(
            node.name, Subject("Sysctl", name=name), "1", value, "%s: %s is %s: %s" % (node.name, name, value, meaning),
            node_evidence(node, "cat %s" % path, [value]), "%s. At once: %s" % (_NOBODY, switch_on(node, path)),
        )  # fmt: skip
    return value == "1"


def _reverse_path(case: Case, record: Recorder) -> None:
    if not record.lists("nodes", "ippools"):
        return
    by_network: Dict[Optional[Prefix], List[Node]] = {}
    for node in case.snapshot.nodes:
        by_network.setdefault(_network(node), []).append(node)
    for node in case.snapshot.nodes:
        facts = record.facts(node, "sysctls", "addresses")
        if facts is None:
            continue
        wrong = 0
        for other in chain.from_iterable(nodes for network, nodes in by_network.items() if network != _network(node)):
            comes, goes = _ways_between(case, node, other)
            if comes != goes and _refuses(case, record, node, facts, other, comes, goes):
                wrong += 1
        record.passed(node.name, not wrong)


def _network(node: Node) -> Optional[Prefix]:
    return prefix_or_none(node.calico_address)


def _ways_between(case: Case, node: Node, other: Node) -> Tuple[Optional[str], Optional[str]]:
    """The devices by which the other's pods' packets come in, and by which packets to them leave.

    Two devices where the nodes do not agree on whether they are in one subnet: each asks the mask of its own address.
    """
    expectation = case.expectation
    if expectation.same_subnet(node, other) == expectation.same_subnet(other, node):
        return None, None
    for pool in case.snapshot.pools:
        ways = [expectation.way(pool, other, node), expectation.way(pool, node, other)]
        if ways[0] != ways[1]:
            comes, goes = ({VXLAN: VXLAN_DEVICE, IPIP: IPIP_DEVICE}.get(way, expectation.uplink(node)) for way in ways)
            return comes, goes
    return None, None


def _refuses(
    case: Case, record: Recorder, node: Node, facts: NodeFacts, other: Node, comes: Optional[str], goes: Optional[str]
) -> bool:
    """Whether rp_filter, of the device or of all, the higher counts, drops what comes in where its answer would not leave."""
    names = ["net.ipv4.conf.%s.rp_filter" % device for device in ("all", comes)]
    values = [facts.sysctls.get(name) for name in names]
    if None in values:
        record.inconclusive(node.name, node_subject(node), "%s was not read" % names[values.index(None)], what="rp_filter")
        return True
    if max(value or "" for value in values) != "1":
        return False
    path = "/proc/sys/net/ipv4/conf/%s/rp_filter" % comes
    record.failed(
        node.name, Subject("Sysctl", name=names[1]), "0 or 2", "1",
        "%s drops what pods of %s send: it comes in by %s, the way back is by %s, and rp_filter is 1 (strict)"
        % (node.name, other.name, comes, goes),
        node_evidence(node, "cat %s" % path, ["%s = %s" % pair for pair in zip(names, values)]),
        "Correct the masks of the two nodes' addresses (%s, %s), so that both call the other near, or neither. "
        "Or: sysctl -w %s=2 on the node." % (node.calico_address, other.calico_address, names[1]),
    )  # fmt: skip
    return True


def _pod_device(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "sysctls")
        if facts is None:
            continue
        unread: List[str] = []
        for pod in case.expectation.live_pods.get(node.name, ()):
            device = pod_device(pod.namespace, pod.name, case.settings.interface_prefix)
            for key, meaning in (("proxy_arp", "answers no ARP of"), ("forwarding", "forwards no packet of")):
                name = "net.ipv4.conf.%s.%s" % (device, key)
                if name in facts.sysctls or device not in case.links(node):
                    _judge(record, node, facts, name, pod, meaning)
                else:
                    unread.append(name)
        if unread:
            reason = "%s%s not read" % (unread[0], " and %d more were" % (len(unread) - 1) if len(unread) > 1 else " was")
            record.inconclusive(node.name, node_subject(node), reason, "cat /proc/sys/" + unread[0].replace(".", "/"), "sysctls")


def _judge(record: Recorder, node: Node, facts: NodeFacts, name: str, pod: Pod, meaning: str) -> None:
    value = facts.sysctls.get(name)
    if value == "1":
        record.passed(node.name)
    elif value is None:
        # Without the device there is no switch: host.device speaks of it.
        record.skipped(node.name, "a pod's device has no %s" % name.rpartition(".")[2])
    else:
        path = "/proc/sys/" + name.replace(".", "/")
        record.failed(
            node.name, pod_subject(pod), "%s = 1" % name, "%s = %s" % (name, value),
            "%s: %s is %s: the node %s pod %s/%s" % (node.name, name, value, meaning, pod.namespace, pod.name),
            node_evidence(node, "cat %s" % path, [value]), "%s. At once: %s" % (_NOBODY, switch_on(node, path)),
        )  # fmt: skip


CHECKS = (
    Check(
        "sysctls.forwarding", "The node forwards IPv4, and what arrives from other nodes too",
        "Calico makes every node a router; Felix sets this once at start and never looks again. It can be off on one device.",
        "sysctl -w net.ipv4.ip_forward=1 on the node; find who turned it off (a file in /etc/sysctl.d).", _forwarding, "critical",
    ),
    Check(
        "sysctls.pod-device", "Each pod's device answers ARP by proxy and forwards",
        "The pod's gateway 169.254.1.1 is nobody's address: only proxy_arp on this device answers for it.",
        "Set it to 1 again.", _pod_device, "critical", ("sysctls", "pods"),
    ),
    Check(
        "sysctls.reverse-path", "No node drops what comes in by another device than the answer leaves by",
        "With CrossSubnet one node may call another near that calls it far: the two directions go different ways, which strict "
        "rp_filter does not let in.",
        "Give the nodes' addresses the mask of their subnet; or set rp_filter to 2 on that device.", _reverse_path, "critical",
        ("routes", "sysctls"),
    ),
)  # fmt: skip
