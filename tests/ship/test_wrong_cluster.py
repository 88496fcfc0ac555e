# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever KUBECONFIG says, a lab is built in, and removed from, its own cluster only."""

from __future__ import annotations

import json
import shutil

from conftest import Lab

#: Everything a careless run could have touched.
KINDS = "namespaces,configmaps,daemonsets,deployments,pods,services,customresourcedefinitions,nodes"


def state(lab: Lab) -> dict[str, dict]:
    """Each object of the cluster as others wrote it: a write of any kind changes one. Its status is the cluster's own: a probe that
    had to wait for a busy machine changes that."""
    items = json.loads(lab.kubectl("get", KINDS, "-A", "-o", "json", "--show-managed-fields"))["items"]
    return {item["metadata"]["uid"]: written(item) for item in items}


def written(item: dict) -> dict:
    """The object without its status and what tells of that, its version and the entries of its status' managers."""
    metadata = {key: value for key, value in item["metadata"].items() if key != "resourceVersion"}
    metadata["managedFields"] = [entry for entry in metadata.get("managedFields", ()) if entry.get("subresource") != "status"]
    return {**item, "metadata": metadata, "status": None}


def test_site_and_destroy_leave_the_cluster_of_kubeconfig_as_it_was(lab, other):
    third = Lab(lab.stranger, "third")
    folder = {path: path.read_bytes() for path in other.folder.rglob("*.yaml")}
    before = state(other)
    ambient = {"KUBECONFIG": str(other.kubeconfig), "K8S_AUTH_KUBECONFIG": str(other.kubeconfig)}
    for playbook in ("podnet.calico.site", "podnet.calico.destroy"):
        run = third.play(playbook, **ambient)
        assert run.code == 0, run.fault
    assert state(other) == before
    assert {path: path.read_bytes() for path in other.folder.rglob("*.yaml")} == folder


def test_a_host_in_the_environment_is_refused_before_anything_is_changed(lab, other):
    before = state(other)
    run = Lab(lab.stranger, "fourth").play("podnet.calico.deploy", K8S_AUTH_HOST=other.server())
    assert run.code != 0
    assert "K8S_AUTH_HOST set in the environment" in run.fault and "env -u K8S_AUTH_HOST" in run.fault
    assert state(other) == before
    assert not Lab(lab.stranger, "fourth").folder.exists()


def test_a_kubeconfig_that_leads_to_another_lab_is_refused(lab, other, tmp_path):
    before = state(other)
    kept = tmp_path / "kubeconfig"
    shutil.copy2(lab.kubeconfig, kept)
    shutil.copy2(other.kubeconfig, lab.kubeconfig)
    try:
        run = lab.play("podnet.calico.deploy")
    finally:
        shutil.copy2(kept, lab.kubeconfig)
    assert run.code != 0
    assert "is not the lab 'ship'" in run.fault and "Nothing was written to it" in run.fault
    assert state(other) == before
