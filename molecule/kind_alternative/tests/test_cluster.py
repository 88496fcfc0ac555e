# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster by kind alone, with everything set to something else. Nothing of podnet.calico is imported."""

import json
import os

import yaml

LAB = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "lab")
KUBECTL = f"kubectl --kubeconfig {LAB}/kubeconfig"


def test_the_nodes_have_the_labels_that_were_asked_for(host):
    nodes = json.loads(host.check_output(f"{KUBECTL} get nodes --output json"))["items"]
    racks = {node["metadata"]["name"]: node["metadata"]["labels"].get("rack") for node in nodes}
    assert racks == {"podnet-molecule-alone-control-plane": "a", "podnet-molecule-alone-worker": "b"}


def test_the_network_has_the_subnet_that_was_asked_for(host):
    (network,) = json.loads(host.check_output("docker network inspect kind"))
    assert "172.29.0.0/16" in [one["Subnet"] for one in network["IPAM"]["Config"]]


def test_the_api_is_on_the_port_that_was_asked_for(host):
    (cluster,) = yaml.safe_load(host.file(f"{LAB}/kubeconfig").content_string)["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:36443"


def test_the_configuration_has_what_was_asked_for(host):
    networking = yaml.safe_load(host.file(f"{LAB}/podnet-molecule-alone-no-cni.yaml").content_string)["networking"]
    assert (networking["podSubnet"], networking["serviceSubnet"]) == ("10.200.0.0/16", "10.201.0.0/16")
    assert networking["kubeProxyMode"] == "nftables"


def test_there_is_no_containerlab(host):
    tools = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "tools")
    assert sorted(host.file(tools).listdir()) == ["calico_manifests", "calicoctl", "kind", "kubectl"]
    assert "clab" not in host.check_output("docker network ls --format {{.Name}}").split()
