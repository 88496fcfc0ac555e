# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox that cannot be built is refused before anything is built, by a message that names the setting."""

from __future__ import annotations

import pytest
from podnet_sandbox.config import ConfigError, SandboxConfig


def test_the_default_is_the_labs_three_nodes_on_dockers_network():
    config = SandboxConfig.from_mapping({})
    assert [(name, config.address_of(name)) for name in config.nodes] == [
        ("pod-routing-control-plane", "172.18.0.2"),
        ("pod-routing-worker", "172.18.0.3"),
        ("pod-routing-worker2", "172.18.0.4"),
    ]
    assert (config.control_plane, config.gateway_of("pod-routing-worker")) == ("pod-routing-control-plane", "172.18.0.1")


def test_a_node_has_the_address_it_is_given():
    config = SandboxConfig.from_mapping({"nodes": ["a", "b"], "node_addresses": ["172.18.0.9", "172.18.0.4"]})
    assert [config.address_of(name) for name in config.nodes] == ["172.18.0.9", "172.18.0.4"]
    assert SandboxConfig.from_json(config.to_json()) == config


def test_subnets_share_the_nodes_out_and_each_has_its_own_mask_and_gateway():
    config = SandboxConfig.from_mapping({"node_subnets": ["172.18.1.0/24", "172.18.2.0/25"]})
    assert [(config.interface_of(name), config.gateway_of(name)) for name in config.nodes] == [
        ("172.18.1.2/24", "172.18.1.1"),
        ("172.18.1.3/24", "172.18.1.1"),
        ("172.18.2.2/25", "172.18.2.1"),
    ]


def test_the_recorded_subnets_have_no_room_for_a_router_which_is_the_node_networks():
    config = SandboxConfig.from_mapping({
        "node_addresses": ["172.18.0.2", "172.18.0.3", "172.18.0.4"],
        "node_subnets": ["172.18.0.2/31", "172.18.0.4/31"],
    })  # fmt: skip
    assert [(config.interface_of(name), config.gateway_of(name)) for name in config.nodes] == [
        ("172.18.0.2/31", "172.18.0.1"),
        ("172.18.0.3/31", "172.18.0.1"),
        ("172.18.0.4/31", "172.18.0.1"),
    ]


def test_json_gives_the_same_configuration_back():
    config = SandboxConfig.from_mapping({"name": "other", "nodes": ["a", "b"], "node_subnet": "10.1.0.0/29", "port": 6443})
    assert SandboxConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"nodez": []}, "unknown sandbox setting nodez"),
        ({"name": "Pod_Routing"}, "name is 'Pod_Routing', expected a lower-case DNS label"),
        ({"nodes": []}, "nodes is empty"),
        ({"nodes": "worker"}, "nodes is 'worker', expected a list of names"),
        ({"nodes": ["a", "b", "a"]}, "nodes has a more than once"),
        ({"nodes": ["a", "b c"]}, r"nodes\[1\] is 'b c'"),
        ({"node_addresses": "172.18.0.2"}, "node_addresses is '172.18.0.2', expected a list of addresses"),
        ({"node_addresses": ["172.18.0.2"]}, "node_addresses has 1 addresses for 3 nodes"),
        ({"nodes": ["a"], "node_addresses": ["here"]}, r"node_addresses\[0\] is 'here', expected an IPv4 address"),
        ({"nodes": ["a"], "node_addresses": ["10.0.0.9"]}, r"node_addresses\[0\] is 10.0.0.9, expected a free address of node_subnet"),
        ({"nodes": ["a"], "node_addresses": ["172.18.0.1"]}, r"node_addresses\[0\] is 172.18.0.1, expected a free address"),
        ({"nodes": ["a", "b"], "node_addresses": ["172.18.0.5"] * 2}, r"node_addresses\[1\] is 172.18.0.5, expected a free address"),
        ({"node_subnet": "172.18.0.1/16"}, "node_subnet is '172.18.0.1/16', expected an IPv4 network"),
        ({"node_subnet": "172.18.0.0/30"}, "has no room for 3 nodes and a gateway"),
        ({"node_subnets": "172.18.1.0/24"}, "node_subnets is '172.18.1.0/24', expected a list of networks"),
        ({"node_subnets": ["172.18.1.2/24"]}, r"node_subnets\[0\] is '172.18.1.2/24', expected an IPv4 network"),
        ({"node_subnets": ["172.19.0.0/24"]}, r"node_subnets\[0\] 172.19.0.0/24 is not a part of node_subnet 172.18.0.0/16"),
        ({"node_subnets": ["172.18.0.0/17", "172.18.1.0/24"]}, r"node_subnets\[0\] 172.18.0.0/17 overlaps node_subnets\[1\]"),
        ({"node_subnets": ["172.18.1.0/30", "172.18.2.0/24"]}, "node_subnets 172.18.1.0/30 has no room for 2 nodes and a gateway"),
        (
            {"nodes": ["a", "b"], "node_addresses": ["172.18.1.2", "172.18.3.2"], "node_subnets": ["172.18.1.0/24", "172.18.2.0/24"]},
            r"node_addresses\[1\] is 172.18.3.2, expected a free address of one of node_subnets 172.18.1.0/24, 172.18.2.0/24",
        ),
        ({"pod_subnet": "172.18.0.0/24"}, "node_subnet 172.18.0.0/16 overlaps pod_subnet 172.18.0.0/24"),
        ({"service_subnet": "fd00::/112"}, "service_subnet is 'fd00::/112'"),
        ({"calico_version": "v3.20.0"}, "the sandbox knows the routes of v3.30, v3.31, v3.32 only"),
        ({"kubernetes_version": "1.32"}, "kubernetes_version is '1.32', expected a release"),
        ({"port": 70000}, "port is 70000, expected a number from 0"),
        ({"port": True}, "port is True"),
    ],
)
def test_a_setting_that_cannot_be_is_named(setting, message):
    with pytest.raises(ConfigError, match=message):
        SandboxConfig.from_mapping(setting)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_broken_file_is_said_to_be_one(text):
    with pytest.raises(ConfigError, match="the sandbox configuration is"):
        SandboxConfig.from_json(text)
