# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments and their ReplicaSets."""

from __future__ import annotations

from lab import in_a_lab, pod, pod_handles, workload


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


def progressing(lab):
    return lab.condition(lab.store.get("deployments.apps", "web", "default"), "Progressing")


def sizes(lab):
    return sorted(rs["spec"]["replicas"] for rs in lab.store.scan("replicasets.apps", "default"))


async def rolled_out(lab, count=2):
    def done():
        deployment = lab.store.get("deployments.apps", "web", "default")
        status = deployment.get("status") or {}
        seen = status.get("observedGeneration") == deployment["metadata"]["generation"]
        return seen and status.get("updatedReplicas") == status.get("availableReplicas") == status.get("replicas") == count

    await lab.until(done)


def change(lab, **spec):
    lab.patch("deployments.apps", "web", {"spec": spec}, "default")


def annotated(**annotations):
    return {"metadata": {"annotations": annotations}}


@in_a_lab
async def test_a_rollout_says_what_it_does(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    await rolled_out(lab)
    (first,) = lab.store.scan("replicasets.apps", "default")
    name = first["metadata"]["name"]
    assert lab.events("ScalingReplicaSet", "web") == [f"Scaled up replica set {name} from 0 to 2"]
    assert sorted(lab.events("SuccessfulCreate", name)) == sorted(f"Created pod: {p['metadata']['name']}" for p in lab.pods("web"))
    await lab.until(lambda: progressing(lab)["reason"] == "NewReplicaSetAvailable")
    assert progressing(lab)["message"] == f'ReplicaSet "{name}" has successfully progressed.'


@in_a_lab
async def test_no_more_pods_are_missing_or_too_many_than_allowed(lab):
    lab.apply(workload("Deployment", "web", replicas=4))
    change(lab, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    await rolled_out(lab, 4)
    seen = []

    def look(kind, res, obj, old):
        if res == "pods":
            live = [p for p in lab.pods("web") if not p["metadata"].get("deletionTimestamp")]
            seen.append((sum(map(lab.ready, live)), len(live)))

    lab.store.subscribe(look)
    change(lab, template=annotated(changed="yes"))
    await rolled_out(lab, 4)
    assert min(ready for ready, _ in seen) >= 4 and max(live for _, live in seen) == 5


@in_a_lab
async def test_going_back_is_a_new_revision_of_the_old_replicaset(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    await rolled_out(lab)
    (first,) = lab.store.scan("replicasets.apps", "default")
    change(lab, template=annotated(changed="yes"))
    await rolled_out(lab)
    change(lab, template=annotated(changed=None))
    await rolled_out(lab)
    revisions = {rs["metadata"]["name"]: rs["metadata"]["annotations"] for rs in lab.store.scan("replicasets.apps", "default")}
    key = "deployment.kubernetes.io/revision"
    assert revisions[first["metadata"]["name"]][key] == "3"
    assert lab.store.get("deployments.apps", "web", "default")["metadata"]["annotations"][key] == "3"


@in_a_lab
async def test_recreate_starts_nothing_before_the_last_old_pod_is_gone(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    change(lab, strategy={"type": "Recreate", "rollingUpdate": None})
    await rolled_out(lab)
    old = {p["metadata"]["uid"] for p in lab.pods("web")}
    together = []
    lab.store.subscribe(lambda *_: together.append({p["metadata"]["uid"] in old for p in lab.pods("web")}))
    change(lab, template=annotated(changed="yes"))
    await rolled_out(lab)
    assert {True, False} not in together and not old & {p["metadata"]["uid"] for p in lab.pods("web")}


@in_a_lab
async def test_a_paused_deployment_keeps_its_template_and_still_scales(lab):
    lab.apply(workload("Deployment", "web", replicas=1))
    await rolled_out(lab, 1)
    change(lab, paused=True, template=annotated(changed="yes"), replicas=3)
    await lab.until(lambda: sizes(lab) == [3])
    await lab.until(lambda: progressing(lab)["reason"] == "DeploymentPaused")
    change(lab, paused=False)
    await lab.until(lambda: sizes(lab) == [0, 3])


@in_a_lab
async def test_a_rollout_that_does_not_get_on_says_so_after_its_deadline(lab):
    lab.apply(workload("Deployment", "web", replicas=1))
    await rolled_out(lab, 1)
    change(lab, progressDeadlineSeconds=1, template={"spec": {"containers": [{"name": "multitool", "image": "no/such:1"}]}})
    await lab.until(lambda: progressing(lab)["reason"] == "ProgressDeadlineExceeded")
    assert progressing(lab)["status"] == "False" and progressing(lab)["message"].endswith("has timed out progressing.")
    assert sizes(lab) == [1, 1]  # what runs goes on


@in_a_lab
async def test_a_ready_pod_is_available_when_it_has_been_so_long_enough(lab):
    made = workload("Deployment", "web", replicas=1)
    made["spec"]["minReadySeconds"] = 1
    lab.apply(made)
    await lab.until(lambda: lab.store.get("deployments.apps", "web", "default")["status"].get("readyReplicas") == 1)
    assert not lab.store.get("deployments.apps", "web", "default")["status"].get("availableReplicas")
    await rolled_out(lab, 1)


@in_a_lab
async def test_a_replicaset_takes_pods_nobody_owns_and_replaces_those_that_go(lab):
    stray = {**pod("stray"), "metadata": {"name": "stray", "namespace": "default", "labels": {"app": "web"}}}
    lab.apply(stray)
    lab.apply(workload("ReplicaSet", "web", replicas=2))
    await lab.until(lambda: len(lab.pods("web")) == 1 and lab.pod("stray")["metadata"].get("ownerReferences"))
    lab.store.delete("pods", "stray", "default")
    await lab.until(lambda: len([p for p in lab.pods("web") if lab.ready(p)]) == 2)
