# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether IPAM has an address for the next pod, and for those that wait for one.

A pod for which the CNI plugin gets no address stays in ContainerCreating, without an address (recording pool-exhausted, FINDINGS F).
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Optional, Tuple

from .._model import Block, Evidence, Pod, Pool, Subject
from .._prefix import prefix
from .case import Case
from .record import Check, Recorder

_BLOCKS = "kubectl get ipamblocks.crd.projectcalico.org -o yaml"
_SHOW = "calicoctl ipam show --show-blocks"
# What IPAM allows a node by default (libcalico-go/lib/ipam), where maxBlocksPerHost is not set.
_MAX_BLOCKS = 20
_NAMED = 3


def _capacity(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "ippools", "pods"):
        return
    _limits(case, record)
    pools = [pool for pool in case.snapshot.pools if not pool.disabled and prefix(pool.cidr).bits == 32]
    waiting = _waiting(case, pools)
    for pool in pools:
        if pool.name in waiting:
            _report(record, pool, waiting[pool.name])
        elif _room(case, pool, None):
            record.passed(None)
        else:
            record.warning(
                None, Subject("IPPool", name=pool.name, prefix=pool.cidr), "free addresses", "none of %d" % _size(pool),
                "Pool %s (%s) has no free address" % (pool.name, pool.cidr),
                Evidence("cluster", _SHOW, "0 of %d free" % _size(pool)), "Add a pool.",
            )  # fmt: skip


def _limits(case: Case, record: Recorder) -> None:
    limit = case.settings.max_blocks_per_host or _MAX_BLOCKS
    owned = Counter(block.owner for block in case.blocks.values() if block.owner and ":" not in block.cidr)
    for node, number in sorted(owned.items()):
        if number < limit:
            record.passed(node)
            continue
        record.warning(
            node, Subject("Node", name=node), "fewer than %d blocks" % limit, str(number),
            "%s has %d blocks, the most it may have: pods get no address once they are full" % (node, number),
            Evidence("cluster", _BLOCKS, str(number)), "Raise maxBlocksPerHost, or use larger blocks.",
        )  # fmt: skip


def _waiting(case: Case, pools: List[Pool]) -> Dict[str, List[Pod]]:
    """By the first pool that it may have an address of, each pod that waits for one and finds none left in any."""
    found: Dict[str, List[Pod]] = {}
    rooms: Dict[Tuple[str, str], int] = {}
    for pod in case.snapshot.pods:
        if pod.host_network or pod.address or pod.phase != "Pending" or not pod.node or pod.terminating:
            continue
        may = [pool for pool in pools if _may_have(pod, pool)]
        for pool in may:
            if (pool.name, pod.node) not in rooms:
                rooms[pool.name, pod.node] = _room(case, pool, pod.node)
        if may and not any(rooms[pool.name, pod.node] for pool in may):
            found.setdefault(may[0].name, []).append(pod)
    return found


def _may_have(pod: Pod, pool: Pool) -> bool:
    """As the annotation cni.projectcalico.org/ipv4pools says; else of any pool that is for all."""
    if pod.pools:
        return pool.name in pod.pools or pool.cidr in pod.pools
    return pool.assignment_mode == "Automatic" and "Workload" in pool.allowed_uses


def _room(case: Case, pool: Pool, node: Optional[str]) -> int:
    """How many addresses of the pool are left for pods of the node: with strictAffinity only its own blocks' and unclaimed ones."""
    outer = prefix(pool.cidr)
    blocks = [block for block in case.blocks.values() if outer.covers(prefix(block.cidr))]
    unclaimed = _size(pool) - sum(map(_block_size, blocks))
    strict = bool(case.settings.strict_affinity) and node is not None
    return unclaimed + sum(_block_size(block) - len(block.allocations) for block in blocks if not strict or block.owner == node)


def _size(pool: Pool) -> int:
    return 1 << (32 - prefix(pool.cidr).length)


def _block_size(block: Block) -> int:
    return 1 << (32 - prefix(block.cidr).length)


def _report(record: Recorder, pool: Pool, pods: List[Pod]) -> None:
    nodes = sorted({pod.node or "" for pod in pods})
    named = ", ".join("%s/%s on %s" % (pod.namespace, pod.name, pod.node) for pod in pods[:_NAMED])
    more = " and %d more" % (len(pods) - _NAMED) if len(pods) > _NAMED else ""
    wait = "a pod waits for one: " if len(pods) == 1 else "%d pods wait for one: " % len(pods)
    record.failed(
        nodes[0] if len(nodes) == 1 else None, Subject("IPPool", name=pool.name, prefix=pool.cidr), "free addresses",
        "none of %d" % _size(pool), "Pool %s (%s) has no address left, and %s%s%s" % (pool.name, pool.cidr, wait, named, more),
        Evidence("cluster", _SHOW, "none of %d left" % _size(pool)),
        "Add a pool that these pods may use, or delete pods that have its addresses; kubectl describe pod tells the CNI plugin's words.",
        "critical",
    )  # fmt: skip


CHECKS = (
    Check(
        "ipam.capacity", "Nodes may still claim blocks and pools still have addresses",
        "A full pool or a node at its limit leaves new pods in ContainerCreating.",
        "Add a pool, or raise maxBlocksPerHost.", _capacity, "minor", ("ipam",),
    ),
)  # fmt: skip
