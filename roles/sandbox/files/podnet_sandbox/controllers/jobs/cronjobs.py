# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CronJobs: a Job at each of their times, and no more finished ones kept than asked for (cronjob-controller)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ...api.cron import Schedule, parse
from ...api.errors import ApiError
from ..events import EventRecorder
from ..objects import by_controller, is_terminating, owner_reference
from ..pod_control import REFUSED

_SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_HISTORY = (("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1))
#: More missed times than that are a clock that is wrong, and are not looked through one by one.
_TOO_MANY = 100
_STILL_RUNNING = "Not starting job because prior execution is running and concurrency policy is Forbid"

Object = Mapping[str, Any]


class CronJobs:
    """Makes Jobs when they are due. ``clock`` is now, with its time zone."""

    watches = frozenset({"cronjobs.batch", "jobs.batch"})

    def __init__(self, store: Any, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._clock = clock
        self._events = EventRecorder(store, "cronjob-controller")

    def reconcile(self) -> float | None:
        crons = self._store.scan("cronjobs.batch")
        if not crons:
            return None
        jobs = by_controller(self._store.scan("jobs.batch"))
        waits = [self._reconcile(cron, jobs.get(cron["metadata"]["uid"], [])) for cron in crons if not is_terminating(cron)]
        return min((wait for wait in waits if wait is not None), default=None)

    def _reconcile(self, cron: Object, jobs: Sequence[Object]) -> float | None:
        """Seconds until it is due next."""
        status = dict(cron.get("status") or {})
        self._note_finished(cron, status, jobs)
        active = [job for job in jobs if _outcome(job) is None]
        now, spec = self._clock(), cron["spec"]
        wait = None
        if not spec.get("suspend"):
            schedule = parse(spec["schedule"])
            due, upcoming = _due(cron, schedule, now)
            if due is not None:
                active = self._run(cron, status, active, due, now)
            wait = None if upcoming is None else max(0.0, (upcoming - self._clock()).total_seconds())
        status["active"] = [_reference(job) for job in active] or None
        metadata = cron["metadata"]
        self._store.patch("cronjobs.batch", metadata["name"], {"status": status}, metadata["namespace"], subresource="status")
        self._clean(cron, jobs)
        return wait

    def _run(self, cron: Object, status: dict[str, Any], active: list[Object], due: datetime, now: datetime) -> list[Object]:
        """What is active afterwards."""
        spec = cron["spec"]
        deadline, policy = spec.get("startingDeadlineSeconds"), spec.get("concurrencyPolicy", "Allow")
        if deadline is not None and (now - due).total_seconds() > deadline:
            self._events.warning(cron, "MissSchedule", f"Missed scheduled time to start a job: {due:%a, %d %b %Y %H:%M:%S %z}")
            return active
        if policy == "Forbid" and active:
            self._events.normal(cron, "JobAlreadyActive", _STILL_RUNNING)
            return active
        if policy == "Replace":
            for job in active:
                self._delete(cron, job)
            active = []
        made = _job(cron, due)
        if self._store.find("jobs.batch", made["metadata"]["name"], made["metadata"]["namespace"]) is None:
            try:
                made = self._store.create("jobs.batch", made)
            except ApiError as error:
                if error.code not in REFUSED:
                    raise
                self._events.warning(cron, "FailedCreate", f"Error creating job: {error.message}")
                return active
            self._events.normal(cron, "SuccessfulCreate", f"Created job {made['metadata']['name']}")
            active = [*active, made]
        status["lastScheduleTime"] = _written(due)
        return active

    def _note_finished(self, cron: Object, status: dict[str, Any], jobs: Sequence[Object]) -> None:
        """Jobs that were active when last seen, and have ended."""
        known = {reference["uid"] for reference in (cron.get("status") or {}).get("active") or ()}
        for job in jobs:
            outcome = _outcome(job)
            if outcome is None or job["metadata"]["uid"] not in known:
                continue
            name = job["metadata"]["name"]
            self._events.normal(cron, "SawCompletedJob", f"Saw completed job: {name}, condition: {outcome}")
            finished = (job.get("status") or {}).get("completionTime")
            if finished:
                status["lastSuccessfulTime"] = max(finished, status.get("lastSuccessfulTime") or "")

    def _clean(self, cron: Object, jobs: Sequence[Object]) -> None:
        for outcome, limit, default in _HISTORY:
            ended = sorted((job for job in jobs if _outcome(job) == outcome), key=lambda job: job["metadata"]["creationTimestamp"])
            for job in ended[: max(0, len(ended) - cron["spec"].get(limit, default))]:
                self._delete(cron, job)

    def _delete(self, cron: Object, job: Object) -> None:
        if not is_terminating(job):
            self._store.delete("jobs.batch", job["metadata"]["name"], job["metadata"]["namespace"])
            self._events.normal(cron, "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")


def _due(cron: Object, schedule: Schedule, now: datetime) -> tuple[datetime | None, datetime | None]:
    """(the last time that was due and not seen to, the next one)."""
    status = cron.get("status") or {}
    since = datetime.fromisoformat(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"])
    moment = since.astimezone(ZoneInfo(cron["spec"].get("timeZone") or "UTC"))
    due = None
    for _ignored in range(_TOO_MANY):
        upcoming = schedule.after(moment)
        if upcoming is None or upcoming > now:
            return due, upcoming
        due = moment = upcoming
    moment = now.astimezone(moment.tzinfo)
    return due, schedule.after(moment)


def _job(cron: Object, due: datetime) -> dict[str, Any]:
    """Its name says for which minute it was made, so that none is made twice."""
    template = cron["spec"]["jobTemplate"]
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{cron['metadata']['name']}-{int(due.timestamp()) // 60}",
            "namespace": cron["metadata"]["namespace"],
            "labels": dict(metadata.get("labels") or {}),
            "annotations": {**(metadata.get("annotations") or {}), _SCHEDULED_AT: due.isoformat().replace("+00:00", "Z")},
            "ownerReferences": [owner_reference(cron)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _outcome(job: Object) -> str | None:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return next((c["type"] for c in conditions if c["type"] in ("Complete", "Failed") and c["status"] == "True"), None)


def _reference(job: Object) -> dict[str, str]:
    metadata = job["metadata"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": metadata["name"],
        "namespace": metadata["namespace"],
        "resourceVersion": metadata["resourceVersion"],
        "uid": metadata["uid"],
    }


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
