# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PodDisruptionBudgets: what they allow, and the eviction that has to ask them."""

from __future__ import annotations

import pytest
from lab import in_a_lab, workload
from podnet_sandbox.api.disruption import check_budget
from podnet_sandbox.api.errors import ApiError

BUDGETS = "poddisruptionbudgets.policy"


def budget(**spec):
    metadata = {"name": "web", "namespace": "default"}
    wanted = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": wanted}


def status(lab):
    return lab.store.get(BUDGETS, "web", "default")["status"]


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [({"minAvailable": 2}, 2, 2), ({"minAvailable": "30%"}, 2, 2), ({"maxUnavailable": 1}, 3, 1), ({"maxUnavailable": "0%"}, 4, 0)],
)
def test_a_budget_counts_what_may_go(spec, desired, allowed):
    @in_a_lab
    async def body(lab):
        lab.apply(workload("Deployment", "web", replicas=4))
        lab.apply(budget(**spec))
        await lab.until(lambda: status(lab).get("currentHealthy") == 4)
        assert (status(lab)["expectedPods"], status(lab)["desiredHealthy"], status(lab)["disruptionsAllowed"]) == (4, desired, allowed)

    body()


@in_a_lab
async def test_no_more_pods_can_be_evicted_than_the_budget_allows(lab):
    lab.apply(workload("Deployment", "web", replicas=2))
    lab.apply(budget(minAvailable=1))
    await lab.until(lambda: status(lab).get("disruptionsAllowed") == 1)
    first, second = lab.pods("web")
    check_budget(lab.store, first, dry_run=True)
    check_budget(lab.store, first, dry_run=False)
    with pytest.raises(ApiError) as refused:
        check_budget(lab.store, second, dry_run=False)
    assert (refused.value.code, refused.value.reason) == (429, "TooManyRequests")
    assert refused.value.message == "Cannot evict pod as it would violate the pod's disruption budget."
    (cause,) = refused.value.details["causes"]
    assert cause == {"reason": "DisruptionBudget", "message": "The disruption budget web needs 1 healthy pods and has 2 currently"}
    lab.store.delete("pods", first["metadata"]["name"], "default")
    await lab.until(lambda: status(lab).get("disruptionsAllowed") == 1 and "disruptedPods" not in status(lab))


@in_a_lab
async def test_two_budgets_for_one_pod_are_one_too_many(lab):
    lab.apply(workload("Deployment", "web", replicas=1))
    lab.apply(budget(minAvailable=0))
    lab.apply({**budget(minAvailable=0), "metadata": {"name": "again", "namespace": "default"}})
    await lab.until(lambda: [p for p in lab.pods("web") if lab.ready(p)])
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget"):
        check_budget(lab.store, lab.pods("web")[0], dry_run=False)
