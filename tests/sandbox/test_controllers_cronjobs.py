# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CronJobs: when they are due, what they make, what they leave."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lab import MULTITOOL
from podnet_sandbox.api.cron import ScheduleError, parse
from podnet_sandbox.api.errors import ApiError
from podnet_sandbox.api.store import Store
from podnet_sandbox.controllers.jobs.cronjobs import CronJobs

START = datetime(2026, 11, 29, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("* * * * *", "2026-11-29 12:01"),
        ("*/15 9-17 * * mon-fri", "2026-11-30 09:00"),
        ("0 0 1 1 *", "2027-01-01 00:00"),
        ("@hourly", "2026-11-29 13:00"),
        ("30 6 1,15 * 3", "2026-12-01 06:30"),  # a day of the month or a day of the week
        ("0 0 29 FEB ?", "2028-02-29 00:00"),
        ("5/20 * * * *", "2026-11-29 12:05"),
    ],
)
def test_a_schedule_is_due_when_cron_says(schedule, due):
    assert f"{parse(schedule).after(START):%Y-%m-%d %H:%M}" == due


def test_a_day_that_never_comes_is_never_due():
    assert parse("0 0 30 2 *").after(START) is None


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("often", "expected exactly 5 fields, found 1: [often]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("@never", "unrecognized descriptor: @never"),
    ],
)
def test_what_is_no_schedule_is_refused(schedule, why):
    with pytest.raises(ScheduleError) as refused:
        parse(schedule)
    assert str(refused.value) == why


class Crons:
    """The controller alone, over a store and a clock that the test moves."""

    def __init__(self, **spec):
        self.now = START
        self.store = Store()
        self.controller = CronJobs(self.store, clock=lambda: self.now)
        self.store.create("cronjobs.batch", cron(**spec))
        self.store.find("cronjobs.batch", "tick", "default")["metadata"]["creationTimestamp"] = "2026-11-29T12:00:30Z"

    def after(self, **time):
        self.now = START + timedelta(**time)
        return self.controller.reconcile()

    @property
    def jobs(self):
        return self.store.scan("jobs.batch")

    @property
    def status(self):
        return self.store.find("cronjobs.batch", "tick", "default")["status"]

    def finish(self, kind="Complete"):
        for job in self.jobs:
            status = {"conditions": [{"type": kind, "status": "True"}], "completionTime": "2026-11-29T12:01:05Z"}
            self.store.patch("jobs.batch", job["metadata"]["name"], {"status": status}, "default", subresource="status")

    def reasons(self):
        return [event["reason"] for event in self.store.scan("events")]


def cron(**spec):
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": MULTITOOL}]}}
    metadata = {"name": "tick", "namespace": "default"}
    wanted = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": template}}, **spec}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata, "spec": wanted}


def test_a_job_is_made_when_it_is_due_and_not_before():
    crons = Crons()
    assert crons.after(seconds=0) == 30 and crons.jobs == []
    crons.after(seconds=31)
    (job,) = crons.jobs
    assert job["metadata"]["name"] == f"tick-{int(datetime(2026, 11, 29, 12, 1, tzinfo=UTC).timestamp()) // 60}"
    assert job["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert crons.status["lastScheduleTime"] == "2026-11-29T12:01:00Z" and len(crons.status["active"]) == 1
    crons.after(seconds=40)
    assert len(crons.jobs) == 1


def test_a_finished_job_is_noted():
    crons = Crons()
    crons.after(seconds=31)
    crons.finish()
    crons.after(seconds=40)
    assert crons.status["lastSuccessfulTime"] == "2026-11-29T12:01:05Z" and "active" not in crons.status
    assert sorted(crons.reasons()) == ["SawCompletedJob", "SuccessfulCreate"]


@pytest.mark.parametrize(("policy", "left"), [("Allow", 2), ("Forbid", 1), ("Replace", 1)])
def test_what_becomes_of_a_job_that_still_runs_is_the_policys(policy, left):
    crons = Crons(concurrencyPolicy=policy)
    crons.after(seconds=31)
    first = crons.jobs[0]["metadata"]["name"]
    crons.after(seconds=91)
    assert len(crons.jobs) == left
    assert (first in [job["metadata"]["name"] for job in crons.jobs]) == (policy != "Replace")


def test_no_more_finished_jobs_are_kept_than_asked_for():
    crons = Crons(successfulJobsHistoryLimit=1)
    for minute in range(4):
        crons.after(seconds=31 + 60 * minute)
        crons.finish()
    crons.after(minutes=4)
    assert len(crons.jobs) == 1


def test_times_that_were_missed_make_one_job_and_none_after_the_deadline():
    crons = Crons()
    crons.after(hours=5)
    assert len(crons.jobs) == 1
    late = Crons(schedule="0 * * * *", startingDeadlineSeconds=10)
    late.after(hours=5)
    assert late.jobs == [] and late.reasons() == ["MissSchedule"]


def test_a_suspended_one_makes_nothing():
    crons = Crons(suspend=True)
    crons.after(hours=1)
    assert crons.jobs == []


def test_the_time_zone_is_its_own():
    crons = Crons(schedule="0 8 * * *", timeZone="America/New_York")
    assert crons.after(seconds=0) == 3600 - 30  # 13:00 UTC


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"schedule": "often"}, 'spec.schedule: Invalid value: "often": expected exactly 5 fields, found 1: [often]'),
        ({"timeZone": "Mars/Base"}, 'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base'),
        ({"concurrencyPolicy": "Maybe"}, 'Unsupported value: "Maybe"'),
    ],
)
def test_the_api_refuses_what_can_never_be_due(spec, message):
    with pytest.raises(ApiError) as refused:
        Store().create("cronjobs.batch", cron(**spec))
    assert refused.value.code == 422 and message in refused.value.message
