# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make site LAB=kind`, through the very tasks a real host sees: real Docker, and doubles of containerlab and kind.

The tests follow one lab through its life, in the order they stand in.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess

from conftest import container, docker, networks

NODES = ["podnet-test-control-plane", "podnet-test-worker", "podnet-test-worker2"]
BYSTANDER = "podnet-test-bystander"


def test_check_mode_on_a_clean_host_says_what_it_would_do_and_does_nothing(lab):
    before = networks()
    run = lab.play("site", "--check", "--diff")
    assert run.code == 0, run.text
    assert any("Would make the cluster podnet-test of 3 nodes" in str(result.get("msg")) for result in run.tasks)
    assert not lab.folder.exists() and lab.containers == {} and networks() == before


def test_site_builds_a_lab_of_containers_and_proves_its_routing(lab):
    run = lab.play("site")
    assert run.code == 0, run.text
    assert run.summary["passed"] > 0
    assert run.summary["failed"] == run.summary["inconclusive"] == 0
    assert lab.containers == dict.fromkeys(NODES, "running")


def test_the_kubeconfig_is_the_users_own_and_roots_is_not_touched(lab):
    assert stat.S_IMODE((lab.folder / "kubeconfig").stat().st_mode) == 0o600
    assert not (lab.home / ".kube").exists()


def test_the_nodes_have_the_addresses_of_the_containers(lab):
    listed = subprocess.run(
        [str(lab.folder / "bin" / "kubectl"), "get", "nodes", "-o", "json"], check=True, text=True, capture_output=True
    ).stdout
    of_the_api = {
        node["metadata"]["name"]: next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
        for node in json.loads(listed)["items"]
    }
    template = "{{.Name}} {{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    of_docker = dict(line.lstrip("/").split() for line in docker("inspect", "--format", template, *NODES).splitlines())
    assert of_the_api == of_docker


def test_a_second_site_changes_nothing_and_does_not_deploy_again(lab):
    run = lab.play("site")
    assert run.code == 0, run.text
    assert run.changed == []
    assert run.summary["passed"] > 0
    assert "Deploy the topology" not in [result["task"] for result in run.tasks if not result.get("skipped")]


def test_what_a_cluster_cannot_be_changed_to_is_refused_and_the_cluster_is_unharmed(lab):
    run = lab.play("deploy", podnet_workers=3)
    assert run.code != 0 and run.changed == []
    assert "podnet_workers is 3, the cluster was made with 2" in run.fault
    assert lab.containers == dict.fromkeys(NODES, "running")


def test_destroy_in_check_mode_lists_what_it_would_remove_and_removes_nothing(lab):
    run = lab.play("destroy", "--check")
    listed = next(result["msg"] for result in run.tasks if result["task"] == "List what would be removed")
    assert {f"container {name}" for name in NODES} <= set(listed)
    assert lab.containers == dict.fromkeys(NODES, "running")


def test_destroy_leaves_nothing_but_the_verifications(lab):
    image = docker("inspect", "--format", "{{.Image}}", NODES[0]).strip()
    with container(BYSTANDER, image) as stranger:
        run = lab.play("destroy")
        assert run.code == 0, run.text
        assert lab.containers == {}
        assert not {"kind", "clab"} & networks()
        assert os.listdir(lab.folder) == ["runs"]
        # Its name begins as the nodes' do: what goes by names and not by labels would take it along.
        assert stranger in docker("ps", "--all", "--quiet", "--no-trunc").split()


def test_a_second_destroy_says_that_there_is_nothing(lab):
    run = lab.play("destroy")
    assert run.code == 0 and run.changed == []
    assert "There is no lab" in str(run.tasks[-1]["msg"])
