# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""DaemonSets: where their pods are, how a new template gets there."""

from __future__ import annotations

import asyncio

from lab import NODES, in_a_lab, nodes_of, workload

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
