# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""examples/run_with_runner.py, run from an empty folder: 0 passed, 1 failed, 2 inconclusive."""

from __future__ import annotations

import base64
import json
import sys

import yaml
from conftest import CHECKOUT
from test_site import remote_block

EXAMPLE = CHECKOUT / "examples" / "run_with_runner.py"
#: May read everything that is verified, and may not exec.
READER = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: kube-system}
---
apiVersion: v1
kind: Secret
type: kubernetes.io/service-account-token
metadata: {name: reader-token, namespace: kube-system, annotations: {kubernetes.io/service-account.name: reader}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
  - apiGroups: [""]
    resources: [namespaces, nodes, pods, services, configmaps, endpoints]
    verbs: [get, list]
  - apiGroups: [apps, crd.projectcalico.org, operator.tigera.io, apiextensions.k8s.io]
    resources: ["*"]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: kube-system}]
"""


def run_example(lab, *arguments: str):
    return lab.stranger.command(sys.executable, str(EXAMPLE), "-e", f"podnet_lab_name={lab.name}", "-e", "pod_routing_wait=0", *arguments)


def test_a_sound_lab_gives_0_with_progress_and_counts(lab):
    ended = run_example(lab)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Start the sandbox, or find it running" in ended.stdout
    verdict = next(line for line in ended.stdout.splitlines() if line.startswith("passed: "))
    assert int(verdict.split()[verdict.split().index("passed,") - 1]) > 0


def test_a_deleted_route_gives_1(lab):
    # Felix puts a deleted route back within some 90 s. Where it did so before it was looked at, delete it again.
    for _attempt in range(3):
        prefix, route = remote_block(lab, "worker")
        lab.on_node("worker", "ip", "route", "del", *route.split())
        ended = run_example(lab, "--playbook", "podnet.calico.verify")
        lab.on_node("worker", "ip", "route", "replace", *route.split())
        if ended.returncode != 0:
            break
    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert prefix in ended.stdout


def test_a_refused_exec_gives_2_and_names_the_verb(lab, tmp_path):
    manifest = tmp_path / "reader.yaml"
    manifest.write_text(READER)
    lab.kubectl("apply", "-f", str(manifest))
    config = yaml.safe_load(lab.kubeconfig.read_text())
    secret = json.loads(lab.kubectl("get", "secret", "-n", "kube-system", "reader-token", "-o", "json"))
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": base64.b64decode(secret["data"]["token"]).decode()}}]
    restricted = tmp_path / "reader.kubeconfig"
    restricted.write_text(yaml.safe_dump(config))
    ended = run_example(
        lab,
        *("--playbook", "podnet.calico.verify", "-e", "podnet_provider=existing"),
        *("-e", f"pod_routing_kubeconfig={restricted}"),
    )
    assert ended.returncode == 2, ended.stdout + ended.stderr
    assert "pods/exec" in ended.stdout
