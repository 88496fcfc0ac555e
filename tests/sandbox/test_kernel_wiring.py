# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes and pods in the real kernel, held equal to what a real Calico v3.30.7 left in its nodes and pods.

`recordings/vxlancrosssubnet-operator.json` (objects and routes) is calculated and realised; `recordings/node/` is what
the worker and the pod `multitool` showed.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from pathlib import Path

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from podnet_sandbox.dataplane.felix import network_of
from podnet_sandbox.dataplane.kernel import ContainerSpec, PodProcessSpec
from test_felix import as_route, datastore, recording

NODE_RECORDINGS = Path(__file__).parent / "recordings" / "node"
ADDRESSES = {CONTROL_PLANE: "172.18.0.2", WORKER: "172.18.0.3", WORKER2: "172.18.0.4"}
MULTITOOL = "wbitt/network-multitool:latest"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root; the rootless way has its own test")


def interfaces(recorded):
    """Each node's address with its own mask."""
    return {node["metadata"]["name"]: node["metadata"]["annotations"]["projectcalico.org/IPv4Address"] for node in recorded["nodes"]}


def gateway(interface):
    """The first host of the node's subnet; a /31 has none to spare, and the router the recorded address."""
    subnet = ipaddress.ip_interface(interface).network
    return str(subnet[1]) if subnet.prefixlen < 31 else "172.18.0.1"


def build(lab, recorded, *, bird=True):
    """Everything of a recording: nodes, calico-node and workload pods, routes, BIRD."""
    lab.call("start")
    for node, interface in interfaces(recorded).items():
        lab.call("add_node", node, interface, gateway(interface))
        spec = ContainerSpec("calico-node", "quay.io/calico/node:v3.30.7", privileged=True)
        lab.call("add_pod", node, None, PodProcessSpec("calico-system", f"calico-node-{node}", (spec,)))
    networks = {node: network_of(node, datastore(recorded)) for node in ADDRESSES}
    for node, network in networks.items():
        for pod in network.pods:
            lab.call("add_pod", node, pod, PodProcessSpec(pod.namespace, pod.name, (ContainerSpec("c", MULTITOOL),)))
        lab.call("sync_node", network)
        if bird:
            lab.call("sync_bird", node, network.bgp)
    return networks


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.networks = build(lab, recording("vxlancrosssubnet-operator"))
        yield lab
    finally:
        lab.close()


def pod_of(lab, node, number=0):
    """One of the node's pods in namespace default."""
    return [pod for pod in lab.networks[node].pods if pod.namespace == "default"][number]


def recorded_lines(name):
    return (NODE_RECORDINGS / name).read_text().splitlines()


@pytest.mark.parametrize("node", ADDRESSES)
def test_a_nodes_main_table_is_the_recorded_one(lab, node):
    shown = json.loads(lab.node(node, "ip", "-j", "-d", "route").output)
    own = {"default", "172.18.0.0/16"}
    wanted = {as_route(entry) for entry in recording("vxlancrosssubnet-operator")["routes"][node]}
    assert {as_route(entry) for entry in shown if entry["dst"] not in own} == wanted
    plain = [line for line in lab.node(node, "ip", "route").output.splitlines() if line.split()[0] in own]
    assert plain == [
        "default via 172.18.0.1 dev eth0 ",
        f"172.18.0.0/16 dev eth0 proto kernel scope link src {ADDRESSES[node]} ",
    ]


def test_a_pod_has_exactly_the_two_routes_and_a_host_address(lab):
    pod = pod_of(lab, WORKER)
    assert lab.pod(pod.name, "ip", "-j", "-d", "route").output == (
        '[{"type":"unicast","dst":"default","gateway":"169.254.1.1","dev":"eth0","protocol":"boot","scope":"global","flags":[]},'
        '{"type":"unicast","dst":"169.254.1.1","dev":"eth0","protocol":"boot","scope":"link","flags":[]}]\n'
    )
    assert f"inet {pod.address}/32 scope global eth0" in lab.pod(pod.name, "ip", "addr").output


#: What an iproute2 newer than the recordings' prints besides (6.15 of Debian 13), and every flag that is off.
NEWER = ("gro_ipv4_max_size", "gso_ipv4_max_size", "localbypass", "reserved_bits")


