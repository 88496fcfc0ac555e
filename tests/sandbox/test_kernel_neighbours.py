# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab learns its neighbours as long as the machine's one table has room; what goes beyond is written, and traffic flows."""

from __future__ import annotations

import os

import pytest
from kernel_lab import Lab
from podnet_sandbox.dataplane.desired import PodNetwork
from podnet_sandbox.dataplane.kernel import ContainerSpec, PodProcessSpec

#: 22 nodes and the gateway, each knowing all others, are 506 entries of the 512 that one lab may learn.
LEARNING, ALL = 22, 26
GATEWAY = "172.18.0.1"
MULTITOOL = "wbitt/network-multitool:latest"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")


def name(number: int) -> str:
    return f"node{number}"


def address(number: int) -> str:
    return f"172.18.0.{number + 2}"


def calico_node(number: int) -> PodProcessSpec:
    spec = ContainerSpec("calico-node", "quay.io/calico/node:v3.30.7", privileged=True)
    return PodProcessSpec("calico-system", f"calico-node-{name(number)}", (spec,))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.call("start")
        for number in range(ALL):
            lab.call("add_node", name(number), f"{address(number)}/16", GATEWAY)
        for number in (0, ALL - 2, ALL - 1):
            lab.call("add_pod", name(number), None, calico_node(number))
        yield lab
    finally:
        lab.close()


def permanent(lab, number):
    """Addresses that the node was given."""
    lines = lab.node(name(number), "ip", "neigh", "show", "dev", "eth0").output.splitlines()
    return {line.split()[0] for line in lines if line.split()[-1] == "PERMANENT"}


def test_nodes_beyond_the_room_and_the_others_are_given_one_another(lab):
    beyond = {address(number) for number in range(LEARNING, ALL)}
    assert permanent(lab, 0) == beyond
    assert permanent(lab, ALL - 1) == {"172.18.0.1", *(address(number) for number in range(ALL - 1))}


def test_what_was_written_is_true(lab):
    """The addresses of all devices are in the neighbours' entries: a wrong one would lead nowhere."""
    for number in (0, ALL - 1):
        link = lab.node(name(number), "ip", "-br", "link", "show", "dev", "eth0").output.split()[2]
        other = ALL - 2
        lines = lab.node(name(other), "ip", "neigh", "show", "dev", "eth0").output.splitlines()
        assert any(line.split()[0] == address(number) and link in line for line in lines)


def test_pods_learn_too_until_there_is_no_room_and_reach_their_node_either_way(lab):
    """Six entries are left, which is three pods."""
    pods = [f"pod{number}" for number in range(4)]
    written = []
    try:
        for number, pod in enumerate(pods):
            network = PodNetwork("default", pod, f"192.168.7.{number + 1}", f"cali0000000000{number}", 1450)
            lab.call("add_pod", name(0), network, PodProcessSpec("default", pod, (ContainerSpec("c", MULTITOOL),)))
            assert lab.pod(pod, "ping", "-c1", "-W2", address(0)).code == 0
            written.append("PERMANENT" in lab.pod(pod, "ip", "neigh").output)
    finally:
        for pod in pods:
            lab.call("remove_pod", "default", pod)
    assert written == [False, False, False, True]


def test_a_node_that_leaves_is_forgotten(lab):
    """The last test of the file: the lab is one node smaller after it."""
    gone = ALL - 1
    lab.call("remove_pod", "calico-system", f"calico-node-{name(gone)}")
    lab.call("remove_node", name(gone))
    assert address(gone) not in permanent(lab, 0)
