# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cluster routes of Felix's, and IPIP where the kernel has it: what is wanted, who is refused, and the device's own steps.

This kernel may have no IPIP (the figures' machine has none): then tunl0's steps are tried with a bridge of that name, and no packet is
tunnelled by any test here. Routes as in felix/dataplane/linux/ipip_mgr.go and noencap_mgr.go of v3.32.1; none were recorded.
"""

from __future__ import annotations

import asyncio
import copy
import os

import pytest
from fake_kernel import FakeKernel
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from lab import NODES, POOL, STATUSES, running
from podnet_sandbox.config import SandboxConfig
from podnet_sandbox.dataplane.bird.configuration import render
from podnet_sandbox.dataplane.desired import IpipDevice, Route
from podnet_sandbox.dataplane.felix import network_of
from podnet_sandbox.dataplane.kernel import ContainerSpec, PodProcessSpec
from test_felix import datastore, recording
from test_kernel_bird import established, until
from test_kernel_wiring import build, pod_of, ttl

FELIX_OWNS = [{"metadata": {"name": "default"}, "spec": {"programClusterRoutes": "Enabled"}}]
BIRD_DOES_NOT = [{"metadata": {"name": "default"}, "spec": {"programClusterRoutes": "Disabled"}}]
OWN, OTHERS = "192.168.93.192/26", {"192.168.112.192/26": "172.18.0.4", "192.168.116.0/26": "172.18.0.2"}


def cluster(mode="", version="v3.32.1"):
    """Recording none-operator, its pool with IPIP, and the nodes with addresses of tunl0."""
    recorded = copy.deepcopy(recording("none-operator"))
    recorded["calico_version"] = version
    recorded["pools"][0]["spec"]["ipipMode"] = mode or "Never"
    for node in recorded["nodes"] if mode else ():
        number = node["metadata"]["annotations"]["projectcalico.org/IPv4Address"].partition("/")[0].rpartition(".")[2]
        node["metadata"]["annotations"]["projectcalico.org/IPv4IPIPTunnelAddr"] = f"192.168.255.{number}"
    return recorded


def block_routes(recorded, **objects):
    network = network_of(WORKER, datastore(recorded, **objects))
    return network, {route for route in network.routes if route.dst.endswith("/26")}


def test_with_ipip_felix_goes_through_tunl0_to_the_node_itself():
    network, routes = block_routes(cluster("Always"), felix_configurations=FELIX_OWNS, bgp_configurations=BIRD_DOES_NOT, ipip=True)
    through = {Route(dst, gateway=node, device="tunl0", protocol=80, onlink=True, mtu=1480) for dst, node in OTHERS.items()}
    assert routes == through | {Route(OWN, kind="blackhole", protocol=80)}
    assert network.ipip == IpipDevice("192.168.255.3", 1480)
    assert "if ( net ~ 192.168.0.0/16 ) then { reject; }" in render(network.bgp, major=1).partition("calico_kernel_programming")[2]


@pytest.mark.parametrize(("mode", "ipip"), [("CrossSubnet", True), ("CrossSubnet", False), ("", False)])
def test_what_needs_no_tunnel_has_none(mode, ipip):
    _network, routes = block_routes(cluster(mode), felix_configurations=FELIX_OWNS, bgp_configurations=BIRD_DOES_NOT, ipip=ipip)
    direct = {Route(dst, gateway=node, device="eth0", protocol=80, onlink=True) for dst, node in OTHERS.items()}
    assert routes == direct | {Route(OWN, kind="blackhole", protocol=80)}


def test_a_kernel_without_ipip_has_neither_the_device_nor_routes_into_it():
    network, routes = block_routes(cluster("Always"), felix_configurations=FELIX_OWNS)
    assert network.ipip is None and routes == {Route(OWN, kind="blackhole", protocol=80)}


@pytest.mark.parametrize("version", ["v3.30.7", "v3.31.7", "v3.32.1"])
def test_such_routes_are_birds_unless_somebody_says_so_and_before_v3_31_always(version):
    network, routes = block_routes(cluster("Always", version), ipip=True)
    assert not routes and network.ipip and network.bgp.pools[0].program
    _network, routes = block_routes(cluster("Always", version), felix_configurations=FELIX_OWNS, ipip=True)
    assert bool(routes) == (version != "v3.30.7")
    network, _routes = block_routes(cluster("Always", version), bgp_configurations=BIRD_DOES_NOT, ipip=True)
    assert network.bgp.pools[0].program == (version != "v3.32.1")


def test_beside_a_pool_with_a_tunnel_felix_leaves_one_without_to_bird():
    recorded = cluster()
    recorded["pools"].append({"metadata": {"name": "other"}, "spec": {"cidr": "10.9.0.0/16", "vxlanMode": "Always", "ipipMode": "Never"}})
    assert block_routes(recorded, felix_configurations=FELIX_OWNS)[1] == set()


class WithIpip(FakeKernel):
    """A kernel that has tunl0."""

    def __init__(self):
        super().__init__()
        self.ipip = True


def installed(calico_version, encapsulation, **network):
    """A cluster on a kernel with IPIP, and what its tigerastatus calico says is wrong."""

    async def body(check):
        async with running(config=SandboxConfig(calico_version=calico_version), kernel=WithIpip()) as lab:
            lab.apply_manifests()
            lab.apply_installation({**POOL, "encapsulation": encapsulation}, **network)
            await check(lab)

    return lambda check: asyncio.run(body(check))


def test_with_felix_as_the_router_an_installation_may_have_ipip():
    async def check(lab):
        await lab.until(lambda: lab.available("calico") and all(node in lab.kernel.networks for node in NODES), 20)
        await lab.until(lambda: all(lab.kernel.networks[node].ipip for node in NODES))
        node = lab.store.get("nodes", NODES[1])["metadata"]["annotations"]
        assert lab.kernel.networks[NODES[1]].ipip.address == node["projectcalico.org/IPv4IPIPTunnelAddr"]
        handle = lab.store.get("ipamhandles.crd.projectcalico.org", f"ipip-tunnel-addr-{NODES[1]}")
        assert sum(handle["spec"]["block"].values()) == 1 and not lab.events("NoIPIP", NODES[1])
        assert not lab.kernel.networks[NODES[1]].bgp.pools[0].program

    installed("v3.32.1", "IPIP", clusterRoutingMode="Felix")(check)


@pytest.mark.parametrize(
    ("version", "message"),
    [("v3.30.7", "before Calico v3.32 only Calico's own BIRD routes into tunl0"), ("v3.32.1", "set calicoNetwork.clusterRoutingMode to Felix")],
)
def test_with_bird_as_the_router_it_may_not_whatever_the_kernel_has(version, message):
    async def check(lab):
        await lab.until(lambda: lab.store.find(STATUSES, "calico") and lab.condition(lab.store.get(STATUSES, "calico"), "Degraded")["status"] == "True")
        assert message in lab.condition(lab.store.get(STATUSES, "calico"), "Degraded")["message"]

    installed(version, "IPIPCrossSubnet")(check)


@pytest.fixture
def lab(tmp_path):
    lab = Lab(str(tmp_path))
    yield lab
    lab.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
def test_felix_routes_without_any_tunnel_and_bird_only_speaks(lab):
    """The real kernel and BIRD; the same pair of settings on all nodes."""
    recorded = cluster()
    lab.networks = build(lab, recorded, bird=False)
    for node in (CONTROL_PLANE, WORKER, WORKER2):
        wanted = network_of(node, datastore(recorded, felix_configurations=FELIX_OWNS, bgp_configurations=BIRD_DOES_NOT))
        lab.call("sync_node", wanted)
        lab.call("sync_bird", node, wanted.bgp)
    until(lambda: all(established(lab, node) == 2 for node in (CONTROL_PLANE, WORKER, WORKER2)))
    until(lambda: "192.168.112.192/26" in lab.node(WORKER, "birdcl", "show", "route").output)
    assert lab.node(WORKER, "ip", "route", "show", "192.168.112.192/26").output == "192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink \n"
    assert lab.node(WORKER, "ip", "route", "show", "proto", "bird").output == ""
    assert ttl(lab.pod(pod_of(lab, CONTROL_PLANE).name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]


@pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
def test_the_device_has_its_one_address_and_mtu_again_after_somebody_changed_it(lab):
    """With a bridge in the place of tunl0, and the routes into it."""
    recorded = cluster("Always")
    build(lab, recorded, bird=False)
    lab.call("stand_in_for_ipip", WORKER, "bridge")
    wanted = network_of(WORKER, datastore(recorded, felix_configurations=FELIX_OWNS, ipip=True))

    def shown():
        said = "ip -4 -o addr show dev tunl0 | grep -o 'inet [^ ]*'; ip -o link show tunl0 | grep -o 'mtu [0-9]*'; ip route | grep tunl0"
        return lab.node(WORKER, "sh", "-c", said).output

    lab.call("sync_node", wanted)
    assert shown() == (
        "inet 192.168.255.3/32\nmtu 1480\n"
        "192.168.112.192/26 via 172.18.0.4 dev tunl0 proto 80 onlink mtu 1480 \n"
        "192.168.116.0/26 via 172.18.0.2 dev tunl0 proto 80 onlink mtu 1480 \n"
    )
    before = shown()
    for breaking in ("ip link del tunl0", "ip addr add 10.1.1.1/32 dev tunl0; ip link set tunl0 mtu 1400"):
        lab.node(WORKER, "sh", "-c", breaking)
        assert shown() != before
        lab.call("resync", WORKER, "device")
        assert shown() == before
    lab.call("sync_node", network_of(WORKER, datastore(cluster(), felix_configurations=FELIX_OWNS)))
    assert "inet" not in shown() and "tunl0 proto" not in shown()


@pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
def test_the_probe_says_what_the_kernel_says(lab):
    lab.call("start")
    lab.call("add_node", WORKER, "172.18.0.3/16", "172.18.0.1")
    agent = ContainerSpec("calico-node", "quay.io/calico/node:v3.30.7", privileged=True)
    lab.call("add_pod", WORKER, None, PodProcessSpec("calico-system", f"calico-node-{WORKER}", (agent,)))
    tried = lab.node(WORKER, "ip", "link", "add", "probe0", "type", "ipip", "local", "127.0.0.1", "remote", "127.0.0.2")
    assert lab.call("has_ipip") == (tried.code == 0), tried.error