def comparable(link):
    """A link without what differs between two recordings of the same machine: numbers, and MACs the kernel makes up."""
    made_up = link["ifname"] in ("eth0",)
    kind = link.get("linkinfo", {})
    if "info_data" in kind:
        kind["info_data"] = {key: value for key, value in kind["info_data"].items() if key not in NEWER and value is not False}
    return {
        key: value
        for key, value in link.items()
        if key not in ("ifindex", "link_index", "link_netnsid", *NEWER) and not (key == "address" and made_up)
    }


@pytest.mark.parametrize("where", ["node", "pod"])
def test_links_are_the_recorded_ones_down_to_mac_mtu_and_queues(lab, where):
    recorded = json.loads((NODE_RECORDINGS / ("links.json" if where == "node" else "pod-links.json")).read_text())
    argv = ("ip", "-j", "-d", "link")
    done = lab.node(WORKER, *argv) if where == "node" else lab.pod(pod_of(lab, WORKER).name, *argv)
    shown = {link["ifname"]: comparable(link) for link in json.loads(done.output)}
    wanted = {link["ifname"]: comparable(link) for link in recorded}
    if where == "node":  # the number of CPUs
        for links in (shown, wanted):
            for key in ("num_tx_queues", "num_rx_queues"):
                links["eth0"].pop(key)
    assert shown == wanted


def read_sysctls(run, keys):
    paths = ["/proc/sys/" + key for key in keys]
    return run("sh", "-c", 'for f in "$@"; do cat "$f"; done', "sh", *paths).output.split()


def test_a_nodes_sysctls_are_the_recorded_ones(lab):
    recorded = dict(line.split(" = ") for line in recorded_lines("sysctls.txt"))
    devices = "|".join(re.escape(name) for name in ("vxlan.calico", "eth0", "lo", "all", "default"))
    paths = {}
    for key in recorded:
        parts = re.fullmatch(rf"net\.(ipv\d)\.(conf|neigh)\.({devices}|cali\w+)\.(\w+)", key)
        paths[key] = "net/" + "/".join(parts.groups()) if parts else key.replace(".", "/")
    shown = dict(zip(recorded, read_sysctls(lambda *a: lab.node(WORKER, *a), paths.values()), strict=True))
    assert shown == recorded


def test_a_pods_sysctls_are_the_recorded_ones(lab):
    recorded = dict(line.split(" = ") for line in recorded_lines("pod-sysctls.txt"))
    pod = pod_of(lab, WORKER).name
    assert dict(zip(recorded, read_sysctls(lambda *a: lab.pod(pod, *a), recorded), strict=True)) == recorded


def test_the_tunnel_device_knows_every_other_node_for_good(lab):
    neighbours = lab.node(WORKER, "ip", "neigh", "show", "dev", "vxlan.calico").output.splitlines()
    assert sorted(neighbours) == [
        "192.168.112.192 lladdr 66:2d:56:cc:a5:7d PERMANENT ",
        "192.168.116.0 lladdr 66:cd:66:86:cd:1f PERMANENT ",
    ]
    entries = lab.node(WORKER, "bridge", "fdb", "show", "dev", "vxlan.calico").output.splitlines()
    assert sorted(entries) == [
        "66:2d:56:cc:a5:7d dst 172.18.0.4 self permanent",
        "66:cd:66:86:cd:1f dst 172.18.0.2 self permanent",
    ]


def test_the_nat_table_is_the_recorded_one(lab):
    text = lab.node(WORKER, "iptables-nft-save", "-t", "nat").output
    shown = [re.sub(r" \[\d+:\d+\]$", "", line) for line in text.splitlines() if not line.startswith("#")]
    assert shown == recorded_lines("nat.txt")


def test_the_ipsets_are_the_recorded_ones(lab):
    found = {}
    for part in lab.node(WORKER, "ipset", "list").output.split("\n\n"):
        lines = part.strip().splitlines()
        found[lines[0].split()[1]] = (lines[1].split()[1], set(lines[lines.index("Members:") + 1 :]))
    assert found == {
        "cali40all-ipam-pools": ("hash:net", {"192.168.0.0/16"}),
        "cali40masq-ipam-pools": ("hash:net", {"192.168.0.0/16"}),
        "cali40all-vxlan-net": ("hash:net", {"172.18.0.2", "172.18.0.4"}),
        "cali40this-host": ("hash:ip", {"127.0.0.0", "127.0.0.1", "172.18.0.3", "192.168.93.192"}),
    }


