# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address of each node's end of a tunnel, by what the node is annotated with and what IPAM says (private)."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from .._expected import takes_tunnel_address
from .._model import Node
from .case import Case
from .record import Recorder, node_evidence, node_subject


def judge(
    case: Case, record: Recorder, kind: str, address_of: Callable[[Node], Optional[str]], annotation: str, if_missing: str
) -> None:
    """Whether each Linux node that takes one has one that no other node or pod has, allocated to it for that use.

    ``if_missing``: what follows where it has none.
    """
    if not record.lists("nodes", "ipamblocks"):
        return
    seen: Dict[str, str] = {}
    for node in case.snapshot.nodes:
        if node.os != "linux":
            continue
        address = address_of(node)
        if not address and not takes_tunnel_address(case.snapshot.pools, kind, node):
            record.skipped(node.name, "no pool gives it a tunnel address of this kind: they are disabled, or do not select it")
            continue
        problem = _problem(case, node, address, kind + "TunnelAddress", seen) if address else if_missing
        if problem is None:
            record.passed(node.name)
            continue
        record.failed(
            node.name, node_subject(node)._replace(ip=address), "a tunnel address of its own, allocated to it in IPAM", problem,
            "%s: its tunnel address %s" % (node.name, problem),
            node_evidence(node, "kubectl get node %s -o yaml" % node.name, ["%s: %s" % (annotation, address)]),
        )  # fmt: skip


def _problem(case: Case, node: Node, address: str, use: str, seen: Dict[str, str]) -> Optional[str]:
    if address in seen:
        return "%s is also %s's" % (address, seen[address])
    seen[address] = node.name
    pods = case.pods_by_address.get(address)
    if pods:
        return "%s is also pod %s/%s's" % (address, pods[0].namespace, pods[0].name)
    held = case.allocations.get(address, [])
    if any(allocation.node == node.name and allocation.use == use for _block, allocation in held):
        return None
    holder = held[0][1] if held else None
    return "%s is allocated to %s in IPAM" % (address, (holder.node or holder.handle) if holder else "nobody")
