# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: how many pods at once, what counts, when it is over."""

from __future__ import annotations

import asyncio

import pytest
from lab import MULTITOOL, in_a_lab

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
