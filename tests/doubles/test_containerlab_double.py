# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containerlab double: its releases' differences, and what a lab of one kind node leaves where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest
import yaml
from conftest import NETWORK
from podnet_doubles import containerlab
from podnet_doubles.built import Built

LAN = "podnet-doubles-lab"
SUBNET = "172.31.254.0/24"


class Lab:
    """A topology file of one kind node, in a folder of its own."""

    def __init__(self, engine, folder, cluster) -> None:
        self.engine, self.folder, self.cluster = engine, folder, cluster
        self.file = folder / "lab.clab.yaml"
        self.kubeconfig = folder / "kubeconfig"
        self.own = folder / "clab-lab"
        self.deploy = {"wait": "0s", "kubeconfig": str(self.kubeconfig)}
        (folder / "no-cni.yaml").write_text(
            "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnetworking: {disableDefaultCNI: true, podSubnett: 10.1.0.0/16}\n"
        )
        self.write()

    def write(self) -> None:
        node = {"kind": "k8s-kind", "startup-config": "no-cni.yaml", "extras": {"k8s_kind": {"deploy": self.deploy}}}
        mgmt = {"network": LAN, "ipv4-subnet": SUBNET}
        document = {"name": "lab", "mgmt": mgmt, "topology": {"nodes": {self.cluster: node}}}
        self.file.write_text(yaml.safe_dump(document))

    def run(self, verb, *arguments, version="0.79.0"):
        return self.engine.containerlab(verb, "-t", self.file, *arguments, version=version)

    def containers(self) -> list[str]:
        return self.engine.docker("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={self.cluster}").split()

    def network(self) -> dict:
        found = self.engine.run("docker", "network", "inspect", LAN)
        return json.loads(found.out)[0] if found.code == 0 else {}


@pytest.fixture
def lab(engine, cluster, tmp_path):
    yield Lab(engine, tmp_path, cluster)
    engine.kind("delete", "cluster", "--name", cluster)
    engine.run("docker", "network", "rm", LAN)


@pytest.fixture
def deployed(lab):
    ended = lab.run("deploy")
    assert ended.code == 0, ended.err
    return lab


@pytest.mark.parametrize("version", ["0.67.0", "0.79.0"])
def test_the_version_is_in_a_line_of_its_own_in_every_release(bench, version):
    lines = [line.strip() for line in bench.containerlab("version", version=version).out.splitlines()]
    assert f"version: {version}" in lines


def test_later_releases_say_the_version_shortly_and_in_json(bench):
    assert bench.containerlab("version", "-s").out == "0.79.0\n"
    assert json.loads(bench.containerlab("version", "-j").out)["version"] == "0.79.0"
    old = bench.containerlab("version", "-s", version="0.67.0")
    assert (old.code, old.err) == (1, "Error: unknown shorthand flag: 's' in -s\n")


def test_validate_is_there_from_0_78_on(engine, lab):
    assert lab.run("validate").code == 0
    before = lab.run("validate", version="0.77.0")
    assert (before.code, before.err) == (1, 'unknown command "validate" for "containerlab"\n')


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kinds": {"k8s-kind": {"imagee": "x"}}}, "field imagee not found in type types.NodeDefinition"),
        ({"nodes": {"a": {"kind": "k9s"}}}, 'constructing node "a": kind "k9s" is not supported. Supported kinds are '),
        ({"nodes": {}}, "defines no name or nodes. likely an empty file"),
    ],
)
def test_a_topology_is_read_strictly(engine, lab, change, message):
    document = yaml.safe_load(lab.file.read_text())
    document["topology"].update(change)
    lab.file.write_text(yaml.safe_dump(document))
    ended = lab.run("validate")
    assert ended.code == 1
    assert message in ended.err


def test_the_kind_configuration_is_read_leniently_though(deployed):
    assert "podSubnett" in (deployed.folder / "no-cni.yaml").read_text()
    assert len(deployed.containers()) == 1


def test_without_a_file_the_only_one_of_the_folder_is_meant(engine, lab):
    missing = engine.containerlab("validate", "-t", lab.folder / "nowhere.yaml")
    assert (missing.code, missing.err) == (1, f"stat {lab.folder}/nowhere.yaml: no such file or directory\n")
    assert engine.containerlab("validate", "-t", lab.folder).code == 0
    (lab.folder / "second.clab.yaml").write_text("name: second\n")
    several = engine.containerlab("validate", "-t", lab.folder)
    assert several.code == 1
    assert "found multiple topology definitions [ lab.clab.yaml, second.clab.yaml ]" in several.err


