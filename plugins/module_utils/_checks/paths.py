# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths: from every node to every node's pods, walked hop by hop through the routes that were observed.

A route can be right by itself and the path still wrong (a policy rule, a VTEP that is missing, a detour through a third
node). A detour delivers, and pings do not notice: only the count of hops does.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, Optional

from .._expected import PLAIN, address_of
from .._iproute import route_text
from .._model import Evidence, Path, Pod, Subject
from .case import Case
from .record import Check, Recorder
from .tidy import Tidy, has_kernels_rules


def _representatives(case: Case) -> Dict[str, List[Pod]]:
    """For each node one pod per block it has pods in: what decides a path is the block, or the address if borrowed."""
    found: Dict[str, List[Pod]] = {}
    for node in sorted(case.expectation.live_pods):
        if node not in case.nodes:
            continue
        by_block: Dict[str, Pod] = {}
        for pod in case.expectation.live_pods[node]:
            if pod.terminating:
                continue
            block = case.expectation.blocks.longest(address_of(pod))
            borrowed = block is not None and block.owner != node
            by_block.setdefault(address_of(pod) if borrowed or block is None else block.cidr, pod)
        found[node] = list(by_block.values())
    return found


def _pod_to_pod(case: Case, record: Recorder) -> None:
    pods = _representatives(case)
    tidy, count = Tidy(case, pods, _arrivals(case, pods)), sum(map(len, pods.values()))
    for node, own in pods.items():
        if record.facts(case.nodes[node], "routes", "rules", "links") is None:
            continue
        first = _source(case, node, own, None)
        sure = tidy.sure(case.nodes[node], first) if first else frozenset()
        everywhere = sure.difference(map(address_of, own))
        good = len(everywhere)
        rest = pods.items() if len(everywhere) + len(own) < count else [(node, own)]
        for other, targets in rest:
            for target in targets:
                if other != node and address_of(target) in sure:
                    continue
                source = _source(case, node, own, target)
                if source is None:
                    continue
                path = case.network.walk(source, target)
                if node != other and not case.expectation.is_modelled(address_of(target)):
                    record.skipped(node, "who makes the routes of the pool of %s is not known" % other)
                elif path.outcome == "unknown" and _leaves_by_router(case, node, other, target):
                    record.skipped(node, "the pool is not encapsulated and %s is behind a router, which was not asked" % other)
                else:
                    good += _judge(record, node, other, path)
        record.passed(node, good)


def _source(case: Case, node: str, own: List[Pod], target: Optional[Pod]) -> Optional[Pod]:
    """A pod of the node other than the target itself."""
    for pod in own + case.expectation.live_pods[node]:
        if pod is not target and not pod.terminating:
            return pod
    return None


def _arrivals(case: Case, pods: Dict[str, List[Pod]]) -> FrozenSet[str]:
    """The addresses that their own node delivers to, wherever the packet came from."""
    found = set()
    for node, own in pods.items():
        facts = case.nodes[node].facts
        for target in own if facts is not None and has_kernels_rules(facts) else ():
            source = _source(case, node, own, target)
            path = case.network.walk(source, target) if source else None
            if path is not None and path.outcome == "delivered" and path.ttl == 63:
                found.add(address_of(target))
    return frozenset(found)


def _leaves_by_router(case: Case, node: str, other: str, target: Pod) -> bool:
    pool = case.expectation.pool_of(address_of(target))
    ends = case.nodes[node], case.nodes[other]
    return pool is not None and case.expectation.way(pool, *ends) == PLAIN and not case.expectation.same_subnet(*ends)


def _judge(record: Recorder, node: str, other: str, path: Path) -> bool:
    """True if the path is as it must be; else it is recorded."""
    wanted = 63 if node == other else 62
    if path.outcome == "delivered" and path.ttl == wanted:
        return True
    subject = Subject("Path", name="%s → %s" % (path.source, path.destination), ip=path.destination_address)
    if path.outcome == "unknown":
        reason = "%s → %s: %s" % (path.source, path.destination, path.reason)
        record.inconclusive(node, subject, reason, what="the path", evidence=evidence_of(path))
        return False
    expected = "delivered to %s with TTL %d" % (other, wanted)
    if path.outcome == "delivered":
        ways = " → ".join(hop.place for hop in path.hops if hop.kind == "node")
        actual = "delivered with TTL %d by way of %s" % (path.ttl or 0, ways)
        message = "%s → %s: a detour: %s" % (path.source, path.destination, ways)
    else:
        actual = path.reason or path.outcome
        message = "%s → %s is lost: %s" % (path.source, path.destination, path.reason)
    record.failed(
        node, subject, expected, actual, message, evidence_of(path),
        severity="major" if path.outcome == "delivered" else "critical",
    )  # fmt: skip
    return False


def evidence_of(path: Path) -> Evidence:
    """The walk, one line per decision."""
    lines = [
        "%s (ttl %d): %s" % (hop.place, hop.ttl, route_text(hop.route) if hop.route else "not observed") for hop in path.hops
    ]
    return Evidence("walk", "podnet.calico.pod_path_info", "\n".join(lines))


CHECKS = (
    Check(
        "paths.pod-to-pod", "From every node, packets reach every node's pods by the shortest way",
        "Two hops across nodes, one on the same node: a third node in between means that some route is wrong.",
        "Follow the path in the evidence: the last line is the decision that is wrong.", _pod_to_pod, "critical",
        # Without blocks each pod is walked to by itself, from every node: 30 million walks in a large cluster.
        ("routes", "forwarding", "blocks", "ipam"),
    ),
)  # fmt: skip
