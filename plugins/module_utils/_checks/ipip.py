# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPIP: the device tunl0, and its address in IPAM.

The kernel makes the device with its module; Felix sets it up and gives it the one address (felix/dataplane/linux/ipip_mgr.go). Routes
by it name the other node's own address as gateway, so nothing is to be known of the other end.
"""

from __future__ import annotations

from typing import Callable, List

from .._expected import takes_tunnel_address
from .._iproute import link_text
from .._model import Node, NodeFacts, Subject
from .._names import IPIP_DEVICE, OVERHEAD
from . import tunnel_address
from .case import Case
from .record import Check, Recorder, node_evidence
from .remedies import restart

_Run = Callable[[Case, Recorder], None]


def _where_ipip_is(run: _Run) -> _Run:
    """Run the check only where some pool uses IPIP."""

    def guarded(case: Case, record: Recorder) -> None:
        if not record.lists("ippools"):
            return
        if "ipip" in case.encapsulations:
            run(case, record)
        else:
            record.skipped(None, "no pool uses IPIP")

    return guarded


def _device(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "links", "addresses")
        if facts is None:
            continue
        if not node.ipip_tunnel_address and not takes_tunnel_address(case.snapshot.pools, "ipip", node):
            record.skipped(node.name, "no IPIP pool gives it a tunnel address: they are disabled, or do not select it")
            continue
        wrong = _problems(case, node, facts)
        if not wrong:
            record.passed(node.name)
            continue
        link = case.links(node).get(IPIP_DEVICE)
        record.failed(
            node.name, Subject("Device", name=IPIP_DEVICE), "up, %s/32" % (node.ipip_tunnel_address or "the annotated tunnel address"),
            "; ".join(wrong), "%s: %s is %s" % (node.name, IPIP_DEVICE, "; ".join(wrong)),
            node_evidence(node, "ip -d addr show %s" % IPIP_DEVICE, link_text(link).splitlines() if link else []),
            "Felix looks after it every 10 s; else: %s" % restart(node),
        )  # fmt: skip


def _problems(case: Case, node: Node, facts: NodeFacts) -> List[str]:
    link = case.links(node).get(IPIP_DEVICE)
    if link is None:
        return ["missing"]
    wrong = [] if link.admin_up else ["down"]
    own = [entry.address for entry in facts.addresses if entry.dev == IPIP_DEVICE and entry.family == "inet"]
    if node.ipip_tunnel_address and own != [node.ipip_tunnel_address]:
        wrong.append("with address %s" % (", ".join(own) or "none"))
    uplink = case.links(node).get(case.expectation.uplink(node) or "")
    if uplink is not None and link.mtu > uplink.mtu - OVERHEAD["ipip"]:
        wrong.append("of MTU %d on an uplink of %d" % (link.mtu, uplink.mtu))
    return wrong


def _address(case: Case, record: Recorder) -> None:
    tunnel_address.judge(
        case, record, "ipip", lambda node: node.ipip_tunnel_address, "projectcalico.org/IPv4IPIPTunnelAddr",
        "is missing: what the node itself sends to pods of others by %s has no source" % IPIP_DEVICE,
    )  # fmt: skip


CHECKS = (
    Check(
        "ipip.device", "The device tunl0 is there, up, and has the node's tunnel address",
        "A packet to another node's pods leaves by this device or not at all.",
        "Felix looks after it every 10 s; restart calico-node on that node. Without the kernel's module ipip there is none: modprobe ipip.",
        _where_ipip_is(_device), "critical", ("routes",),
    ),
    Check(
        "ipip.address", "Each node's tunnel address on tunl0 is its own in IPAM",
        "The node takes what is sent to this address for itself: a pod that has it too is cut off.",
        "Restart calico-node on that node: it allocates the address at start.", _where_ipip_is(_address), aspects=("ipam",),
    ),
)  # fmt: skip
