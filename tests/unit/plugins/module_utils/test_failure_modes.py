# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The failure modes of docs/failure-modes.md: each that the page says is named, is named, by the checks that the page names."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS, judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Affinity, CapturedEcho, EchoReply, Nexthop, Probe, Route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import (
    BLOCK,
    BLOCK2,
    CONTROL,
    DEVICE,
    NONE,
    POD,
    VXLAN,
    WORKER,
    WORKER2,
    leaked_address,
    pod_elsewhere,
    policy_rule,
    second_affinity,
    with_block,
    with_gateway,
    with_pod_facts,
    with_route,
    with_session,
    with_sysctl,
    without_link,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    changed_route,
    recording,
    with_facts,
    with_node,
    with_pod,
    without_route,
)

PAGE = pathlib.Path(__file__).resolve().parents[4] / "docs" / "failure-modes.md"
POD_ROUTE, NO_MARK = "192.168.93.194/32", "calico-v3.32.1/none"


def ipip(change):
    return change(Plan("IPIP", [0, 0], [1, 1], "v3.30.7", False, 26, 0).snapshot())


def settings(snapshot, **fields):
    return snapshot._replace(header=snapshot.header._replace(settings=snapshot.header.settings._replace(**fields)))


def annotated(snapshot, node, **fields):
    return with_node(snapshot, node, lambda one: one._replace(**fields))


def added_block(snapshot, cidr, owner=WORKER, affinity=True):
    block = snapshot.blocks[0]._replace(cidr=cidr, affinity="host:" + owner, allocations=())
    return snapshot._replace(blocks=(*snapshot.blocks, block), affinities=(*snapshot.affinities, *([Affinity("x", cidr, owner)] if affinity else [])))


def without_affinity(snapshot):
    """The worker's block belongs to nobody, and no node has a route to it any more."""
    snapshot = with_block(snapshot, BLOCK, affinity=None)
    for node in snapshot.nodes:
        snapshot = without_route(snapshot, node.name, BLOCK)
    return snapshot._replace(affinities=tuple(one for one in snapshot.affinities if one.cidr != BLOCK))


def pinged(snapshot, replies=(), seen=None):
    probe = Probe("default/multitool", "default/x", "192.168.93.193", "192.168.112.197", WORKER, WORKER2, 3, replies, sniffer_saw=0)
    if seen:
        captured = tuple(CapturedEcho("request", seen, probe.destination_address, 7, number, 62) for number in (1, 2, 3))
        probe = probe._replace(captured=captured, sniffer_saw=3)
    return snapshot._replace(probes=(probe,))


def allocated_to_nobody(snapshot):
    kept = tuple(b._replace(allocations=tuple(a for a in b.allocations if not a.use or a.node != WORKER)) for b in snapshot.blocks)
    return snapshot._replace(blocks=kept)


def one_sided(snapshot):
    for node in snapshot.nodes:
        snapshot = with_facts(snapshot, node.name, sysctls=lambda old: {**old, "net.ipv4.conf.eth0.rp_filter": "1", "net.ipv4.conf.all.rp_filter": "0"})
    return annotated(snapshot, WORKER2, internal_ip="172.19.0.4", calico_address="172.19.0.4/12")


def same_address(snapshot):
    other = next(pod for pod in snapshot.pods if pod.name.startswith("multitool-2") and pod.node == WORKER2)
    return with_pod(snapshot, POD, lambda pod: pod._replace(address=other.address, addresses=(other.address,), calico_address=other.address))


