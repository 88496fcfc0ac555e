# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets: where their pods are, how a new template gets there."""

from __future__ import annotations

import asyncio

import pytest
from lab import NODES, in_a_lab, nodes_of, workload
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.store import Store

CONTROL_PLANE, WORKER, WORKER2 = NODES
TOLERATE_ALL = [{"operator": "Exists"}]


@in_a_lab
async def test_a_daemonset_puts_a_pod_on_every_node_it_tolerates(lab):
    lab.apply(workload("DaemonSet", "everywhere", tolerations=TOLERATE_ALL))
    lab.apply(workload("DaemonSet", "workers"))
    lab.apply(workload("DaemonSet", "chosen", nodeSelector={"kubernetes.io/hostname": WORKER2}))
    await lab.until(lambda: all(lab.ready(item) for item in lab.pods()) and len(lab.pods()) == 6)
    assert nodes_of(lab, "everywhere") == sorted(NODES)
    assert nodes_of(lab, "workers") == [WORKER, WORKER2]
    assert nodes_of(lab, "chosen") == [WORKER2]
    status = lab.store.get("daemonsets.apps", "everywhere", "default")["status"]
    assert (status["desiredNumberScheduled"], status["numberReady"], status["numberMisscheduled"]) == (3, 3, 0)


@in_a_lab
async def test_a_new_template_replaces_a_daemonsets_pods(lab):
    lab.apply(workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL))
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 3)
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    before = {item["metadata"]["uid"] for item in lab.pods()}
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": template}}, "default")
    await lab.until(lambda: rolled_out(lab, "multitool", before))


@in_a_lab
async def test_each_template_a_daemonset_had_is_a_revision(lab):
    lab.apply(workload("DaemonSet", "multitool"))
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 2)
    before = {item["metadata"]["uid"] for item in lab.pods()}
    change = {"metadata": {"annotations": {"changed": "yes"}}}
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": change}}, "default")
    await lab.until(lambda: len([i for i in lab.pods() if lab.ready(i) and i["metadata"]["uid"] not in before]) == 2)
    revisions = sorted(lab.store.scan("controllerrevisions.apps", "default"), key=lambda item: item["revision"])
    assert [item["revision"] for item in revisions] == [1, 2]
    assert revisions[1]["data"]["spec"]["template"]["metadata"]["annotations"] == {"changed": "yes"}
    change["metadata"]["annotations"]["changed"] = None
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": change}}, "default")
    await lab.until(lambda: lab.store.get("controllerrevisions.apps", revisions[0]["metadata"]["name"], "default")["revision"] == 3)


@in_a_lab
async def test_on_delete_a_new_template_waits_for_its_pod_to_be_deleted(lab):
    made = workload("DaemonSet", "multitool", nodeSelector={"kubernetes.io/hostname": WORKER})
    made["spec"]["updateStrategy"] = {"type": "OnDelete"}
    lab.apply(made)
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 1)
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}}, "default")
    await lab.until(lambda: len(lab.store.scan("controllerrevisions.apps", "default")) == 2)
    assert "new" not in lab.pods()[0]["metadata"]["labels"]
    lab.store.delete("pods", lab.pods()[0]["metadata"]["name"], "default")
    await lab.until(lambda: [item["metadata"]["labels"].get("new") for item in lab.pods()] == ["yes"])


@in_a_lab
async def test_with_a_surge_a_new_pod_is_there_before_the_old_one_goes(lab):
    made = workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL)
    made["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}
    made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"] = {"exec": {"command": ["true"]}, "periodSeconds": 1}
    lab.apply(made)
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 3)
    before = {item["metadata"]["uid"] for item in lab.pods()}
    lab.kernel.answers["multitool-"] = False  # who comes now is not ready until it is let
    lab.patch("daemonsets.apps", "multitool", {"spec": {"template": {"metadata": {"labels": {"new": "yes"}}}}}, "default")
    await lab.until(lambda: len(lab.pods()) == 4)
    await asyncio.sleep(0.3)
    old = [item for item in lab.pods() if item["metadata"]["uid"] in before]
    assert len(lab.pods()) == 4 and len(old) == 3 and not any(item["metadata"].get("deletionTimestamp") for item in old)
    status = lab.store.get("daemonsets.apps", "multitool", "default")["status"]
    assert status["currentNumberScheduled"] == 3 and "updatedNumberScheduled" not in status
    lab.kernel.answers.clear()
    await lab.until(lambda: rolled_out(lab, "multitool", before), 20)


@pytest.mark.parametrize(
    ("rolling", "said"),
    [
        ({"maxUnavailable": 1, "maxSurge": 1}, "maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero"),
        ({"maxUnavailable": 0, "maxSurge": 0}, "maxUnavailable: Required value: cannot be 0 when maxSurge is 0"),
    ],
)
def test_pods_are_taken_away_first_or_surge(rolling, said):
    made = workload("DaemonSet", "multitool")
    made["spec"]["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
    with pytest.raises(ApiError, match=said):
        Store().create("daemonsets.apps", made)


@in_a_lab
async def test_a_taint_lets_daemon_pods_stay_or_sends_them_away(lab):
    lab.apply(workload("DaemonSet", "multitool"))
    await lab.until(lambda: nodes_of(lab, "multitool") == [WORKER, WORKER2])
    lab.patch("nodes", WORKER, {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}})
    await lab.until(lambda: lab.store.get("daemonsets.apps", "multitool", "default")["status"]["numberMisscheduled"] == 1)
    assert nodes_of(lab, "multitool") == [WORKER, WORKER2]
    lab.patch("nodes", WORKER, {"spec": {"taints": [{"key": "a", "effect": "NoExecute"}]}})
    await lab.until(lambda: nodes_of(lab, "multitool") == [WORKER2])


@in_a_lab
async def test_a_settled_cluster_writes_nothing(lab):
    lab.apply(workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL))
    await lab.until(lambda: len([item for item in lab.pods() if lab.ready(item)]) == 3)
    await lab.until(lambda: lab.store.get("daemonsets.apps", "multitool", "default")["status"]["numberReady"] == 3)
    await asyncio.sleep(0.2)
    revision = lab.store.revision
    await asyncio.sleep(0.7)
    assert lab.store.revision == revision


def rolled_out(lab, name, before):
    status = lab.store.get("daemonsets.apps", name, "default")["status"]
    fresh = [item for item in lab.pods(name) if item["metadata"]["uid"] not in before]
    return len(fresh) == 3 and status.get("updatedNumberScheduled") == 3 == status["numberReady"]
