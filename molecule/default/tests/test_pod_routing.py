# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's exercises, judged by somebody who knows nothing of podnet.calico: real kubectl, and what Calico's lab must show.

What is expected here is written down from the lab's own description: a pod's two routes, TTL 63 and 62, a node's two
kinds of route. No line of the collection takes part.
"""

from __future__ import annotations

import ipaddress
import itertools
import json
import os
import re
import shlex

import pytest

testinfra_hosts = ["ansible://localhost"]

LAB = "molecule"
NODES = [f"{LAB}-control-plane", f"{LAB}-worker", f"{LAB}-worker2"]
POOL = ipaddress.ip_network("192.168.0.0/16")
KUBECONFIG = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "lab", "kubeconfig")


@pytest.fixture(scope="module")
def kubectl(host):
    """Run kubectl against the lab and give what it printed; its failure is the test's."""

    def run(*arguments: str) -> str:
        result = host.run(shlex.join(["kubectl", "--kubeconfig", KUBECONFIG, *arguments]))
        assert result.rc == 0, f"kubectl {shlex.join(arguments)}: {result.stdout}{result.stderr}"
        return result.stdout

    return run


@pytest.fixture(scope="module")
def pods(kubectl):
    """The lab's own pods, as the API tells them."""
    return json.loads(kubectl("get", "pods", "-n", "default", "-o", "json"))["items"]


@pytest.fixture(scope="module")
def on_node(kubectl):
    """Run a command in the network namespace of a node: in its calico-node pod, wherever Calico lives."""
    listed = json.loads(kubectl("get", "pods", "-A", "-l", "k8s-app=calico-node", "-o", "json"))["items"]
    agents = {pod["spec"]["nodeName"]: pod["metadata"] for pod in listed}

    def run(node: str, *command: str) -> str:
        agent = agents[node]
        return kubectl("exec", "-n", agent["namespace"], agent["name"], "-c", "calico-node", "--", *command)

    return run


def pairs(pods, same_node: bool):
    """All ordered pairs of pods that share a node, or that do not."""
    return [(a, b) for a, b in itertools.permutations(pods, 2) if (a["spec"]["nodeName"] == b["spec"]["nodeName"]) is same_node]


def in_pod(kubectl, pod, *command: str) -> str:
    return kubectl("exec", "-n", pod["metadata"]["namespace"], pod["metadata"]["name"], "--", *command)


def ttls(output: str) -> list[int]:
    return [int(value) for value in re.findall(r"ttl=(\d+)", output)]


def test_three_nodes_are_ready(kubectl):
    nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    ready = {
        node["metadata"]["name"]: condition["status"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    }
    assert ready == dict.fromkeys(NODES, "True")


def test_each_daemonset_has_a_pod_on_each_node_and_one_pod_stands_alone(pods):
    placed = {(pod["metadata"]["labels"]["app"], pod["spec"]["nodeName"]) for pod in pods}
    assert placed >= {(app, node) for app in ("multitool-1", "multitool-2") for node in NODES}
    assert [pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("ownerReferences")] == ["multitool"]
    assert len(pods) == 7


def test_every_pod_has_its_own_address_of_the_pool(pods):
    addresses = [ipaddress.ip_address(pod["status"]["podIP"]) for pod in pods]
    assert len(set(addresses)) == len(addresses)
    assert all(address in POOL for address in addresses)


def test_a_pod_has_exactly_two_routes(kubectl, pods):
    for pod in pods:
        lines = [line.strip() for line in in_pod(kubectl, pod, "ip", "route").splitlines()]
        assert lines == ["default via 169.254.1.1 dev eth0", "169.254.1.1 dev eth0 scope link"]


def test_a_pod_has_its_address_as_a_single_host(kubectl, pods):
    for pod in pods:
        shown = in_pod(kubectl, pod, "ip", "-4", "addr", "show", "dev", "eth0")
        assert f"inet {pod['status']['podIP']}/32 " in shown


def test_a_ping_on_the_same_node_crosses_one_hop(kubectl, pods):
    source, destination = pairs(pods, same_node=True)[0]
    output = in_pod(kubectl, source, "ping", "-c", "3", "-i", "0.2", destination["status"]["podIP"])
    assert ttls(output) == [63, 63, 63], output


def test_a_ping_across_nodes_crosses_two_hops(kubectl, pods):
    for source, destination in pairs(pods, same_node=False)[:3]:
        output = in_pod(kubectl, source, "ping", "-c", "3", "-i", "0.2", destination["status"]["podIP"])
        assert ttls(output) == [62, 62, 62], output


def test_a_node_reaches_its_own_pod_over_the_pods_device(on_node, pods):
    for pod in pods:
        lines = on_node(pod["spec"]["nodeName"], "ip", "route", "get", pod["status"]["podIP"]).splitlines()
        assert re.match(rf"{pod['status']['podIP']} dev cali[0-9a-f]{{11}} ", lines[0]), lines
        assert " via " not in lines[0]


def test_a_node_reaches_a_remote_pod_by_way_of_that_pods_node(on_node, pods):
    for source, destination in pairs(pods, same_node=False):
        address, gateway = destination["status"]["podIP"], destination["status"]["hostIP"]
        lines = on_node(source["spec"]["nodeName"], "ip", "route", "get", address).splitlines()
        assert lines[0].startswith(f"{address} via {gateway} dev eth0 "), lines


def test_a_node_has_one_blackhole_for_its_own_block_and_one_route_for_each_other(on_node, pods):
    for node in NODES:
        routes = on_node(node, "ip", "route").splitlines()
        assert len([line for line in routes if re.match(r"blackhole 192\.168\.\d+\.\d+/26 ", line)]) == 1
        remote = [line for line in routes if re.match(r"192\.168\.\d+\.\d+/26 via 172\.18\.0\.\d+ dev eth0 ", line)]
        assert len(remote) == len(NODES) - 1


def test_both_daemonsets_answer_on_their_own_ports(kubectl, pods):
    client = next(pod for pod in pods if pod["metadata"]["name"] == "multitool")
    for app, port in (("multitool-1", 80), ("multitool-2", 8080)):
        address = next(pod["status"]["podIP"] for pod in pods if pod["metadata"]["labels"]["app"] == app)
        assert in_pod(kubectl, client, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{address}:{port}/") == "200"
