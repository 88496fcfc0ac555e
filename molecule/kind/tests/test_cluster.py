# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster by containerlab: containers, network, kubeconfig, record. Nothing of podnet.calico is imported."""

import json
import os

import pytest
import yaml

LAB = os.path.join(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "lab")
NODES = {"podnet-molecule-control-plane", "podnet-molecule-worker", "podnet-molecule-worker2"}


@pytest.fixture(scope="module")
def containers(host):
    listed = host.check_output("docker ps --quiet --filter label=io.x-k8s.kind.cluster=podnet-molecule").split()
    return {one["Name"].lstrip("/"): one for one in json.loads(host.check_output("docker inspect " + " ".join(listed)))}


def test_the_nodes_run_on_the_network_of_kind(containers):
    assert set(containers) == NODES
    assert {network for one in containers.values() for network in one["NetworkSettings"]["Networks"]} == {"kind"}


def test_the_network_is_the_labs_by_its_label_and_has_its_subnet(host):
    (network,) = json.loads(host.check_output("docker network inspect kind"))
    assert network["Labels"].get("podnet.calico/lab")
    assert "172.18.0.0/16" in [one["Subnet"] for one in network["IPAM"]["Config"]]


def test_the_kubeconfig_leads_to_loopback_and_is_the_users_own(host):
    kubeconfig = host.file(f"{LAB}/kubeconfig")
    assert kubeconfig.mode == 0o600
    (cluster,) = yaml.safe_load(kubeconfig.content_string)["clusters"]
    assert cluster["cluster"]["server"].startswith("https://127.0.0.1:")


def test_the_record_names_these_very_containers(host, containers):
    record = json.loads(host.file(f"{LAB}/cluster.json").content_string)
    assert {one["id"] for one in record["containers"]} == {one["Id"] for one in containers.values()}
    assert not host.file(f"{LAB}/building.json").exists


def test_the_cluster_has_no_network_of_its_own(host):
    config = yaml.safe_load(host.file(f"{LAB}/podnet-molecule-no-cni.yaml").content_string)
    assert config["networking"]["disableDefaultCNI"] is True