def test_a_deploy_makes_the_management_network_the_folder_and_the_kubeconfig(deployed):
    network = deployed.network()
    assert network["IPAM"]["Config"][0]["Subnet"] == SUBNET
    assert network["Labels"] == {"containerlab": ""}
    assert network["Containers"] == {}
    names = {path.name for path in deployed.own.iterdir()}
    assert names == {
        ".state.clab.yaml",
        ".tls",
        "ansible-inventory.yml",
        "authorized_keys",
        "nornir-simple-inventory.yml",
        "topology-data.json",
    }
    assert yaml.safe_load(deployed.kubeconfig.read_text())["current-context"] == f"kind-{deployed.cluster}"


def test_the_containers_have_kinds_labels_alone_so_that_no_label_of_the_lab_finds_them(deployed):
    (container,) = deployed.containers()
    labels = json.loads(deployed.engine.docker("inspect", container))[0]["Config"]["Labels"]
    assert set(labels) == {"io.x-k8s.kind.cluster", "io.x-k8s.kind.role"}
    for question in (["--all"], ["--name", "lab"]):
        ended = deployed.engine.containerlab("inspect", *question, "-f", "json")
        assert deployed.cluster not in ended.out


def test_inspect_is_grouped_by_lab_from_0_68_on(deployed):
    rows = json.loads(deployed.run("inspect", "-f", "json", version="0.68.0").out)["lab"]
    old = json.loads(deployed.run("inspect", "-f", "json", version="0.67.0").out)["containers"]
    (row,), (before,) = rows, old
    assert row["name"] == before["name"] == f"{deployed.cluster}-control-plane"
    assert (row["lab_name"], row["kind"], row["state"]) == ("lab", "k8s-kind", "running")
    assert row["absLabPath"] == str(deployed.file)
    assert set(row) - set(before) == {"absLabPath", "status"}
    address = json.loads(deployed.engine.docker("inspect", row["container_id"]))[0]["NetworkSettings"]["Networks"][NETWORK]
    assert row["ipv4_address"] == f"{address['IPAddress']}/{address['IPPrefixLen']}"


def test_details_are_whole_containers_by_lab_or_before_in_a_list(deployed):
    details = json.loads(deployed.run("inspect", "--details").out)["lab"]
    assert details[0]["Labels"]["clab-node-kind"] == "k8s-kind"
    assert json.loads(deployed.run("inspect", "--details", version="0.67.0").out)[0]["Names"] == details[0]["Names"]


def test_inspect_of_a_lab_that_is_not_deployed_is_an_empty_object_or_before_nothing(lab):
    assert lab.run("inspect", "-f", "json").out == "{}\n"
    before = lab.run("inspect", "-f", "json", version="0.67.0")
    assert (before.code, before.out) == (0, "")
    assert "no containers found" in before.err


@pytest.mark.parametrize(("version", "code"), [("0.74.3", 0), ("0.75.0", 1), ("0.79.0", 1)])
def test_a_second_deploy_fails_and_harms_nothing_but_says_so_only_from_0_75_on(deployed, version, code):
    before = deployed.containers()
    ended = deployed.run("deploy", version=version)
    assert ended.code == code
    assert f'node(s) already exist for a cluster with the name "{deployed.cluster}"' in ended.err
    assert deployed.containers() == before
    assert deployed.engine.kubectl(deployed.kubeconfig, "get", "nodes", "-o", "name").count("node/") == 1


def test_a_deploy_that_fails_leaves_its_network_and_folder_and_a_destroy_leaves_the_network(lab):
    (lab.folder / "no-cni.yaml").unlink()
    ended = lab.run("deploy")
    assert ended.code == 1
    assert f'node "{lab.cluster}" deploy: open {lab.folder}/no-cni.yaml: no such file or directory' in ended.err
    assert (lab.own / "ansible-inventory.yml").read_text() == ""
    assert lab.run("destroy", "--cleanup").code == 0
    assert lab.network()
    assert not lab.own.exists()


