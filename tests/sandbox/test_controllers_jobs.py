# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: how many pods at once, what counts, when it is over."""

from __future__ import annotations

import asyncio

import pytest
from lab import MULTITOOL, in_a_lab
from podnet_sandbox.api.disruption import mark_evicted
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.store import Store

JOBS = "jobs.batch"


def job(name, restart="Never", **spec):
    template = {"spec": {"restartPolicy": restart, "containers": [{"name": "c", "image": MULTITOOL}]}}
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {**spec, "template": template}}


def at_work(lab, name):
    return [p for p in lab.pods(f"{name}-") if lab.ready(p) and not p["metadata"].get("deletionTimestamp")]


async def end(lab, name, code, count=1):
    """So many of its pods, which are waited for, end with that code."""
    await lab.until(lambda: len(at_work(lab, name)) >= count)
    for pod in at_work(lab, name)[:count]:
        lab.kernel.exit("default", pod["metadata"]["name"], "c", code)


def status(lab, name):
    return lab.store.get(JOBS, name, "default")["status"]


def reason(lab, name, kind):
    return next((c["reason"] for c in status(lab, name).get("conditions") or () if c["type"] == kind), None)


@in_a_lab
async def test_a_job_runs_so_many_at_once_until_so_many_have_succeeded(lab):
    lab.apply(job("three", completions=3, parallelism=2))
    await lab.until(lambda: len(at_work(lab, "three")) == 2)
    await lab.until(lambda: (status(lab, "three").get("active"), status(lab, "three").get("ready")) == (2, 2))
    await end(lab, "three", 0, 2)
    await lab.until(lambda: status(lab, "three").get("succeeded") == 2)
    await lab.until(lambda: len(at_work(lab, "three")) == 1)
    assert len(lab.pods("three-")) == 3
    await end(lab, "three", 0)
    await lab.until(lambda: reason(lab, "three", "Complete") == "CompletionsReached")
    assert status(lab, "three")["succeeded"] == 3 and "active" not in status(lab, "three")
    assert status(lab, "three")["completionTime"] and lab.events("Completed", "three") == ["Job completed"]
    await lab.until(lambda: not [p for p in lab.pods("three-") if p["metadata"].get("finalizers")])


