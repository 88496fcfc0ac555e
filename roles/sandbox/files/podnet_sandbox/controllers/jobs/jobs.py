# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: pods until enough of them have succeeded, or too many have failed (job-controller of Kubernetes v1.32).

A pod that has ended is counted once and only then let go: it carries a finalizer until it is in the Job's status. A Job ends when
its last pod has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..objects import age, by_controller, is_finished, is_ready, is_terminating, now, pod_of, set_condition
from ..pod_control import LETTING_IN, PodControl
from .counting import INDEX, TRACKED, Tally, missing_indexes, replaces_only_failed, tally
from .indexes import parsed
from .policies import POD_FAILURE, SUCCESS, fatal, met

Object = Mapping[str, Any]

#: Seconds before a pod is made in place of one that failed: first, and at most.
FIRST_BACKOFF, MOST_BACKOFF = 10.0, 600.0
_COMPLETE = ("CompletionsReached", "Reached expected number of succeeded pods")
_BACKOFF_LIMIT = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
_DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
_SUSPENDED, _RESUMED = ("JobSuspended", "Job suspended"), ("JobResumed", "Job resumed")


class Jobs:
    """Makes and counts the pods of Jobs, and ends the Jobs."""

    watches = frozenset({"jobs.batch", "pods"}) | LETTING_IN

    def __init__(self, store: Any) -> None:
        self._store = store
        self._control = PodControl(store, "job-controller")

    def reconcile(self) -> float | None:
        pods = self._store.scan("pods")
        jobs = {job["metadata"]["uid"]: job for job in self._store.scan("jobs.batch") if not is_terminating(job)}
        self._let_go_of_orphans(pods, jobs)
        owned = by_controller(pods)
        waits = [self._reconcile(job, owned.get(uid, [])) for uid, job in jobs.items()]
        return min((wait for wait in waits if wait is not None), default=None)

    def _reconcile(self, job: Object, pods: Sequence[Object]) -> float | None:
        """Seconds after which it has to be looked at again."""
        if _ended(job):
            self._release(pods)
            return self._expire(job)
        counts = tally(job, pods)
        status = {**(job.get("status") or {}), "conditions": list((job.get("status") or {}).get("conditions") or ())}
        suspended = bool(job["spec"].get("suspend"))
        if not suspended and not status.get("startTime"):
            status["startTime"] = now()
        verdict = _verdict(job, status, counts, pods)
        if verdict:
            return self._end(job, status, counts, *verdict)
        self._note_suspension(job, status, suspended)
        wait = None if suspended else self._resize(job, counts)
        if suspended:
            self._take_away(job, counts.active)
        self._write(job, status, counts)
        return min((each for each in (wait, _until_deadline(job, status)) if each is not None), default=None)

    def _resize(self, job: Object, counts: Tally) -> float | None:
        """As many pods as are wanted now; seconds to wait before the next one where the last ones failed."""
        spec = job["spec"]
        parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
        if completions is None:
            wanted = parallelism if not counts.succeeded else min(parallelism, len(counts.active))
        else:
            wanted = min(parallelism, completions - counts.succeeded)
        self._take_away(job, counts.active[max(0, wanted) :])
        room = wanted - len(counts.active) - (counts.terminating if replaces_only_failed(job) else 0)
        if room <= 0:
            return None
        delay = min(MOST_BACKOFF, FIRST_BACKOFF * 2 ** (counts.failed_in_a_row - 1)) if counts.failed_in_a_row else 0.0
        left = delay - counts.since_last_failure
        if left > 0:
            return left
        indexes = missing_indexes(job, counts) if spec.get("completionMode") == "Indexed" else [None] * room
        for index in indexes[:room]:
            if not self._control.create(job, _pod(job, index)):
                break
        return None

    def _end(
        self, job: Object, status: dict[str, Any], counts: Tally, target: str, kind: str, reason: str, message: str
    ) -> float | None:
        """First it is decided, then its last pods end, then it has ended."""
        told = {"status": "True", "reason": reason, "message": message, "lastProbeTime": now()}
        if not any(entry["type"] == target for entry in status["conditions"]):
            status["conditions"] = set_condition(status["conditions"], {"type": target, **told})
        for pod in counts.active:  # these count as failed
            self._control.delete(job, pod)
        if not counts.active and not counts.terminating:
            status["conditions"] = set_condition(status["conditions"], {"type": kind, **told})
            if kind == "Complete":
                status["completionTime"] = now()
                self._control.events.normal(job, "Completed", "Job completed")
            else:
                self._control.events.warning(job, reason, message)
        self._write(job, status, counts)
        return None

    def _note_suspension(self, job: Object, status: dict[str, Any], suspended: bool) -> None:
        before = next((entry for entry in status["conditions"] if entry["type"] == "Suspended"), None)
        if suspended == (before is not None and before["status"] == "True") or (before is None and not suspended):
            return
        reason, message = _SUSPENDED if suspended else _RESUMED
        condition = {"type": "Suspended", "status": str(suspended), "reason": reason, "message": message, "lastProbeTime": now()}
        status["conditions"] = set_condition(status["conditions"], condition)
        status["startTime"] = None if suspended else now()
        self._control.events.normal(job, "Suspended" if suspended else "Resumed", message)

    def _write(self, job: Object, status: Mapping[str, Any], counts: Tally) -> None:
        """The counts first, then the pods that are in them are let go."""
        mine = by_controller(self._store.scan("pods", job["metadata"]["namespace"])).get(job["metadata"]["uid"], [])
        active = [pod for pod in mine if not is_terminating(pod) and not is_finished(pod)]
        written = {
            **status,
            "active": len(active) or None,
            "completedIndexes": counts.completed_indexes or None,
            "conditions": status["conditions"] or None,
            "failed": counts.failed or None,
            "ready": sum(1 for pod in active if is_ready(pod)),
            "succeeded": counts.succeeded or None,
            "terminating": sum(1 for pod in mine if is_terminating(pod) and not is_finished(pod)),
            "uncountedTerminatedPods": {},
        }
        metadata = job["metadata"]
        self._store.patch("jobs.batch", metadata["name"], {"status": written}, metadata["namespace"], subresource="status")
        self._release(counts.counted)

    def _release(self, pods: Sequence[Object]) -> None:
        for pod in pods:
            kept = [each for each in pod["metadata"].get("finalizers") or () if each != TRACKED]
            metadata = pod["metadata"]
            if len(kept) != len(metadata.get("finalizers") or ()) and self._store.find("pods", metadata["name"], metadata["namespace"]):
                self._store.patch("pods", metadata["name"], {"metadata": {"finalizers": kept or None}}, metadata["namespace"])

    def _let_go_of_orphans(self, pods: Sequence[Object], jobs: Mapping[str, Object]) -> None:
        orphans = [pod for pod in pods if TRACKED in (pod["metadata"].get("finalizers") or ())]
        self._release([
            pod for pod in orphans
            if not any(reference["uid"] in jobs for reference in pod["metadata"].get("ownerReferences") or ())
        ])  # fmt: skip

    def _take_away(self, job: Object, pods: Sequence[Object]) -> None:
        """Pods that are too many: they count for nothing."""
        self._release(pods)
        for pod in pods:
            self._control.delete(job, pod)

    def _expire(self, job: Object) -> float | None:
        """ttlSecondsAfterFinished."""
        patience = job["spec"].get("ttlSecondsAfterFinished")
        if patience is None:
            return None
        finished = next(entry for entry in job["status"]["conditions"] if entry["type"] in ("Complete", "Failed"))
        left = patience - age(finished["lastTransitionTime"])
        if left > 0:
            return left
        self._store.delete("jobs.batch", job["metadata"]["name"], job["metadata"]["namespace"], propagation="Foreground")
        return None


