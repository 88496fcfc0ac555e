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
    assert condition["message"].startswith("0/3 nodes are available: 3 node(s) didn't match")
    lab.patch("nodes", WORKER, {"metadata": {"labels": {"no": "such"}}})
    await lab.until(lambda: lab.ready(lab.pod("lonely")))


@in_a_lab
async def test_a_tainted_node_is_avoided(lab):
    for number in range(4):
        lab.apply(pod(f"p{number}"))
    await lab.until(lambda: all(lab.ready(item) for item in lab.pods()))
    assert nodes_of(lab, "p") == [WORKER, WORKER, WORKER2, WORKER2]