@in_a_lab
async def test_a_jobs_selector_is_its_own(lab):
    made = lab.apply(job("mine"))
    uid = made["metadata"]["uid"]
    assert made["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    await lab.until(lambda: lab.pods("mine-"))
    assert lab.pods("mine-")[0]["metadata"]["labels"]["job-name"] == "mine"


@in_a_lab
async def test_too_many_failures_end_a_job_and_what_it_still_runs(lab):
    lab.apply(job("bad", completions=2, parallelism=2, backoffLimit=0))
    await lab.until(lambda: len(at_work(lab, "bad")) == 2)
    await end(lab, "bad", 1)
    await lab.until(lambda: reason(lab, "bad", "Failed") == "BackoffLimitExceeded")
    assert reason(lab, "bad", "FailureTarget") == "BackoffLimitExceeded"
    await lab.until(lambda: status(lab, "bad").get("failed") == 2)
    assert at_work(lab, "bad") == []
    assert lab.events("BackoffLimitExceeded", "bad") == ["Job has reached the specified backoff limit"]


@in_a_lab
async def test_a_pod_that_failed_is_replaced_after_a_while(lab):
    lab.apply(job("again", backoffLimit=3))
    await end(lab, "again", 1)
    await lab.until(lambda: status(lab, "again").get("failed") == 1)
    await asyncio.sleep(0.1)
    assert len(lab.pods("again-")) == 1  # ten seconds are not over


@in_a_lab
async def test_containers_that_were_restarted_too_often_end_a_job_too(lab):
    lab.apply(job("restarted", restart="OnFailure", backoffLimit=1))
    await end(lab, "restarted", 1)
    await lab.until(lambda: reason(lab, "restarted", "Failed") == "BackoffLimitExceeded")


@in_a_lab
async def test_a_job_past_its_deadline_has_failed(lab):
    lab.apply(job("late", activeDeadlineSeconds=0.2))
    await lab.until(lambda: reason(lab, "late", "Failed") == "DeadlineExceeded")
    assert lab.events("DeadlineExceeded", "late") == ["Job was active longer than specified deadline"]


@in_a_lab
async def test_a_suspended_job_has_no_pods_and_loses_no_try(lab):
    lab.apply(job("paused"))
    await lab.until(lambda: at_work(lab, "paused"))
    lab.patch(JOBS, "paused", {"spec": {"suspend": True}}, "default")
    await lab.until(lambda: not lab.pods("paused-"))
    assert reason(lab, "paused", "Suspended") == "JobSuspended" and not status(lab, "paused").get("failed")
    lab.patch(JOBS, "paused", {"spec": {"suspend": False}}, "default")
    await end(lab, "paused", 0)
    await lab.until(lambda: reason(lab, "paused", "Complete"))
    assert (lab.events("Suspended", "paused"), lab.events("Resumed", "paused")) == (["Job suspended"], ["Job resumed"])


@in_a_lab
async def test_each_index_succeeds_once(lab):
    lab.apply(job("idx", completions=3, parallelism=3, completionMode="Indexed"))
    await lab.until(lambda: len(at_work(lab, "idx")) == 3)
    names = sorted(p["metadata"]["name"][:5] for p in lab.pods("idx-"))
    assert names == ["idx-0", "idx-1", "idx-2"]
    assert {lab.kernel.containers["default", p["metadata"]["name"], "c"].env["JOB_COMPLETION_INDEX"] for p in lab.pods("idx-")} == {"0", "1", "2"}
    await end(lab, "idx", 0, 3)
    await lab.until(lambda: reason(lab, "idx", "Complete"))
    assert status(lab, "idx")["completedIndexes"] == "0-2"


@in_a_lab
async def test_a_finished_job_goes_when_its_time_is_over_and_takes_its_pods_along(lab):
    lab.apply(job("brief", ttlSecondsAfterFinished=0))
    await end(lab, "brief", 0)
    await lab.until(lambda: lab.store.find(JOBS, "brief", "default") is None and not lab.pods("brief-"))


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_a_deleted_job_takes_its_pods_along_whatever_holds_them(propagation):
    @in_a_lab
    async def body(lab):
        lab.apply(job("gone"))
        await lab.until(lambda: at_work(lab, "gone"))
        lab.store.delete(JOBS, "gone", "default", propagation=propagation)
        await lab.until(lambda: not lab.pods("gone-") and lab.store.find(JOBS, "gone", "default") is None)

    body()


def pod_failure(*rules):
    return {"podFailurePolicy": {"rules": list(rules)}}


def exits(action, operator, *values, **more):
    return {"action": action, "onExitCodes": {"operator": operator, "values": list(values), **more}}


@in_a_lab
async def test_an_exit_code_that_is_hopeless_fails_the_job_at_once(lab):
    lab.apply(job("hopeless", completions=3, parallelism=2, **pod_failure(exits("FailJob", "In", 42, containerName="c"))))
    await end(lab, "hopeless", 42)
    await lab.until(lambda: reason(lab, "hopeless", "Failed") == "PodFailurePolicy")
    message = next(c["message"] for c in status(lab, "hopeless")["conditions"] if c["type"] == "Failed")
    assert message.startswith("Container c for pod default/hopeless-") and message.endswith("failed with exit code 42 matching FailJob rule at index 0")
    assert reason(lab, "hopeless", "FailureTarget") == "PodFailurePolicy" and not at_work(lab, "hopeless")


@in_a_lab
async def test_a_failure_that_is_ignored_costs_no_try(lab):
    rules = (exits("Count", "In", 1), exits("Ignore", "NotIn", 2), exits("FailJob", "In", 2))
    lab.apply(job("ignored", backoffLimit=0, parallelism=2, completions=2, **pod_failure(*rules)))
    await end(lab, "ignored", 7)
    await lab.until(lambda: len([p for p in lab.pods("ignored-") if p["status"]["phase"] == "Failed"]) == 1)
    await lab.until(lambda: not [p for p in lab.pods("ignored-") if p["status"]["phase"] == "Failed" and p["metadata"].get("finalizers")])
    assert "failed" not in status(lab, "ignored") and reason(lab, "ignored", "Failed") is None
    await end(lab, "ignored", 1)
    await lab.until(lambda: reason(lab, "ignored", "Failed") == "BackoffLimitExceeded")


@in_a_lab
async def test_a_pod_that_was_evicted_says_so_and_can_be_ignored(lab):
    rule = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    lab.apply(job("evicted", backoffLimit=0, **pod_failure(rule)))
    await lab.until(lambda: len(at_work(lab, "evicted")) == 1)
    (pod,) = at_work(lab, "evicted")
    lab.kernel.stubborn.add(pod["metadata"]["name"])
    mark_evicted(lab.store, pod)
    lab.store.delete("pods", pod["metadata"]["name"], "default", grace=1)
    await lab.until(lambda: [p for p in lab.pods("evicted-") if p["metadata"]["name"] != pod["metadata"]["name"]] or reason(lab, "evicted", "Failed"), 20)
    assert reason(lab, "evicted", "Failed") is None and "failed" not in status(lab, "evicted")


@in_a_lab
async def test_a_job_succeeds_with_the_indexes_its_policy_names(lab):
    policy = {"rules": [{"succeededIndexes": "0-1", "succeededCount": 2}, {"succeededCount": 3}]}
    lab.apply(job("enough", completions=4, parallelism=4, completionMode="Indexed", successPolicy=policy))
    await lab.until(lambda: len(at_work(lab, "enough")) == 4)
    for index in ("3", "1", "0"):
        assert reason(lab, "enough", "SuccessCriteriaMet") is None
        (pod,) = [p for p in at_work(lab, "enough") if p["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"] == index]
        lab.kernel.exit("default", pod["metadata"]["name"], "c", 0)
        await lab.until(lambda index=index: index in (status(lab, "enough").get("completedIndexes") or "").replace("-", ",1,").split(","))
    await lab.until(lambda: reason(lab, "enough", "Complete") == "SuccessPolicy")
    assert next(c["message"] for c in status(lab, "enough")["conditions"] if c["type"] == "Complete") == "Matched rules at index 0"
    assert not at_work(lab, "enough")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"restart": "OnFailure", **pod_failure(exits("Ignore", "In", 1))}, 'only "Never" is supported when podFailurePolicy is specified'),
        ({"successPolicy": {"rules": [{"succeededCount": 1}]}, "completions": 2}, "requires indexed completion mode"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(spec, said):
    with pytest.raises(ApiError, match=said):
        Store().create(JOBS, job("x", **spec))