def _verdict(
    job: Object, status: Mapping[str, Any], counts: Tally, pods: Sequence[Object]
) -> tuple[str, str, str, str] | None:
    """(condition when it is decided, condition when it has ended, reason, message), or None while it goes on."""
    decided = next((c for c in status["conditions"] if c["type"] in ("FailureTarget", "SuccessCriteriaMet")), None)
    if decided:
        kind = "Failed" if decided["type"] == "FailureTarget" else "Complete"
        return decided["type"], kind, decided["reason"], decided["message"]
    why = fatal(job, pods)
    if why:
        return "FailureTarget", "Failed", POD_FAILURE, why
    spec = job["spec"]
    limit = spec.get("backoffLimit", 6)
    restarted = counts.restarts > 0 if limit == 0 else counts.restarts >= limit
    if counts.failed > limit or (restarted and spec["template"]["spec"].get("restartPolicy") == "OnFailure"):
        return "FailureTarget", "Failed", *_BACKOFF_LIMIT
    if _until_deadline(job, status) == 0:
        return "FailureTarget", "Failed", *_DEADLINE
    enough = met(job, parsed(counts.completed_indexes))
    if enough:
        return "SuccessCriteriaMet", "Complete", SUCCESS, enough
    completions = spec.get("completions")
    done = counts.succeeded >= completions if completions is not None else bool(counts.succeeded) and not counts.active
    return ("SuccessCriteriaMet", "Complete", *_COMPLETE) if done and not spec.get("suspend") else None


def _until_deadline(job: Object, status: Mapping[str, Any]) -> float | None:
    """Seconds left of activeDeadlineSeconds; None without one."""
    deadline = job["spec"].get("activeDeadlineSeconds")
    if deadline is None or not status.get("startTime") or job["spec"].get("suspend"):
        return None
    return max(0.0, deadline - age(status["startTime"]))


def _ended(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(entry["type"] in ("Complete", "Failed") and entry["status"] == "True" for entry in conditions)


def _pod(job: Object, index: int | None) -> dict[str, Any]:
    pod = pod_of(job["spec"]["template"], job, {})
    pod["metadata"]["finalizers"] = [TRACKED]
    if index is None:
        return pod
    name = f"{job['metadata']['name']}-{index}"
    metadata, spec = pod["metadata"], pod["spec"]
    metadata["generateName"] = f"{name}-"
    metadata["annotations"] = {**(metadata.get("annotations") or {}), INDEX: str(index)}
    metadata["labels"][INDEX] = str(index)
    spec.setdefault("hostname", name)
    source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        container["env"] = [*(container.get("env") or ()), {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}]
    return pod
