# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""VXLAN: the device, its address in IPAM, and the neighbour and forwarding entry for every other node's end.

They exist on every node as soon as one enabled pool may tunnel, also where all nodes share a subnet and none is used.
"""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence

from .._iproute import fdb_text, link_text, neighbour_text
from .._model import FdbEntry, Neighbour, Node, NodeFacts, Subject
from .._names import OVERHEAD, VXLAN_DEVICE, VXLAN_PORT, VXLAN_VNI
from . import tunnel_address
from .case import Case
from .record import Check, Recorder, node_evidence
from .remedies import on_node, restart
from .tunnels import End, mac_of

_Run = Callable[[Case, Recorder], None]


def _where_vxlan_is(run: _Run) -> _Run:
    """Run the check only where some pool uses VXLAN."""

    def guarded(case: Case, record: Recorder) -> None:
        if not record.lists("ippools"):
            return
        if "vxlan" in case.encapsulations:
            run(case, record)
        else:
            record.skipped(None, "no pool uses VXLAN")

    return guarded


def _device(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "links", "addresses")
        if facts is None:
            continue
        if _has_no_end(case, record, node):
            continue
        wrong = _device_problems(case, node, facts)
        if not wrong:
            record.passed(node.name)
            continue
        link = case.links(node).get(VXLAN_DEVICE)
        record.failed(
            node.name, Subject("Device", name=VXLAN_DEVICE),
            "up, VNI %d, port %d, nolearning, MAC %s, %s/32"
            % (VXLAN_VNI, VXLAN_PORT, mac_of(node), node.vxlan_tunnel_address or "the annotated tunnel address"),
            "; ".join(wrong), "%s: %s is %s" % (node.name, VXLAN_DEVICE, "; ".join(wrong)),
            node_evidence(node, "ip -d addr show %s" % VXLAN_DEVICE, link_text(link).splitlines() if link else []),
            "Felix makes it anew, with its address, routes and entries, within 10 s; else: %s" % restart(node),
        )  # fmt: skip


def _has_no_end(case: Case, record: Recorder, node: Node) -> bool:
    if case.expectation.tunnels(node):
        return False
    record.skipped(node.name, "no VXLAN pool gives it a tunnel address: they are disabled, or do not select it")
    return True


def _device_problems(case: Case, node: Node, facts: NodeFacts) -> List[str]:
    link = case.links(node).get(VXLAN_DEVICE)
    if link is None:
        return ["missing"]
    wrong = [] if link.admin_up else ["down"]
    if link.mac != mac_of(node):
        wrong.append("of MAC %s" % link.mac)
    if link.vxlan is not None:
        vxlan = link.vxlan
        if (vxlan.vni, vxlan.port) != (VXLAN_VNI, VXLAN_PORT):
            wrong.append("of VNI %d, port %d" % (vxlan.vni, vxlan.port))
        if vxlan.learning:
            wrong.append("learning addresses")
        if vxlan.local and vxlan.local != case.expectation.host_address(node):
            wrong.append("bound to %s" % vxlan.local)
    own = [entry.address for entry in facts.addresses if entry.dev == VXLAN_DEVICE and entry.family == "inet"]
    if node.vxlan_tunnel_address and own != [node.vxlan_tunnel_address]:
        wrong.append("with address %s" % (", ".join(own) or "none"))
    uplink = case.links(node).get(case.expectation.uplink(node) or "")
    if uplink is not None and link.mtu > uplink.mtu - OVERHEAD["vxlan"]:
        wrong.append("of MTU %d on an uplink of %d" % (link.mtu, uplink.mtu))
    return wrong


def _address(case: Case, record: Recorder) -> None:
    tunnel_address.judge(
        case, record, "vxlan", lambda node: node.vxlan_tunnel_address, "projectcalico.org/IPv4VXLANTunnelAddr",
        "is missing: other nodes cannot tunnel to it",
    )  # fmt: skip


def _neighbours(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "neighbours")
        if facts is None or _has_no_end(case, record, node):
            continue
        wrong = case.tunnels.neighbours(node, facts)
        for end, entry in wrong:
            _report_neighbour(record, node, end, entry, [one for one in facts.neighbours if one.dev == VXLAN_DEVICE])
        record.passed(node.name, case.tunnels.others(node) - len(wrong))


def _report_neighbour(
    record: Recorder, node: Node, end: End, entry: Optional[Neighbour], known: Sequence[Neighbour]
) -> None:
    other, address, mac, _underlay = end
    actual = neighbour_text(entry) if entry else "no entry"
    lacks = "has no neighbour entry" if entry is None else "has a wrong neighbour entry"
    record.failed(
        node.name, Subject("Node", name=other.name, ip=address), "%s lladdr %s PERMANENT" % (address, mac), actual,
        "%s %s for %s's VTEP %s%s: packets by the tunnel to %s are lost"
        % (node.name, lacks, other.name, address, " («%s»)" % actual if entry else "", other.name),
        node_evidence(node, "ip neigh show dev %s" % VXLAN_DEVICE, [neighbour_text(one) for one in known]),
        "Felix puts it back within 100 s. At once: %s"
        % on_node(node, "ip", "neigh", "replace", address, "lladdr", mac, "dev", VXLAN_DEVICE, "nud", "permanent"),
    )  # fmt: skip


def _fdb(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        facts = record.facts(node, "fdb")
        if facts is None or _has_no_end(case, record, node):
            continue
        wrong = case.tunnels.fdb(node, facts)
        for end, entry in wrong:
            _report_entry(record, node, end, entry, [one for one in facts.fdb if one.dev == VXLAN_DEVICE])
        record.passed(node.name, case.tunnels.others(node) - len(wrong))


def _report_entry(record: Recorder, node: Node, end: End, entry: Optional[FdbEntry], known: Sequence[FdbEntry]) -> None:
    other, _tunnel, mac, address = end
    actual = fdb_text(entry) if entry else "no entry"
    record.failed(
        node.name, Subject("Node", name=other.name, ip=address), "%s dst %s" % (mac, address), actual,
        "%s: frames for %s's VTEP %s are sent to %s instead of %s"
        % (node.name, other.name, mac, entry.dst if entry else "nobody", address),
        node_evidence(node, "bridge fdb show dev %s" % VXLAN_DEVICE, [fdb_text(one) for one in known]),
        "Felix puts it back within 100 s; else: %s" % restart(node),
    )  # fmt: skip


def _leftover(case: Case, record: Recorder) -> None:
    if "vxlan" in case.encapsulations or not record.lists("ippools"):
        record.skipped(None, "VXLAN is in use")
        return
    for node in case.snapshot.nodes:
        if record.facts(node, "links") is None:
            continue
        if VXLAN_DEVICE in case.links(node):
            record.warning(
                node.name, Subject("Device", name=VXLAN_DEVICE), "no device", "a device",
                "%s still has %s though no pool uses VXLAN" % (node.name, VXLAN_DEVICE),
                node_evidence(node, "ip link show %s" % VXLAN_DEVICE, [VXLAN_DEVICE]),
            )  # fmt: skip
        else:
            record.passed(node.name)


_REPAIR = "Felix makes it anew within about 10 s (device) or 100 s (entries); else restart calico-node on that node."
CHECKS = (
    Check(
        "vxlan.device", "The device vxlan.calico is there, up, and configured as Calico configures it",
        "A tunnelled packet leaves by this device or not at all.", _REPAIR, _where_vxlan_is(_device), "critical", ("routes",),
    ),
    Check(
        "vxlan.address", "Each node's tunnel address is its own in IPAM",
        "It is the gateway of the node's blocks on all other nodes; if a pod has it too, that pod is cut off.",
        "Restart calico-node on that node: it allocates the address at start.", _where_vxlan_is(_address), aspects=("ipam",),
    ),
    Check(
        "vxlan.neighbours", "Each node knows the MAC of every other node's tunnel end",
        "Nobody answers ARP on vxlan.calico: without the permanent entry packets to that node are dropped.",
        _REPAIR, _where_vxlan_is(_neighbours), aspects=("routes",),
    ),
    Check(
        "vxlan.fdb", "Each node knows which node a tunnel MAC is behind",
        "The device does not learn and does not flood: without the entry packets to that node are dropped.",
        _REPAIR, _where_vxlan_is(_fdb), aspects=("routes",),
    ),
    Check(
        "vxlan.leftover", "No VXLAN device stays behind where no pool uses VXLAN",
        "A leftover device holds an address and may hide that the change of encapsulation was not finished.",
        "Restart calico-node on that node.", _leftover, "minor", ("routes",),
    ),
)  # fmt: skip
