# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make site LAB=kind` on a host behind a real sshd, through the very tasks such a host sees, in the order of a lab's life.

Real: SSH, sudo, host_prep, the packages, Docker (inside the container that stands for the host), the environment of the cluster
modules, the packets. Doubles, which lie on the host and are served on its loopback: kind, containerlab, calicoctl (tests/doubles);
behind them the sandbox. The host is the one that test_host_prep.py prepares; where these tests run alone, `site` prepares it. After the
first lab it is entered by SSH alone. Its root may do what Docker grants by default and what `hosts.py` and conftest.py name.
"""

from __future__ import annotations

import base64

import pytest
import yaml
from remote_lab import DOUBLES, FOLDER, NAME, RemoteLab, address_of, publish_on
from ssh_host import ORDINARY, SUDOER

REPORTS = {"verdict.json", "report.html", "report.md", "report.xml"}


@pytest.fixture(scope="module")
def lab(ssh_host, tmp_path_factory) -> RemoteLab:
    home = tmp_path_factory.mktemp("controller") / "home"
    home.mkdir()
    return RemoteLab(ssh_host, home)


@pytest.fixture(scope="module")
def published(lab) -> None:
    """From here on the lab takes its tools from the host's own loopback."""
    lab.variables |= publish_on(lab.host)


@pytest.fixture(scope="module")
def credentials(lab) -> dict:
    """What the lab's kubeconfig says, read on the host."""
    return yaml.safe_load(lab.host.sudo("cat", f"{FOLDER}/kubeconfig"))


def test_a_user_who_cannot_become_root_is_refused_before_anything_is_touched(lab):
    files = lab.host.root("find", "/home", "/opt", "-newer", "/etc/sudoers.d/lab")
    run = lab.play("site", user=ORDINARY)
    assert run.code != 0 and run.changed == []
    assert run.fault.startswith(f"The user {ORDINARY} cannot become root on podnet-ssh-host (")
    assert "Give the user sudo there (and Ansible the password: --ask-become-pass), or connect as root." in run.fault
    assert lab.host.root("find", "/home", "/opt", "-newer", "/etc/sudoers.d/lab") == files


def test_site_prepares_the_host_builds_the_lab_there_and_proves_its_routing(lab, published):
    run = lab.play("site")
    assert run.code == 0, run.text
    assert run.summary["passed"] > 0
    assert run.summary["failed"] == run.summary["inconclusive"] == 0


def test_the_nodes_are_containers_of_the_hosts_own_docker(lab):
    listed = lab.host.sudo("docker", "ps", "--filter", f"label=io.x-k8s.kind.cluster={NAME}", "--format", "{{.Names}}").split()
    assert set(lab.kubectl("get", "nodes", "-o", "name").split()) == {f"node/{name}" for name in listed}
    assert len(listed) == 3


def test_the_cluster_modules_ran_on_the_host_in_the_environment_that_host_prep_made(lab):
    look = "import importlib.util; print(importlib.util.find_spec('kubernetes') is not None)"
    assert lab.host.sudo("/usr/bin/python3", "-c", look).strip() == "False"
    assert lab.host.sudo("/opt/podnet/environment/bin/python", "-c", look).strip() == "True"


def test_the_api_listens_on_the_hosts_loopback_alone(lab, credentials):
    address, port = address_of(credentials["clusters"][0]["cluster"]["server"])
    assert address == "127.0.0.1"
    listening = lab.host.sudo("ss", "--no-header", "--listening", "--tcp", "--numeric", f"sport = :{port}").splitlines()
    assert [line.split()[3] for line in listening] == [f"127.0.0.1:{port}"]
    assert list(lab.host.container.ports) == ["22/tcp"]


def test_the_kubeconfig_is_the_users_own_and_roots_is_not_touched(lab):
    assert lab.host.sudo("stat", "--format", "%a %U", f"{FOLDER}/kubeconfig").split() == ["600", SUDOER]
    assert lab.host.sudo("find", "/root", f"/home/{SUDOER}", "-path", "*/.kube/config") == ""


def test_only_reports_were_fetched_and_no_credential_is_in_them(lab, credentials):
    fetched = lab.fetched()
    assert {path.name for path in fetched} == REPORTS
    assert len({path.parent for path in fetched}) == 1
    kept = [value.encode() for value in credentials["users"][0]["user"].values()]
    secrets = [*kept, *(base64.b64decode(value) for value in kept), b"PRIVATE KEY"]
    assert b"PRIVATE KEY" in b"".join(secrets[:-1]), "these are not the credentials that a kubeconfig of kind has"
    for path in fetched:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret in content], path


def test_a_route_that_is_missing_on_a_remote_node_fails_the_verification_and_is_named(lab):
    assert lab.play("break", podnet_fault="block-route-deleted").code == 0
    run = lab.play("verify", pod_routing_wait=0)
    assert run.code != 0 and run.summary["failed"] > 0
    assert f"{NAME}-worker has no route to " in run.fault


def test_once_healed_a_second_site_changes_nothing_and_proves_the_routing_again(lab):
    assert lab.play("break", podnet_fault_state="absent").code == 0
    run = lab.play("site")
    assert run.code == 0, run.text
    assert run.changed == []
    assert run.summary["passed"] > 0 and run.summary["failed"] == 0


def test_destroy_leaves_nothing_on_the_host_but_the_verifications(lab):
    run = lab.play("destroy")
    assert run.code == 0, run.text
    assert lab.host.sudo("docker", "ps", "--all", "--quiet") == ""
    assert not {"kind", "clab"} & set(lab.host.sudo("docker", "network", "ls", "--format", "{{.Name}}").split())
    assert lab.host.sudo("ls", "-A", FOLDER).split() == ["runs"]
    assert "state" not in lab.host.sudo("ls", DOUBLES).split()
