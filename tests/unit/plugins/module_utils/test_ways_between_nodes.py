# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What no recording shows: IPIP's device and address, two nodes that do not agree on who is near, and disabled pools."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording, with_facts, with_node


def cluster(mode, subnets=(0, 0, 1)):
    return Plan(mode, list(subnets), [1] * len(subnets), "v3.30.7", False, 26, 0).snapshot()


def headlines(snapshot, *checks):
    return [(finding.id, finding.node, finding.message) for finding in judge(snapshot, checks=checks or None).findings if not finding.cause]


def tunl0(snapshot, **fields):
    return with_facts(snapshot, "node-1", links=lambda rows: tuple(x._replace(**fields) if x.name == "tunl0" else x for x in rows))


def addressed(snapshot, name, address):
    return with_node(snapshot, name, lambda node: node._replace(ipip_tunnel_address=address))


def tunnel_of(snapshot, name):
    return next(node.ipip_tunnel_address for node in snapshot.nodes if node.name == name)


def unallocated(snapshot):
    kept = tuple(b._replace(allocations=tuple(a for a in b.allocations if (a.node, a.use) != ("node-1", "ipipTunnelAddress"))) for b in snapshot.blocks)
    return snapshot._replace(blocks=kept)


@pytest.mark.parametrize("mode", ["IPIP", "IPIPCrossSubnet"])
@pytest.mark.parametrize(
    ("check", "fault", "says"),
    [
        ("ipip.device", lambda s: tunl0(s, admin_up=False), "node-1: tunl0 is down"),
        ("ipip.device", lambda s: tunl0(s, name="tunl1"), "node-1: tunl0 is missing"),
        ("ipip.device", lambda s: tunl0(s, mtu=1500), "of MTU 1500 on an uplink of 1500"),
        ("ipip.device", lambda s: with_facts(s, "node-1", addresses=lambda rows: rows[:1]), "node-1: tunl0 is with address none"),
        ("ipip.address", lambda s: addressed(s, "node-1", None), "is missing"),
        ("ipip.address", lambda s: addressed(s, "node-1", tunnel_of(s, "node-0")), "is also node-0's"),
        ("ipip.address", lambda s: addressed(s, "node-1", s.pods[1].address), "is also pod default/node-1-pod-0's"),
        ("ipip.address", unallocated, "is allocated to nobody in IPAM"),
    ],
)
def test_ipips_device_and_address(mode, check, fault, says):
    assert headlines(cluster(mode), "ipip.*") == []
    (found,) = [one for one in headlines(fault(cluster(mode)), "ipip.*") if one[0] == check]
    assert found[1] == "node-1" and says in found[2]


def test_a_tunnel_device_that_is_down_is_the_one_headline_of_the_lost_paths():
    assert {one[0] for one in headlines(tunl0(cluster("IPIP"), admin_up=False))} == {"ipip.device"}


def masks(snapshot, **prefixes):
    """The lengths of the masks of some nodes' Calico addresses."""
    for name, length in prefixes.items():
        name = name.replace("_", "-")
        snapshot = with_node(snapshot, name, lambda node, n=length: node._replace(calico_address=f"{node.internal_ip}/{n}"))
    return snapshot


def strict(snapshot, device, value="1", every="0"):
    new = {"net.ipv4.conf.all.rp_filter": every, f"net.ipv4.conf.{device}.rp_filter": value}
    for node in snapshot.nodes:
        snapshot = with_facts(snapshot, node.name, sysctls=lambda known: {**known, **new})
    return snapshot


# node-2 is in another subnet, and its mask holds the others: it sends to them directly, they send to it by the tunnel.
ONE_SIDED = masks(cluster("VXLANCrossSubnet"), node_2=12)


@pytest.mark.parametrize(
    ("snapshot", "nodes"),
    [
        (strict(cluster("VXLANCrossSubnet"), "eth0"), []),
        (strict(ONE_SIDED, "eth0"), ["node-0", "node-1"]),
        (strict(ONE_SIDED, "vxlan.calico"), ["node-2", "node-2"]),
        (strict(ONE_SIDED, "eth0", value="0", every="1"), ["node-0", "node-1", "node-2", "node-2"]),
        (strict(ONE_SIDED, "eth0", value="2", every="1"), ["node-2", "node-2"]),
        (strict(ONE_SIDED, "eth0", value="0"), []),
        (strict(masks(cluster("VXLAN"), node_2=12), "eth0"), []),
        (strict(masks(cluster("IPIPCrossSubnet"), node_2=12), "tunl0"), ["node-2", "node-2"]),
    ],
)
def test_strict_rp_filter_drops_what_goes_another_way_back(snapshot, nodes):
    for node in snapshot.nodes:
        defaults = {f"net.ipv4.conf.{link.name}.rp_filter": "0" for link in node.facts.links}
        snapshot = with_facts(snapshot, node.name, sysctls=lambda known, d=defaults: {**d, **known})
    found = headlines(snapshot, "sysctls.reverse-path")
    assert [one[1] for one in found] == nodes
    assert all("rp_filter is 1 (strict)" in one[2] for one in found)


def test_rp_filter_that_was_not_read_is_undecided_only_where_it_counts():
    assert headlines(cluster("VXLANCrossSubnet"), "sysctls.reverse-path") == []
    verdict = judge(ONE_SIDED, checks=["sysctls.reverse-path"])
    assert {finding.outcome for finding in verdict.findings} == {"inconclusive"}


def disabled(snapshot):
    return snapshot._replace(pools=tuple(pool._replace(disabled=True) for pool in snapshot.pools))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_pool_that_is_disabled_keeps_its_routes_devices_and_mtu(scenario):
    healthy = headlines(recording(scenario))
    assert [one for one in headlines(disabled(recording(scenario))) if one not in healthy] == []


def test_a_tunnel_address_given_back_after_the_last_pool_was_disabled_is_no_fault():
    snapshot = disabled(addressed(cluster("IPIP"), "node-1", None))
    assert headlines(snapshot, "ipip.address") == []


def with_device(snapshot, name, **settings):
    header = snapshot.header._replace(settings=snapshot.header.settings._replace(**settings))
    return with_facts(snapshot._replace(header=header), "node-0", links=lambda rows: rows + (rows[0]._replace(name=name),))


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("cni0", {}, ["node-0 has cni0, the bridge plugin's device: it was left behind, or wires pods beside Calico"]),
        ("bpfin.cali", {}, ["node-0 has bpfin.cali, the eBPF dataplane's device: it was left behind, or wires pods beside Calico"]),
        ("bpfin.cali", {"bpf_enabled": True}, []),
        ("eth1", {}, []),
    ],
)
def test_a_device_that_is_not_calicos_is_a_warning(name, settings, says):
    found = judge(with_device(cluster("None"), name, **settings), checks=["nodes.leftovers"]).findings
    assert [(finding.outcome, finding.message) for finding in found] == [("warning", one) for one in says]
