# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Job's own rules say of its pods: podFailurePolicy and successPolicy (pkg/controller/job of v1.32). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .indexes import parsed

Object = Mapping[str, Any]

#: Reasons of the conditions that they lead to.
POD_FAILURE, SUCCESS = "PodFailurePolicy", "SuccessPolicy"
_FAIL_JOB, _IGNORE = "FailJob", "Ignore"


def is_ignored(job: Object, pod: Object) -> bool:
    """Whether a pod that failed counts for nothing."""
    return _first_match(job, pod)[0] == _IGNORE


def fatal(job: Object, pods: Iterable[Object]) -> str:
    """Why the Job has failed by a rule that one of its failed pods meets, '' where it has not."""
    failed = (pod for pod in pods if (pod.get("status") or {}).get("phase") == "Failed")
    return next((said for action, said in (_first_match(job, pod) for pod in failed) if action == _FAIL_JOB), "")


def met(job: Object, succeeded: set[int]) -> str:
    """By which rule the indexes that have ``succeeded`` are enough, '' where they are not."""
    for place, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        wanted = rule.get("succeededIndexes")
        named = parsed(wanted) if wanted is not None else succeeded
        needed = rule.get("succeededCount")
        if len(named & succeeded) >= (len(named) if needed is None else needed):
            return f"Matched rules at index {place}"
    return ""


def _first_match(job: Object, pod: Object) -> tuple[str, str]:
    """(action, message) of the first rule that a failed pod meets; ('', '') where it meets none."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    for place, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        action, where = rule["action"], f"{metadata['namespace']}/{metadata['name']}"
        if rule.get("onExitCodes"):
            found = _ended_so(status, rule["onExitCodes"])
            if found:
                name, code = found
                return action, f"Container {name} for pod {where} failed with exit code {code} matching {action} rule at index {place}"
        else:
            kind = _condition(status.get("conditions") or (), rule.get("onPodConditions") or ())
            if kind:
                return action, f"Pod {where} has condition {kind} matching {action} rule at index {place}"
    return "", ""


def _ended_so(status: Object, wanted: Object) -> tuple[str, int] | None:
    """The first container that ended badly with one of the codes, or with none of them (NotIn), and its code."""
    for state in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        code = ((state.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
        meant = wanted.get("containerName") in (None, state["name"])
        if code and meant and (code in wanted["values"]) == (wanted["operator"] == "In"):
            return state["name"], code
    return None


def _condition(have: Sequence[Object], patterns: Sequence[Object]) -> str:
    """The type of a condition that is as one of the patterns says."""
    return next(
        (entry["type"] for entry in have for each in patterns if (entry["type"], entry["status"]) == (each["type"], each["status"])), ""
    )