def ttl(done):
    return [int(found) for found in re.findall(r"ttl=(\d+)", done.output)]


def test_a_ping_on_one_node_arrives_with_63_and_across_nodes_with_62(lab):
    source = pod_of(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER, 1).address)) == [63]
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", "172.18.0.3")) == [64]
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", "172.18.0.4")) == [63]


def test_the_gateway_resolves_to_the_made_up_mac_of_every_cali_device(lab):
    source = pod_of(lab, WORKER)
    lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)
    assert "169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee" in lab.pod(source.name, "ip", "neigh").output


def test_traceroute_names_the_node_addresses_on_the_way(lab):
    done = lab.pod(
        pod_of(lab, WORKER).name, "traceroute", "-n", "-q1", "-w2", "-m6", pod_of(lab, WORKER2).address
    )
    hops = [line.split()[1] for line in done.output.splitlines()[1:]]
    assert hops == ["172.18.0.3", "172.18.0.4", pod_of(lab, WORKER2).address]


def test_1422_bytes_pass_unfragmented_and_1423_do_not(lab):
    source, target = pod_of(lab, WORKER), pod_of(lab, WORKER2)
    assert lab.pod(source.name, "ping", "-Mdo", "-s1422", "-c1", "-W2", target.address).code == 0
    refused = lab.pod(source.name, "ping", "-Mdo", "-s1423", "-c1", "-W1", target.address)
    # "ping: local error: message too long, mtu=1450" of older iputils, "ping: sendmsg: Message too long" of newer ones
    assert refused.code == 1 and "message too long" in (refused.output + refused.error).lower()


def test_a_capture_in_the_destination_shows_the_source_untouched(lab):
    source, target = pod_of(lab, WORKER), pod_of(lab, WORKER2)
    script = f"timeout 5 tcpdump -i eth0 -n -l -c 2 'icmp and host {source.address}' & sleep 0.5; ping -c1 -W2 {source.address}; wait"
    shown = lab.pod(target.name, "sh", "-c", script).output
    echo = rf"IP {re.escape(target.address)} > {re.escape(source.address)}: ICMP echo request, id (\d+), seq 1"
    reply = rf"IP {re.escape(source.address)} > {re.escape(target.address)}: ICMP echo reply, id (\d+), seq 1"
    assert re.search(echo, shown)[1] == re.search(reply, shown)[1]


def test_an_unused_address_of_the_own_block_is_not_routed(lab):
    done = lab.node(WORKER, "ip", "route", "get", "192.168.93.250")
    assert (done.code, done.error) == (2, "RTNETLINK answers: Invalid argument\n")


def test_nat_outgoing_hides_the_pod_from_what_is_no_pool(lab):
    before = lab.node(WORKER, "iptables-nft-save", "-c", "-t", "nat").output
    lab.pod(pod_of(lab, WORKER).name, "ping", "-c1", "-W1", "172.18.0.1")
    after = lab.node(WORKER, "iptables-nft-save", "-c", "-t", "nat").output

    def hits(text):
        return int(re.search(r"\[(\d+):\d+\] -A cali-nat-outgoing", text)[1])

    assert hits(after) == hits(before) + 1


def test_a_route_taken_away_is_back_at_the_resync_and_one_changed_in_place_is_not(lab):
    lab.node(WORKER2, "ip", "route", "del", "192.168.116.0/26")
    lab.node(WORKER2, "ip", "route", "replace", "192.168.93.192/26", "via", "172.18.0.2", "dev", "eth0", "proto", "80")
    lab.node(WORKER2, "ip", "route", "add", "203.0.113.0/24", "via", "172.18.0.2", "dev", "eth0")
    lab.call("resync", WORKER2, "device", "routes")
    routes = lab.node(WORKER2, "ip", "route").output
    assert "192.168.116.0/26 via 172.18.0.2 dev eth0 proto 80 onlink" in routes
    assert "192.168.93.192/26 via 172.18.0.2 dev eth0 proto 80" in routes  # FINDINGS A4: it still looks Felix's
    assert "203.0.113.0/24 via 172.18.0.2 dev eth0" in routes  # nor is a foreign route touched
    lab.call("resync", WORKER2, "device", "routes", compare=True)  # v3.32.1 repairs (FINDINGS D)
    assert "192.168.93.192/26 via 172.18.0.3 dev eth0 proto 80 onlink" in lab.node(WORKER2, "ip", "route").output
    lab.node(WORKER2, "ip", "route", "del", "203.0.113.0/24")