def test_reconfigure_makes_another_cluster(deployed):
    before = deployed.containers()
    assert deployed.run("deploy", "--reconfigure").code == 0
    assert set(deployed.containers()).isdisjoint(before)


def test_without_a_wait_the_real_one_would_stand_still_for_a_quarter_of_an_hour(lab):
    del lab.deploy["wait"]
    lab.write()
    ended = lab.run("deploy")
    assert ended.code == 0
    assert "extras.k8s_kind.deploy.wait is not set, so the real one waits 15m0s" in ended.err
    assert "WARNING: Timed out waiting for Ready" in ended.err


def test_before_0_73_the_kubeconfig_goes_where_kind_puts_it(engine, lab):
    assert lab.run("deploy", version="0.72.0").code == 0
    assert not lab.kubeconfig.exists()
    assert f"kind-{lab.cluster}" in (engine.home / ".kube" / "config").read_text()


def test_destroy_removes_cluster_and_network_and_with_cleanup_the_folder(deployed):
    assert deployed.run("destroy").code == 0
    assert deployed.containers() == []
    assert deployed.network() == {}
    assert deployed.own.exists()
    assert f"kind-{deployed.cluster}" in deployed.kubeconfig.read_text()


def test_destroy_keeps_the_network_where_told_to(deployed):
    assert deployed.run("destroy", "--keep-mgmt-net", "--cleanup").code == 0
    assert deployed.network()
    assert not deployed.own.exists()


def test_cleanup_of_a_lab_that_is_not_there_takes_the_first_folder_whosever_it_is(lab):
    (lab.folder / "clab-another").mkdir()
    assert lab.run("destroy").code == 0
    assert (lab.folder / "clab-another").exists()
    ended = lab.run("destroy", "--cleanup")
    assert ended.code == 0
    assert "no containerlab containers found" in ended.err
    assert not (lab.folder / "clab-another").exists()


def test_destroying_all_of_nothing_is_a_failure_in_old_releases(lab):
    if lab.engine.docker("ps", "-aq", "--filter", "label=containerlab"):
        pytest.skip("somebody's containerlab lab is on this engine")
    assert lab.engine.containerlab("destroy", "--all", "--yes").code == 0
    old = lab.engine.containerlab("destroy", "--all", version="0.67.0")
    assert (old.code, old.err) == (1, "Error: no containerlab labs found\n")


def test_a_subnet_that_another_network_has_is_refused_by_its_name(lab):
    lab.engine.docker("network", "create", "--subnet", SUBNET, "podnet-doubles-other")
    try:
        ended = lab.run("deploy")
    finally:
        lab.engine.docker("network", "rm", "podnet-doubles-other")
    manual = "See https://containerlab.dev/manual/network/"
    assert ended.code == 1
    assert f'subnet {SUBNET} already in use by Docker network "podnet-doubles-other". {manual}' in ended.err
    assert lab.containers() == []


def test_a_deploy_that_is_told_to_end_destroys_what_it_made(lab):
    argv = [str(lab.engine.tool("containerlab", "0.79.0")), "deploy", "-t", str(lab.file)]
    running = subprocess.Popen(argv, env=lab.engine.environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 60
    while not lab.containers() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    _out, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert 'received signal "terminated", canceling context' in said
    assert lab.containers() == []
    assert lab.network() == {}
    assert lab.own.exists()


@pytest.mark.parametrize("verb", ["deploy", "destroy"])
def test_deploy_and_destroy_want_root(monkeypatch, capsys, verb):
    monkeypatch.setattr(os, "getresuid", lambda: (1000, 1000, 1000))
    built = Built("containerlab", "0.79.0", "0.31.0", "", "", "")
    assert containerlab.main(built, [verb, "-t", "lab.clab.yaml"]) == 1
    words = "this containerlab command requires root privileges or root via SUID to run, effective UID: 1000 SUID: 1000"
    assert capsys.readouterr().err == f"{words}\n"


def test_the_docker_command_must_be_on_the_path(bench):
    file = bench.home / "any.clab.yaml"
    file.write_text("name: any\n")
    ended = bench.containerlab("validate", "-t", file, PATH=str(bench.home / "nothing"))
    assert ended.code == 1
    assert 'exec: "docker": executable file not found in $PATH' in ended.err
