# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel switches without which right routes carry nothing. Neither Felix nor anybody repairs them (recordings, 100 s)."""

from __future__ import annotations

from typing import Iterator, Tuple

from .._expected import encapsulations
from .._model import Node, NodeFacts, Pod, Subject
from .._names import IPIP_DEVICE, VXLAN_DEVICE, pod_device
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


def _pod_device(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "sysctls")
        if facts is None:
            continue
        for pod in case.expectation.live_pods.get(node.name, ()):
            device = pod_device(pod.namespace, pod.name, case.settings.interface_prefix)
            for key, meaning in (("proxy_arp", "answers no ARP of"), ("forwarding", "forwards no packet of")):
                name = "net.ipv4.conf.%s.%s" % (device, key)
                _judge(record, node, facts, name, pod, meaning)


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
)  # fmt: skip
