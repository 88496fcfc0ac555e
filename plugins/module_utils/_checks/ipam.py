# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPAM: pools, blocks, affinities, allocations and handles tell one story.

VXLAN pools are routed by the IPAMBlock, the others by the BlockAffinity: where the two disagree, so do the routes.
"""

from __future__ import annotations

from collections import Counter
from typing import List, Optional, Tuple

from .._model import Affinity, Allocation, Block, Evidence, Subject
from .._prefix import Prefix, prefix, prefix_or_none
from .case import Case
from .record import Check, Recorder
from .remedies import nodes_in, restore_affinity

_BLOCKS = "kubectl get ipamblocks.crd.projectcalico.org -o yaml"
_AFFINITIES = "kubectl get blockaffinities.crd.projectcalico.org -o yaml"


def _block_subject(cidr: str, owner: Optional[str] = None) -> Subject:
    return Subject("Block", name=owner, prefix=cidr)


def _said(command: str, output: str) -> Evidence:
    return Evidence("cluster", command, output[:2000])


def _affinity(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "blockaffinities"):
        return
    for cidr in sorted(set(case.blocks) | set(case.affinities)):
        block, affinities = case.blocks.get(cidr), case.affinities.get(cidr, [])
        problem = _affinity_problem(block, affinities)
        owner = block.owner if block else affinities[0].node
        if problem is None:
            record.passed(owner)
        else:
            said = "\n".join(
                (["IPAMBlock %s affinity %s" % (cidr, block.affinity)] if block else [])
                + ["BlockAffinity %s node %s state %s" % (one.name, one.node, one.state) for one in affinities]
            )
            record.failed(
                owner, _block_subject(cidr, owner), "one confirmed BlockAffinity of the block's node", problem,
                "Block %s: %s%s" % (cidr, problem, _users(block)), _said(_AFFINITIES, said), restore_affinity(block, affinities),
            )  # fmt: skip
    _pending(case, record)


def _affinity_problem(block: Optional[Block], affinities: List[Affinity]) -> Optional[str]:
    settled = [one for one in affinities if one.state == "confirmed"]
    if len(settled) > 1:
        return "%d confirmed affinities: %s" % (len(settled), ", ".join(sorted(one.node for one in settled)))
    if block is None:
        if settled:
            return "an affinity of %s without a block: in a BGP pool its route leads nowhere" % settled[0].node
        return None
    if block.owner is None:
        if settled and not (block.affinity or "").startswith("virtual:"):
            return "no node in the block, %s in its affinity" % settled[0].node
        return None
    if not settled:
        return "the block names %s, no confirmed affinity does" % block.owner
    if settled[0].node != block.owner:
        return "the block names %s, its affinity %s" % (block.owner, settled[0].node)
    return None


def _users(block: Optional[Block]) -> str:
    used = ["%d on %s" % (number, node) for node, number in sorted(nodes_in(block).items())]
    return "; addresses in use: " + ", ".join(used) if used else ""


def _pending(case: Case, record: Recorder) -> None:
    for affinities in case.affinities.values():
        for one in affinities:
            if one.state != "confirmed":
                record.warning(
                    one.node, _block_subject(one.cidr, one.node), "confirmed", one.state,
                    "Block %s: the affinity of %s is %s: being claimed or released" % (one.cidr, one.node, one.state),
                    _said(_AFFINITIES, "%s %s" % (one.name, one.state)),
                    "Run again in some seconds; an affinity that stays so is left over from a calico-node that was stopped.",
                )  # fmt: skip


def _owner(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "nodes"):
        return
    for block in case.blocks.values():
        if block.owner is None or block.owner in case.nodes:
            record.passed(block.owner)
            continue
        record.failed(
            None, _block_subject(block.cidr, block.owner), "a node of the cluster", block.owner,
            "Block %s belongs to %s, which is no node of this cluster" % (block.cidr, block.owner),
            _said(_BLOCKS, "%s affinity %s" % (block.cidr, block.affinity)),
        )  # fmt: skip


def _layout(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "ippools"):
        return
    before: Optional[Tuple[Prefix, Block]] = None
    for own, block in sorted((prefix(block.cidr), block) for block in case.blocks.values() if ":" not in block.cidr):
        problem = _layout_problem(case, own, block, before)
        if problem is None:
            record.passed(block.owner)
        else:
            record.failed(
                block.owner, _block_subject(block.cidr, block.owner), "a block of one pool, of its block size, by itself", problem,
                "Block %s of %s %s" % (block.cidr, block.owner or "nobody", problem), _said(_BLOCKS, block.cidr),
            )  # fmt: skip
        if before is None or own.last > before[0].last:
            before = (own, block)


def _layout_problem(case: Case, own: Prefix, block: Block, before: Optional[Tuple[Prefix, Block]]) -> Optional[str]:
    if before is not None and before[0].overlaps(own):
        return "overlaps block %s of %s" % (before[1].cidr, before[1].owner or "nobody")
    if (block.affinity or "").startswith("virtual:"):
        return None
    pool = case.expectation.pool_of(block.cidr)
    if pool is None:
        return "lies in no pool: its pods are neither announced nor masqueraded as pods"
    if pool.block_size != own.length:
        return "is a /%d in pool %s of /%d blocks" % (own.length, pool.name, pool.block_size)
    return None


def _pools(case: Case, record: Recorder) -> None:
    if not record.lists("ippools"):
        return
    record.lists("kubeadm-config")  # the service range is in it: without it, the other ranges are compared nevertheless
    taken = [("service range", cidr) for cidr in (case.settings.service_cidr or "").split(",") if cidr]
    taken += [("subnet of node %s" % node.name, node.calico_address) for node in case.snapshot.nodes if node.calico_address]
    ranges = [(whose, text, prefix_or_none(text)) for whose, text in taken]
    for pool in case.snapshot.pools:
        own = prefix(pool.cidr)
        clash = next((one[:2] for one in ranges if one[2] is not None and one[2].overlaps(own)), None)
        ranges.append(("pool %s" % pool.name, pool.cidr, own))
        if clash is None:
            record.passed(None)
            continue
        record.failed(
            None, Subject("IPPool", name=pool.name, prefix=pool.cidr), "a range of its own", "overlaps the %s %s" % clash,
            "Pool %s (%s) overlaps the %s (%s)" % (pool.name, pool.cidr, clash[0], clash[1]),
            _said("kubectl get ippools.crd.projectcalico.org -o yaml", pool.cidr),
        )  # fmt: skip


def _allocation(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "pods", "nodes"):
        return
    for address, holders in case.allocations.items():
        if len(holders) > 1:
            blocks = ", ".join(block.cidr for block, _one in holders)
            record.failed(
                holders[0][1].node, Subject("Address", ip=address), "one allocation", "allocated in %s" % blocks,
                "%s is allocated in several blocks: %s" % (address, blocks), _said(_BLOCKS, blocks),
            )  # fmt: skip
        for _block, allocation in holders:
            problem = _leak(case, allocation)
            if problem is None:
                record.passed(allocation.node)
                continue
            record.failed(
                allocation.node, Subject("Address", allocation.namespace, allocation.pod, address), "a holder that exists", problem,
                "%s is allocated to %s" % (address, problem),
                _said("calicoctl ipam show --ip=%s" % address, "handle %s" % allocation.handle), severity="minor",
            )  # fmt: skip


def _leak(case: Case, allocation: Allocation) -> Optional[str]:
    """Who the address is held for, if there is no such holder."""
    if allocation.use:
        return None if allocation.node is None or allocation.node in case.nodes else "the tunnel of %s, which is no node" % allocation.node
    if not allocation.pod:
        return None  # reserved, for a load balancer, or cooling down: nobody's to miss
    pod = case.pods_by_name.get((allocation.namespace or "", allocation.pod))
    name = "pod %s/%s" % (allocation.namespace, allocation.pod)
    if pod is None:
        return "%s, which does not exist" % name
    if pod.host_network:
        return "%s, which uses the host's network" % name
    if pod.address and allocation.address not in pod.addresses + (pod.address,) and allocation.address != pod.calico_address:
        return "%s, which has %s" % (name, pod.address)
    return None


def _handles(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks", "ipamhandles"):
        return
    used: "Counter[Tuple[str, str]]" = Counter()
    for block in case.blocks.values():
        for allocation in block.allocations:
            if allocation.handle:
                used[(allocation.handle.lower(), block.cidr)] += 1
    named = {
        (handle.id.lower(), cidr): count
        for handle in case.snapshot.handles
        if not handle.deleted
        for cidr, count in handle.blocks.items()
    }
    for key in sorted(set(used) | set(named)):
        if used[key] == named.get(key, 0):
            record.passed(None)
            continue
        record.warning(
            None, Subject("IPAMHandle", name=key[0], prefix=key[1]), "%d addresses" % used[key], "%d" % named.get(key, 0),
            "Handle %s counts %d addresses in %s, the block has %d" % (key[0], named.get(key, 0), key[1], used[key]),
            _said("calicoctl ipam check", key[0]),
        )  # fmt: skip


CHECKS = (
    Check(
        "ipam.affinity", "Each block belongs to one node, in the block and in its affinity",
        "Felix routes by the block, BIRD by the affinity: two owners mean two routes, or one node's pods lost.",
        "Compare the two objects; delete the BlockAffinity of the node that has no pods in the block.", _affinity, "critical", ("ipam",),
    ),
    Check(
        "ipam.owner", "Each block's node exists",
        "kube-controllers frees the blocks of a deleted node within seconds; what stays fills the pool.",
        "Look at calico-kube-controllers; calicoctl ipam release, or delete the block when it is empty.", _owner, aspects=("ipam",),
    ),
    Check(
        "ipam.layout", "Blocks lie in a pool, have its block size, and do not overlap",
        "Overlapping blocks give one address to two pods; a block outside every pool is nobody's to route.",
        "calicoctl ipam check; see the documentation on changing the block size.", _layout, aspects=("ipam",),
    ),
    Check(
        "ipam.pools", "Pools overlap neither each other nor the nodes' and services' ranges",
        "A pool that covers the nodes' network takes their traffic and hides it from masquerading.",
        "Choose another range for the pool.", _pools, "critical", ("ipam",),
    ),
    Check(
        "ipam.allocation", "Each address in use is held for somebody who exists, once",
        "A leaked address is lost to the pool; one that two blocks hold will be given out twice.",
        "calicoctl ipam check, then calicoctl ipam release --ip; kube-controllers frees leaks after 15 minutes.",
        _allocation, aspects=("ipam",),
    ),
    Check(
        "ipam.handles", "Handles count what the blocks hold",
        "An address is released by its handle: one that does not count it leaks it.",
        "calicoctl ipam check --show-problem-ips.", _handles, "minor", ("ipam",),
    ),
)  # fmt: skip
