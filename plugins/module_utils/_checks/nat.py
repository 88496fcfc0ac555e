# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""natOutgoing: pods are masqueraded towards the outside and never towards each other.

Calico's rule masquerades a packet whose source is in ``cali40masq-ipam-pools`` and whose destination is not in the set of all
pools (``cali40all-ipam-pools``, from v3.32 on ``cali40network-ip-pools``): the two sets decide everything.
"""

from __future__ import annotations

from .._model import Masquerade, Node, Subject
from .._version import release
from .case import Case
from .record import Check, Recorder, node_evidence


def _masquerade(case: Case, record: Recorder) -> None:
    if not record.lists("ippools"):
        return
    pools = {pool.cidr for pool in case.snapshot.pools if ":" not in pool.cidr}
    leaving = {pool.cidr for pool in case.snapshot.pools if pool.nat_outgoing and ":" not in pool.cidr}
    all_pools = release(case.snapshot.header.calico_version).all_pools_set
    for node in case.snapshot.nodes:
        facts = record.facts(node, "masquerade")
        if facts is not None:
            _judge(record, node, facts.masquerade, all_pools, pools, leaving)


def _judge(record: Recorder, node: Node, seen: Masquerade, all_pools: str, pools: set, leaving: set) -> None:
    sets = (
        (all_pools, seen.all_pools, pools, "its pods' packets to each other would be masqueraded"),
        ("cali40masq-ipam-pools", seen.masquerade_pools, leaving, "its pods reach the outside with an address nobody answers to"),
    )
    for name, members, wanted, consequence in sets:
        command = "ipset list %s" % name
        if members is None:
            record.skipped(node.name, "%s was not asked for" % name)
        elif set(members) == wanted:
            record.passed(node.name)
        elif not leaving and not members:
            record.skipped(node.name, "no pool has natOutgoing, so Felix keeps no sets")
        else:
            record.failed(
                node.name, Subject("IPSet", name=name), ", ".join(sorted(wanted)) or "empty", ", ".join(members) or "empty",
                "%s: %s holds %s instead of %s: %s"
                % (node.name, name, ", ".join(members) or "nothing", ", ".join(sorted(wanted)) or "nothing", consequence),
                node_evidence(node, command, list(members)),
            )  # fmt: skip
    if not leaving:
        return
    command = "iptables-nft-save -t nat"
    if seen.rule_present is None:
        record.skipped(node.name, "the nat table was not asked for")
    elif seen.rule_present:
        record.passed(node.name)
    else:
        record.failed(
            node.name, Subject("Rule", name="cali-nat-outgoing"), "a MASQUERADE rule on the two sets", "none",
            "%s: no rule masquerades pods towards the outside, though a pool has natOutgoing" % node.name,
            node_evidence(node, command, []),
        )  # fmt: skip


CHECKS = (
    Check(
        "nat.masquerade", "Masquerading is programmed as the pools say",
        "Pod to pod, addresses stay untouched; pod to the outside, they become the node's.",
        "Restart calico-node on that node; look for an error of Felix about ipsets.", _masquerade, aspects=("nat",),
    ),
)  # fmt: skip
