# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a Job has come, from what its status has counted and what its pods add to that. Pure but for the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..objects import age, is_finished, is_terminating
from .indexes import parsed, ranges
from .policies import is_ignored

Object = Mapping[str, Any]

TRACKED = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"


@dataclass
class Tally:
    """``active``: oldest first. ``counted``: pods that are in the numbers and may be let go."""

    active: list[Object]
    terminating: int
    counted: list[Object]
    succeeded: int
    failed: int
    restarts: int
    failed_in_a_row: int
    since_last_failure: float
    completed_indexes: str = ""


def tally(job: Object, pods: Sequence[Object]) -> Tally:
    """Count. A pod that somebody deletes before it has ended counts as failed, at once unless only failed ones are replaced."""
    status = job.get("status") or {}
    tracked = [pod for pod in pods if TRACKED in (pod["metadata"].get("finalizers") or ())]
    ended = [pod for pod in tracked if is_finished(pod) or (is_terminating(pod) and not replaces_only_failed(job))]
    good = [pod for pod in ended if _phase(pod) == "Succeeded"]
    active = sorted(
        (pod for pod in pods if not is_finished(pod) and not is_terminating(pod)), key=lambda pod: pod["metadata"]["creationTimestamp"]
    )
    indexes = parsed(status.get("completedIndexes") or "")
    succeeded = (status.get("succeeded") or 0) + len(good)
    if job["spec"].get("completionMode") == "Indexed":
        indexes |= {_index(pod) for pod in good}
        succeeded = len(indexes)
    in_a_row, since = _failures(pods)
    return Tally(
        active=active,
        terminating=sum(1 for pod in pods if is_terminating(pod) and not is_finished(pod)),
        counted=ended,
        succeeded=succeeded,
        failed=(status.get("failed") or 0) + sum(1 for pod in ended if _phase(pod) != "Succeeded" and not is_ignored(job, pod)),
        restarts=sum(_restarts(pod) for pod in active),
        failed_in_a_row=in_a_row,
        since_last_failure=since,
        completed_indexes=ranges(indexes) if job["spec"].get("completionMode") == "Indexed" else "",
    )


def replaces_only_failed(job: Object) -> bool:
    """podReplacementPolicy Failed: a pod on its way out is still there."""
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def missing_indexes(job: Object, counts: Tally) -> list[int | None]:
    """Those that have neither succeeded nor a pod at work."""
    taken = parsed(counts.completed_indexes) | {_index(pod) for pod in counts.active}
    return [index for index in range(job["spec"].get("completions") or 0) if index not in taken]


def _failures(pods: Sequence[Object]) -> tuple[int, float]:
    """(pods that failed since the last one that succeeded, seconds since the last of them ended)."""
    ends = sorted((_ended_at(pod), _phase(pod)) for pod in pods if is_finished(pod))
    run = 0
    for _moment, phase in reversed(ends):
        if phase == "Succeeded":
            break
        run += 1
    return run, age(ends[-1][0]) if run and ends[-1][0] else 0.0


def _ended_at(pod: Object) -> str:
    states = (pod.get("status") or {}).get("containerStatuses") or ()
    moments = [((state.get("state") or {}).get("terminated") or {}).get("finishedAt") or "" for state in states]
    return max(moments, default="") or str(pod["metadata"]["creationTimestamp"])


def _restarts(pod: Object) -> int:
    status = pod.get("status") or {}
    return sum(each.get("restartCount", 0) for part in ("containerStatuses", "initContainerStatuses") for each in status.get(part) or ())


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


def _index(pod: Object) -> int:
    return int((pod["metadata"].get("annotations") or {}).get(INDEX, -1))
