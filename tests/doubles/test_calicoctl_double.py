# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calicoctl double: what it says of the cluster's Calico, and which cluster it refuses."""

from __future__ import annotations

import json

import pytest
from assemble import SANDBOX
from podnet_doubles import api, calicoctl
from podnet_doubles.built import Built

BUILT = Built("calicoctl", "v3.32.1", "", "", "", "")


@pytest.fixture
def cluster_of(monkeypatch):
    """Let the cluster have a Calico."""

    def has(version: str | None) -> None:
        def information() -> dict:
            if version is None:
                raise api.ApiUnreachable("GET …: HTTP Error 404: Not Found")
            return {"calicoVersion": version, "clusterType": "typha,kdd,k8s,operator,bgp,kubeadm"}

        monkeypatch.setattr(calicoctl, "_information", information)

    return has


def test_version_says_both_and_never_compares_them(cluster_of, capsys):
    cluster_of("v3.30.7")
    assert calicoctl.main(BUILT, ["version"]) == 0
    lines = dict(line.split(":", 1) for line in capsys.readouterr().out.splitlines())
    assert lines["Client Version"].strip() == "v3.32.1"
    assert lines["Cluster Version"].strip() == "v3.30.7"
    assert lines["Cluster Type"].strip() == "typha,kdd,k8s,operator,bgp,kubeadm"


def test_another_command_refuses_another_calico(cluster_of, capsys):
    cluster_of("v3.30.7")
    assert calicoctl.main(BUILT, ["ipam", "show"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "Version mismatch.\nClient Version:   v3.32.1\nCluster Version:  3.30.7\nUse --allow-version-mismatch to override."
    )


@pytest.mark.parametrize(
    ("version", "arguments"),
    [("v3.32.1", ["ipam", "show"]), (None, ["ipam", "show"]), ("v3.30.7", ["ipam", "show", "--allow-version-mismatch"])],
)
def test_a_cluster_that_is_not_refused_is_not_pretended_to_be_asked(cluster_of, capsys, version, arguments):
    cluster_of(version)
    assert calicoctl.main(BUILT, arguments) == 1
    assert capsys.readouterr().err.startswith("podnet double of calicoctl: the command ipam show")


def test_a_wrong_option_is_named(capsys):
    assert calicoctl.main(BUILT, ["version", "--nope"]) == 1
    assert "Invalid option: 'calicoctl version --nope'." in capsys.readouterr().err


def test_the_version_is_read_from_the_clusters_own_information(engine, cluster, config, tmp_path):
    kubeconfig = tmp_path / "kubeconfig"
    assert engine.kind("create", "cluster", "--name", cluster, "--config", config, "--kubeconfig", kubeconfig).code == 0
    program = engine.tool("calicoctl", "v3.32.1")
    before = engine.run(program, "version", KUBECONFIG=str(kubeconfig))
    assert before.code == 1
    assert before.out.splitlines()[0] == "Client Version:    v3.32.1"
    assert "Unable to retrieve Cluster Version or Type: " in before.err
    information = {"apiVersion": "crd.projectcalico.org/v1", "kind": "ClusterInformation", "metadata": {"name": "default"}}
    (tmp_path / "information.json").write_text(json.dumps({**information, "spec": {"calicoVersion": "v3.32.1"}}))
    engine.kubectl(kubeconfig, "apply", "--server-side", "-f", str(SANDBOX / "podnet_sandbox" / "manifests" / "operator-crds.yaml"))
    engine.kubectl(
        kubeconfig, "wait", "--for=condition=Established", "crd/clusterinformations.crd.projectcalico.org", "--timeout=30s"
    )
    engine.kubectl(kubeconfig, "apply", "--server-side", "-f", str(tmp_path / "information.json"))
    after = engine.run(program, "version", KUBECONFIG=str(kubeconfig))
    assert (after.code, after.out.splitlines()[2:]) == (0, ["Cluster Version:   v3.32.1", "Cluster Type:      unknown"])
