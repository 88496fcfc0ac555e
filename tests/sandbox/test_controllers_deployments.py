# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments and their ReplicaSets."""

from __future__ import annotations

from lab import in_a_lab, pod_handles, workload


@in_a_lab
async def test_a_deployment_scales_and_its_addresses_follow(lab):
    lab.apply(workload("Deployment", "web", replicas=3))
    await lab.until(lambda: len([item for item in lab.pods("web") if lab.ready(item)]) == 3)
    assert len(pod_handles(lab)) == 3
    lab.patch("deployments.apps", "web", {"spec": {"replicas": 1}}, "default")
    await lab.until(lambda: len(lab.pods("web")) == 1 and len(pod_handles(lab)) == 1)
    await lab.until(lambda: lab.store.get("deployments.apps", "web", "default")["status"].get("replicas") == 1)
    status = lab.store.get("deployments.apps", "web", "default")["status"]
    assert (status["readyReplicas"], status["updatedReplicas"]) == (1, 1)
    assert "unavailableReplicas" not in status


@in_a_lab
async def test_a_new_template_moves_a_deployment_to_a_new_replicaset(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    await lab.until(lambda: len([item for item in lab.pods("web") if lab.ready(item)]) == 2)
    old = {item["metadata"]["uid"] for item in lab.pods("web")}
    patch = {"spec": {"template": {"metadata": {"annotations": {"changed": "yes"}}}}}
    lab.patch("deployments.apps", "web", patch, "default")
    await lab.until(lambda: len(lab.pods("web")) == 2 and not old & {i["metadata"]["uid"] for i in lab.pods("web")})
    await lab.until(lambda: sorted(rs["spec"]["replicas"] for rs in lab.store.scan("replicasets.apps", "default")) == [0, 2])
    revision = lab.store.get("deployments.apps", "web", "default")["metadata"]["annotations"]
    assert revision["deployment.kubernetes.io/revision"] == "2"
