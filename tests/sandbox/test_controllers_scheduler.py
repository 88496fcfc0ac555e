# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node a pod gets, and what is said of one that gets none."""

from __future__ import annotations

from lab import NODES, in_a_lab, nodes_of, pod

CONTROL_PLANE, WORKER, WORKER2 = NODES


@in_a_lab
async def test_a_pod_that_fits_nowhere_is_pending_and_says_why(lab):
    lab.apply(pod("lonely", nodeSelector={"no": "such"}))
    await lab.until(lambda: lab.events("FailedScheduling", "lonely"))
    condition = lab.condition(lab.pod("lonely"), "PodScheduled")
    assert (condition["status"], condition["reason"]) == ("False", "Unschedulable")
    assert condition["message"] == (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
        "2 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: "
        "3 Preemption is not helpful for scheduling."
    )
    lab.patch("nodes", WORKER, {"metadata": {"labels": {"no": "such"}}})
    await lab.until(lambda: lab.ready(lab.pod("lonely")))


@in_a_lab
async def test_a_tainted_node_is_avoided(lab):
    for number in range(4):
        lab.apply(pod(f"p{number}"))
    await lab.until(lambda: all(lab.ready(item) for item in lab.pods()))
    assert nodes_of(lab, "p") == [WORKER, WORKER, WORKER2, WORKER2]


def requesting(name, **requests):
    made = pod(name)
    made["spec"]["containers"][0]["resources"] = {"requests": requests}
    return made


def why(lab, name):
    """What the scheduler says of a pod it cannot place, without the part on preemption."""
    return lab.events("FailedScheduling", name)[-1].partition(" preemption:")[0]


@in_a_lab
async def test_a_pod_that_asks_for_more_than_is_left_waits_until_there_is_room(lab):
    allocatable = {"cpu": "2", "memory": "1Gi", "pods": "110"}
    for node in (WORKER, WORKER2):
        lab.store.patch("nodes", node, {"status": {"allocatable": allocatable}}, subresource="status")
    lab.apply(requesting("large", cpu="1500m"))
    lab.apply(requesting("other", cpu="1500m"))
    await lab.until(lambda: lab.ready(lab.pod("large")) and lab.ready(lab.pod("other")))
    lab.apply(requesting("more", cpu="600m", memory="2Gi"))
    await lab.until(lambda: lab.events("FailedScheduling", "more"))
    assert lab.events("FailedScheduling", "more")[0] == (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 Insufficient cpu, "
        "2 Insufficient memory. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, "
        "2 No preemption victims found for incoming pod."
    )
    lab.apply(requesting("small", cpu="600m"))
    lab.store.delete("pods", "large", "default")
    await lab.until(lambda: lab.ready(lab.pod("small")))


@in_a_lab
async def test_a_cordoned_node_takes_no_more_pods_and_says_so(lab):
    for node in (WORKER, WORKER2):
        lab.patch("nodes", node, {"spec": {"unschedulable": True}})
    lab.apply(pod("late"))
    await lab.until(lambda: lab.events("FailedScheduling", "late"))
    assert "2 node(s) were unschedulable" in why(lab, "late")
    await lab.until(lambda: {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"} in lab.store.get("nodes", WORKER)["spec"]["taints"])
    lab.patch("nodes", WORKER, {"spec": {"unschedulable": None}})
    await lab.until(lambda: lab.ready(lab.pod("late")))
    assert nodes_of(lab, "late") == [WORKER]
    assert lab.events("NodeNotSchedulable", WORKER) == [f"Node {WORKER} status is now: NodeNotSchedulable"]
    assert not [t for t in lab.store.get("nodes", WORKER)["spec"].get("taints") or () if "unschedulable" in t["key"]]


def apart(name, kind="podAntiAffinity"):
    made = pod(name)
    made["metadata"]["labels"] = {"app": "web"}
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    made["spec"]["affinity"] = {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return made


@in_a_lab
async def test_pods_that_will_not_be_together_are_not(lab):
    for name in ("one", "two", "three"):
        lab.apply(apart(name))
    await lab.until(lambda: lab.events("FailedScheduling", "three") or lab.events("FailedScheduling", "two"))
    late = next(name for name in ("one", "two", "three") if lab.events("FailedScheduling", name))
    assert "2 node(s) didn't satisfy existing pods anti-affinity rules." in why(lab, late)
    assert sorted(p["spec"]["nodeName"] for p in lab.pods() if p["spec"].get("nodeName")) == [WORKER, WORKER2]


@in_a_lab
async def test_pods_that_want_to_be_together_follow_the_first(lab):
    for name in ("one", "two", "three"):
        lab.apply(apart(name, "podAffinity"))
    await lab.until(lambda: all(lab.ready(lab.pod(name)) for name in ("one", "two", "three")))
    assert len({p["spec"]["nodeName"] for p in lab.pods()}) == 1


@in_a_lab
async def test_a_spread_that_may_not_be_uneven_is_not(lab):
    spread = {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {"matchLabels": {"app": "web"}}}
    lab.patch("nodes", WORKER2, {"spec": {"unschedulable": True}})
    for name in ("one", "two"):
        made = pod(name, topologySpreadConstraints=[spread], nodeSelector={"kubernetes.io/os": "linux"})
        made["metadata"]["labels"] = {"app": "web"}
        lab.apply(made)
    await lab.until(lambda: lab.events("FailedScheduling", "two") or lab.events("FailedScheduling", "one"))
    late = "two" if lab.events("FailedScheduling", "two") else "one"
    assert "1 node(s) didn't match pod topology spread constraints" in why(lab, late)


@in_a_lab
async def test_a_port_of_the_node_is_one_pods(lab):
    for name in ("one", "two", "three"):
        made = pod(name)
        made["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
        lab.apply(made)
    await lab.until(lambda: any(lab.events("FailedScheduling", name) for name in ("one", "two", "three")))
    late = next(name for name in ("one", "two", "three") if lab.events("FailedScheduling", name))
    assert "2 node(s) didn't have free ports for the requested pod ports" in why(lab, late)


@in_a_lab
async def test_pods_leave_a_node_whose_taint_they_do_not_tolerate(lab):
    away = {"key": "away", "operator": "Exists", "effect": "NoExecute"}
    lab.apply(pod("staying", nodeName=WORKER, tolerations=[away]))
    lab.apply(pod("leaving", nodeName=WORKER))
    lab.apply(pod("patient", nodeName=WORKER, tolerations=[{**away, "tolerationSeconds": 1}]))
    await lab.until(lambda: all(lab.ready(lab.pod(name)) for name in ("staying", "leaving", "patient")))
    lab.patch("nodes", WORKER, {"spec": {"taints": [{"key": "away", "effect": "NoExecute"}]}})
    await lab.until(lambda: lab.pod("leaving") is None)
    assert lab.pod("patient") is not None
    await lab.until(lambda: lab.pod("patient") is None)
    assert lab.ready(lab.pod("staying"))
    assert lab.events("TaintManagerEviction", "leaving") == ["Marking for deletion Pod default/leaving"]