def test_a_deleted_tunnel_device_comes_back_with_all_that_was_on_it(lab):
    lab.node(CONTROL_PLANE, "ip", "link", "del", "vxlan.calico")
    lab.call("resync", CONTROL_PLANE, "device")
    assert "inet 192.168.116.0/32 scope global vxlan.calico" in lab.node(CONTROL_PLANE, "ip", "addr").output
    assert lab.node(CONTROL_PLANE, "ip", "neigh", "show", "dev", "vxlan.calico").output.count("PERMANENT") == 2


def test_what_others_route_to_a_pods_device_goes_at_the_resync(lab):
    pod = pod_of(lab, WORKER)
    lab.node(WORKER, "ip", "route", "add", pod.address, "dev", pod.host_device, "metric", "500", "proto", "static")
    lab.node(WORKER, "ip", "route", "add", "203.0.113.0/24", "dev", pod.host_device, "scope", "host")
    lab.call("resync", WORKER, "routes")
    routes = lab.node(WORKER, "ip", "route").output
    assert routes.count(f"{pod.address} dev {pod.host_device}") == 1
    assert "metric 500" not in routes and "203.0.113.0/24" not in routes


def test_the_sets_of_nat_outgoing_hold_what_they_must_after_felix_looked(lab):
    before = lab.node(WORKER, "ipset", "list", "cali40masq-ipam-pools").output
    lab.node(WORKER, "ipset", "del", "cali40masq-ipam-pools", "192.168.0.0/16")
    lab.node(WORKER, "ipset", "add", "cali40masq-ipam-pools", "203.0.113.0/24")
    lab.node(WORKER, "ipset", "create", "of-somebody-else", "hash:ip")
    assert lab.node(WORKER, "ipset", "list", "cali40masq-ipam-pools").output != before
    lab.call("resync", WORKER, "ipsets")
    assert lab.node(WORKER, "ipset", "list", "cali40masq-ipam-pools").output == before
    assert lab.node(WORKER, "ipset", "destroy", "of-somebody-else").code == 0


def test_a_device_that_is_up_again_has_its_route_back_at_once_where_felix_runs(lab):
    pod = pod_of(lab, WORKER)
    for running in (False, True):
        lab.call("set_felix_ready", WORKER, running)
        lab.node(WORKER, "ip", "link", "set", pod.host_device, "down")
        assert pod.address not in lab.node(WORKER, "ip", "route").output
        lab.node(WORKER, "ip", "link", "set", pod.host_device, "up")
        deadline = time.monotonic() + (5 if running else 0.5)
        while pod.address not in lab.node(WORKER, "ip", "route").output and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (pod.address in lab.node(WORKER, "ip", "route").output) == running


def test_a_removed_pod_takes_device_and_route_along(lab):
    pod = pod_of(lab, CONTROL_PLANE)
    lab.call("remove_pod", pod.namespace, pod.name)
    assert pod.host_device not in lab.node(CONTROL_PLANE, "ip", "link").output
    assert pod.address + " " not in lab.node(CONTROL_PLANE, "ip", "route").output


def test_with_every_pool_tunnelled_pods_speak_through_vxlan(tmp_path):
    recorded = recording("vxlan")
    lab = Lab(str(tmp_path))
    try:
        lab.networks = build(lab, recorded, bird=False)
        shown = json.loads(lab.node(WORKER, "ip", "-j", "-d", "route").output)
        routes = {as_route(entry) for entry in shown if entry["dst"] not in ("default", "172.18.0.0/16")}
        assert routes == {as_route(entry) for entry in recorded["routes"][WORKER]}
        assert ttl(lab.pod(pod_of(lab, WORKER).name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]
        counters = json.loads(lab.node(WORKER, "ip", "-j", "-s", "link", "show", "vxlan.calico").output)
        assert counters[0]["stats64"]["tx"]["packets"] >= 1
    finally:
        lab.close()
