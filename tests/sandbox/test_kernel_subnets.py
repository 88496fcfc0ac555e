# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two subnets with a router between them, in the real kernel, held equal to recording vxlancrosssubnet-two-subnets.

Both ways of VXLANCrossSubnet are really taken: direct to the node of the same /31, through the tunnel and the router to the other.
"""

from __future__ import annotations

import json
import os
import re

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from test_felix import as_route, recording
from test_kernel_bird import until
from test_kernel_wiring import build, pod_of, ttl

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
RECORDED = "vxlancrosssubnet-two-subnets"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.networks = build(lab, recording(RECORDED))
        yield lab
    finally:
        lab.close()


@pytest.mark.parametrize("node", [CONTROL_PLANE, WORKER, WORKER2])
def test_a_nodes_main_table_is_the_recorded_one(lab, node):
    shown = json.loads(lab.node(node, "ip", "-j", "-d", "route").output)
    own = [entry for entry in shown if entry["dst"] in ("default",) or entry["protocol"] == "kernel"]
    wanted = {as_route(entry) for entry in recording(RECORDED)["routes"][node]}
    assert {as_route(entry) for entry in shown if entry not in own} == wanted
    address = recorded_address(node)
    assert lab.node(node, "ip", "route").output.startswith("default via 172.18.0.1 dev eth0 onlink \n")
    assert f"/31 dev eth0 proto kernel scope link src {address} \n" in lab.node(node, "ip", "route").output


def recorded_address(node):
    found = next(item for item in recording(RECORDED)["nodes"] if item["metadata"]["name"] == node)
    return found["metadata"]["annotations"]["projectcalico.org/IPv4Address"].partition("/")[0]


def tunnelled(lab, node):
    """Packets that left by the node's tunnel device."""
    shown = json.loads(lab.node(node, "ip", "-j", "-s", "link", "show", "vxlan.calico").output)
    return shown[0]["stats64"]["tx"]["packets"]


def test_the_tunnel_carries_what_goes_to_the_other_subnet_and_nothing_else(lab):
    source = pod_of(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]
    before = tunnelled(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, CONTROL_PLANE).address)) == [62]
    assert tunnelled(lab, WORKER) == before
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]
    assert tunnelled(lab, WORKER) == before + 1


OUTER = """table ip outer {
  chain tunnel {
    type filter hook prerouting priority -400;
    udp dport 4789 ip ttl 63 counter comment "routed"
    udp dport 4789 ip ttl != 63 counter comment "other"
  }
}"""


def test_the_router_takes_one_from_the_outer_time_to_live_and_none_from_the_inner(lab):
    """Outer TTL 63, inner 62, as recorded."""
    lab.node(WORKER2, "nft", "-f", "-", stdin=OUTER.encode())
    try:
        assert ttl(lab.pod(pod_of(lab, WORKER).name, "ping", "-c3", "-i0.1", "-W2", pod_of(lab, WORKER2).address)) == [62] * 3
        shown = lab.node(WORKER2, "nft", "list", "table", "ip", "outer").output
    finally:
        lab.node(WORKER2, "nft", "delete", "table", "ip", "outer")
    packets = {comment: int(count) for count, comment in re.findall(r'packets (\d+) .*comment "(\w+)"', shown)}
    assert packets == {"routed": 3, "other": 0}


def test_a_node_beyond_the_router_is_two_hops_away(lab):
    source = pod_of(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", "172.18.0.2")) == [63]
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", "172.18.0.4")) == [62]


@pytest.mark.parametrize(("target", "second"), [(CONTROL_PLANE, "172.18.0.2"), (WORKER2, "192.168.112.211")])
def test_traceroute_names_the_node_on_the_direct_way_and_its_tunnel_address_on_the_other(lab, target, second):
    address = pod_of(lab, target).address
    done = lab.pod(pod_of(lab, WORKER).name, "traceroute", "-n", "-q1", "-w2", "-m6", address)
    assert [line.split()[1] for line in done.output.splitlines()[1:]] == ["172.18.0.3", second, address]


def test_bird_finds_the_other_subnets_block_through_the_router(lab):
    """FINDINGS E: a recursive next hop, never programmed in this mode."""
    way = re.compile(
        r"^192\.168\.112\.192/26 via 172\.18\.0\.1 on eth0 \[Mesh_172_18_0_4 \S+ from 172\.18\.0\.4\] \* \(100/\?\) \[i\]$", re.MULTILINE
    )

    def shown():
        return lab.node(WORKER, "birdcl", "show", "route").output

    until(lambda: way.search(shown()))
    assert way.search(shown()), shown()


@pytest.fixture(scope="module")
def unencapsulated(tmp_path_factory):
    """The same nodes and pods with encapsulation None, in subnets where the router is on the link, or no kernel takes its address."""
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        recorded = recording(RECORDED)
        recorded["pools"][0]["spec"]["vxlanMode"] = "Never"
        for item in recorded["nodes"]:
            address = "172.18.1.4" if item["metadata"]["name"] == WORKER2 else recorded_address(item["metadata"]["name"])
            item["metadata"]["annotations"]["projectcalico.org/IPv4Address"] = f"{address}/24"
        lab.networks = build(lab, recorded)
        yield lab
    finally:
        lab.close()


def test_without_a_tunnel_bird_sends_the_other_subnets_block_to_the_router_which_does_not_know_it(unencapsulated):
    lab, other = unencapsulated, "192.168.112.192/26"
    until(lambda: lab.node(WORKER, "ip", "route", "show", other).output)
    assert lab.node(WORKER, "ip", "route", "show", other).output == f"{other} via 172.18.0.1 dev eth0 proto bird \n"
    until(lambda: lab.node(WORKER, "ip", "route", "show", "192.168.116.0/26").output)
    source = pod_of(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, CONTROL_PLANE).address)) == [62]
    lost = lab.pod(source.name, "ping", "-c1", "-W1", pod_of(lab, WORKER2).address)
    assert (lost.code, ttl(lost)) == (1, [])  # nor does the router know whom to tell