ECMP = (Nexthop("172.18.0.2", "eth0"), Nexthop("172.18.0.4", "eth0"))
# The number on the page · what is judged
CASES = [
    ("F1", lambda: recording(NONE)._replace(affinities=(*recording(NONE).affinities, Affinity("x", "192.168.200.0/26", WORKER)))),
    ("F2", lambda: changed_route(second_affinity(recording(NONE)), CONTROL, BLOCK, gateway=None, dev=None, nexthops=ECMP)),
    ("F3", lambda: second_affinity(recording())),
    ("F4", lambda: with_block(recording(), BLOCK, affinity="host:" + WORKER2)),
    ("F5", lambda: added_block(recording(), "192.168.200.0/26", "gone")),
    ("F6", lambda: without_affinity(recording())),
    ("F7", lambda: without_route(recording("calico-v3.30.7/borrowed-vxlan"), WORKER2, "10.99.0.5/32")),
    ("F9", lambda: recording("calico-v3.30.7/pool-exhausted")),
    ("F10", lambda: added_block(recording(), "192.168.93.192/28")),
    ("F11", lambda: added_block(recording(), "10.250.0.0/26")),
    ("F12", lambda: without_route(with_session(recording(NONE), WORKER, "172.18.0.4", "Connect"), WORKER, BLOCK2)),
    ("F13", lambda: changed_route(recording(NONE), WORKER, BLOCK2, type="unreachable", gateway=None, dev=None)),
    ("F14", lambda: changed_route(recording(), WORKER, BLOCK2, gateway="172.18.0.1")),
    ("F15", lambda: annotated(recording(), WORKER, calico_address="172.17.0.1/16")),
    ("F16", lambda: annotated(recording(), WORKER, calico_address="172.18.0.3/32")),
    ("F17", lambda: pinged(recording())),
    ("F18", lambda: pinged(recording(VXLAN))),
    ("F19", lambda: pinged(recording())),
    ("F20", lambda: without_link(recording(), WORKER, "vxlan.calico")),
    ("F21", lambda: ipip(lambda s: annotated(s, "node-1", ipip_tunnel_address=s.nodes[0].ipip_tunnel_address))),
    ("F22", lambda: annotated(recording(), WORKER, vxlan_tunnel_address="192.168.93.194")),
    ("F23", lambda: same_address(recording())),
    ("F24", lambda: changed_route(recording(), WORKER, POD_ROUTE, dev="cali0337ec045c9")),
    ("F25", lambda: changed_route(recording(), WORKER, BLOCK2, gateway="172.18.0.2")),
    ("F26", lambda: without_route(recording(), WORKER, POD_ROUTE)),
    ("F27", lambda: without_route(recording(), WORKER, BLOCK2)),
    ("F28", lambda: changed_route(recording(), WORKER, BLOCK2, protocol="static")),
    ("F29", lambda: with_route(recording(), WORKER2, Route("192.168.116.0/27", gateway="172.18.0.1", dev="eth0"))),
    ("F29", lambda: policy_rule(recording())),
    ("F30", lambda: without_route(recording(), WORKER, "0.0.0.0/0")),
    ("F30", lambda: with_gateway(recording(), ("FAILED",))),
    ("F31", lambda: with_sysctl(recording(), WORKER, f"net.ipv4.conf.{DEVICE}.proxy_arp", "0")),
    ("F31", lambda: with_sysctl(recording(), WORKER, "net.ipv4.ip_forward", "0")),
    ("F32", lambda: one_sided(recording())),
    ("F33", lambda: with_pod_facts(recording(), links=lambda rows: tuple(x._replace(mtu=1400) for x in rows))),
    ("F34", lambda: settings(recording(), service_cidr="192.168.96.0/20")),
    ("F35", lambda: with_facts(recording(), WORKER, masquerade=lambda m: m._replace(masquerade_pools=()))),
    ("F36", lambda: pinged(recording(), tuple(EchoReply(number, 62) for number in (1, 2, 3)), "172.18.0.3")),
    ("F37", lambda: pinged(recording())),
    ("F38", lambda: pod_elsewhere(recording())),
    ("F38", lambda: with_facts(recording(), WORKER, links=lambda rows: (*rows, rows[0]._replace(name="cni0")))),
    ("F39", lambda: leaked_address(recording())),
    ("F40", lambda: settings(recording(NO_MARK), program_cluster_routes="Enabled")),
    ("F40", lambda: settings(recording(NO_MARK), bgp_program_cluster_routes="Disabled")),
    ("F41", lambda: allocated_to_nobody(recording())),
    ("F44", lambda: with_facts(recording(), WORKER, links=lambda rows: (*rows, rows[0]._replace(name="bpfin.cali")))),
    ("F45", lambda: annotated(recording(), WORKER, calico_address="172.18.0.9/16")),
]


def rows():
    """By number, the checks that the page says name it, and whether it says that only probes do."""
    found = {}
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"F\d+", cells[0]):
            assert len(cells) == 4, line
            found[cells[0]] = (re.findall(r"\[([a-z]+\.[a-z-]+)\]", cells[2]), cells[3])
    return found


def test_the_page_has_all_of_them_and_names_checks_that_there_are():
    page = rows()
    assert list(page) == [f"F{number}" for number in range(1, 46)]
    known = {check.id for check in CHECKS}
    assert {check for checks, _how in page.values() for check in checks} <= known
    assert all(how for _checks, how in page.values()), "what is not named is said, with the reason"
    assert {number for number, _case in CASES} == {number for number, (checks, _how) in page.items() if checks}


@pytest.mark.parametrize(("number", "case"), CASES)
def test_a_failure_mode_is_named_by_one_of_its_checks(number, case):
    checks, _how = rows()[number]
    causes = [finding for finding in judge(case()).findings if finding.cause is None and finding.outcome in ("failed", "warning")]
    named = [finding for finding in causes if finding.id in checks]
    assert named, [(finding.id, finding.message) for finding in causes]


@pytest.mark.parametrize("number", sorted({number for number, _case in CASES}))
def test_every_check_that_the_page_names_for_it_names_it(number):
    found = {finding.id for name, case in CASES if name == number for finding in judge(case()).findings}
    assert set(rows()[number][0]) <= found
