# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a ResourceQuota is used, and workloads that it holds back until there is room."""

from __future__ import annotations

from lab import in_a_lab, workload


def quota(hard):
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "default"}, "spec": {"hard": hard}}


def status(lab):
    return lab.store.get("resourcequotas", "q", "default")["status"]


@in_a_lab
async def test_what_is_used_is_kept_up_to_date(lab):
    lab.apply(quota({"pods": "5", "count/replicasets.apps": "9", "requests.cpu": "1"}))
    await lab.until(lambda: status(lab).get("used") == {"pods": "0", "count/replicasets.apps": "0", "requests.cpu": "0"})
    made = workload("Deployment", "web", replicas=2)
    made["spec"]["template"]["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "250m"}}
    lab.apply(made)
    await lab.until(lambda: status(lab)["used"] == {"pods": "2", "count/replicasets.apps": "1", "requests.cpu": "500m"})
    lab.patch("resourcequotas", "q", {"spec": {"hard": {"requests.cpu": None}}}, "default")
    await lab.until(lambda: status(lab) == {
        "hard": {"pods": "5", "count/replicasets.apps": "9"}, "used": {"pods": "2", "count/replicasets.apps": "1"},
    })  # fmt: skip
    lab.store.delete("deployments.apps", "web", "default")
    await lab.until(lambda: status(lab)["used"] == {"pods": "0", "count/replicasets.apps": "0"})


@in_a_lab
async def test_a_workload_that_is_held_back_says_why_and_goes_on_when_there_is_room(lab):
    lab.apply(quota({"pods": "1"}))
    for kind in ("Deployment", "StatefulSet"):
        lab.apply(workload(kind, kind.lower(), replicas=2))
    await lab.until(lambda: bool(lab.store.scan("replicasets.apps", "default")))
    owner = lab.store.scan("replicasets.apps", "default")[0]["metadata"]["name"]
    await lab.until(lambda: any("exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1" in said for said in lab.events("FailedCreate", owner)))
    assert len(lab.pods()) == 1
    lab.patch("resourcequotas", "q", {"spec": {"hard": {"pods": "4"}}}, "default")
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 4)
