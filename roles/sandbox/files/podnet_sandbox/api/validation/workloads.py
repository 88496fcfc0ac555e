# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments, DaemonSets, ReplicaSets, StatefulSets, Jobs, and what limits their disruption."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from .. import cron
from ..errors import Cause, forbidden_field, invalid_value, required, unsupported
from ..goformat import go_selector, go_strings
from ..selectors import selects
from .containers import NOT_NEGATIVE
from .metadata import selector_causes
from .pods import template_causes

Object = Mapping[str, Any]

_NO_PERCENT = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is "
    "'[0-9]+%')"
)


def _deployment_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from not_negative(spec, "spec", "replicas")
    yield from _selector_causes(spec, "deployment")
    yield from _matching_template_causes(spec)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate" and strategy.get("rollingUpdate"):
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_field("spec.strategy.rollingUpdate", why)
    elif strategy.get("type") not in ("Recreate", "RollingUpdate"):
        yield unsupported("spec.strategy.type", strategy.get("type", ""), ("Recreate", "RollingUpdate"))
    elif strategy.get("type") == "RollingUpdate":
        yield from _rolling_causes(strategy.get("rollingUpdate") or {}, "spec.strategy.rollingUpdate")
    yield from not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline, ready = spec.get("progressDeadlineSeconds"), spec.get("minReadySeconds", 0)
    if deadline is not None and deadline <= ready:
        yield invalid_value("spec.progressDeadlineSeconds", str(deadline), "must be greater than minReadySeconds")


def _replicaset_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from _selector_causes(spec, "deployment")
    yield from _matching_template_causes(spec)


def _daemonset_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not _selects(spec):
        yield _mismatch(spec)
    selector = spec.get("selector")
    if selector is not None:
        yield from selector_causes(selector, "spec.selector")
        if _is_empty(selector):
            yield invalid_value("spec.selector", go_selector(selector), "empty selector is invalid for daemonset")
    yield from template_causes(spec.get("template") or {}, "spec.template")
    yield from _always_restarted(spec)
    yield from not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit")
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
        yield unsupported("spec.updateStrategy.type", strategy.get("type", ""), ("RollingUpdate", "OnDelete"))
    elif strategy["type"] == "RollingUpdate":
        yield from _rolling_causes(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate")
        yield from _either_causes(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate")


def _statefulset_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    policy = spec.get("podManagementPolicy")
    if policy not in ("OrderedReady", "Parallel"):
        yield invalid_value("spec.podManagementPolicy", json.dumps(policy or ""), "must be 'OrderedReady' or 'Parallel'")
    strategy = spec.get("updateStrategy") or {}
    yield from not_negative(strategy.get("rollingUpdate") or {}, "spec.updateStrategy.rollingUpdate", "partition")
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from _selector_causes(spec, "statefulset")
    if not _selects(spec):
        yield _mismatch(spec)
    claims = [{"name": (item.get("metadata") or {}).get("name", ""), "emptyDir": {}} for item in spec.get("volumeClaimTemplates") or ()]
    template = spec.get("template") or {}
    content = template.get("spec") or {}
    yield from template_causes({**template, "spec": {**content, "volumes": [*(content.get("volumes") or ()), *claims]}}, "spec.template")
    yield from _always_restarted(spec)


def _selector_causes(spec: Object, kind: str) -> Iterator[Cause]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from selector_causes(selector, "spec.selector")
    if _is_empty(selector):
        yield invalid_value("spec.selector", go_selector(selector), f"empty selector is invalid for {kind}")


def _matching_template_causes(spec: Object) -> Iterator[Cause]:
    if not _selects(spec):
        yield _mismatch(spec)
    yield from template_causes(spec.get("template") or {}, "spec.template")
    yield from _always_restarted(spec)


def _always_restarted(spec: Object) -> Iterator[Cause]:
    template = (spec.get("template") or {}).get("spec") or {}
    policy = template.get("restartPolicy", "Always")
    if policy != "Always":
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
    if template.get("activeDeadlineSeconds") is not None:
        yield forbidden_field("spec.template.spec.activeDeadlineSeconds", "activeDeadlineSeconds in ReplicaSet is not Supported")


def _rolling_causes(rolling: Object, field: str) -> Iterator[Cause]:
    for part in ("maxUnavailable", "maxSurge"):
        value = rolling.get(part, 0)
        if isinstance(value, str) and not re.fullmatch("[0-9]+%", value):
            yield invalid_value(f"{field}.{part}", json.dumps(value), _NO_PERCENT)
        elif isinstance(value, int) and value < 0:
            yield invalid_value(f"{field}.{part}", str(value), NOT_NEGATIVE)
    if all(str(rolling.get(part, 0)).rstrip("%") == "0" for part in ("maxUnavailable", "maxSurge")) and field.startswith("spec.strategy"):
        given = rolling.get("maxUnavailable", 0)  # an IntOrString prints itself
        yield invalid_value(f"{field}.maxUnavailable", str(given), "may not be 0 when `maxSurge` is 0")


def _either_causes(rolling: Object, field: str) -> Iterator[Cause]:
    """A DaemonSet is rolled out by taking pods away first, or by setting new ones beside them."""
    unavailable, surge = (str(rolling.get(part, 0)).rstrip("%") != "0" for part in ("maxUnavailable", "maxSurge"))
    if unavailable and surge:
        yield invalid_value(f"{field}.maxSurge", str(rolling["maxSurge"]), "may not be set when maxUnavailable is non-zero")
    elif not unavailable and not surge:
        yield required(f"{field}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def _selects(spec: Object) -> bool:
    """Whether the selector matches the template's labels; none matches nothing, an empty one everything."""
    selector = spec.get("selector")
    if selector is None:
        return False
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    return selects(selector, labels)


def _mismatch(spec: Object) -> Cause:
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    return invalid_value("spec.template.metadata.labels", go_strings(labels), "`selector` does not match template `labels`")


def _is_empty(selector: Object) -> bool:
    return not selector.get("matchLabels") and not selector.get("matchExpressions")


def _selector_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    if obj["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", go_selector(obj["spec"].get("selector") or {}), "field is immutable")


def _job_causes(obj: Object) -> Iterator[Cause]:
    yield from _job_spec_causes(obj.get("spec") or {}, "spec")


def _job_spec_causes(spec: Object, field: str) -> Iterator[Cause]:
    yield from not_negative(spec, field, "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished")
    template = spec.get("template") or {}
    yield from template_causes(template, f"{field}.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy == "Always":
        yield Cause("FieldValueRequired", 'Required value: valid values: "OnFailure", "Never"', f"{field}.template.spec.restartPolicy")
    elif policy not in ("OnFailure", "Never"):
        yield unsupported(f"{field}.template.spec.restartPolicy", policy, ["OnFailure", "Never"])
    elif policy != "Never" and spec.get("podFailurePolicy"):
        why = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid_value(f"{field}.template.spec.restartPolicy", json.dumps(policy), why)
    if spec.get("successPolicy") and spec.get("completionMode") != "Indexed":
        yield invalid_value(f"{field}.successPolicy", "batch.SuccessPolicy{...}", "requires indexed completion mode")


def _cronjob_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("schedule"):
        yield required("spec.schedule")
    else:
        try:
            cron.parse(spec["schedule"])
        except cron.ScheduleError as error:
            yield invalid_value("spec.schedule", json.dumps(spec["schedule"]), str(error))
    if spec.get("timeZone"):
        try:
            ZoneInfo(spec["timeZone"])
        except (KeyError, ValueError, OSError):
            yield invalid_value("spec.timeZone", json.dumps(spec["timeZone"]), f"unknown time zone {spec['timeZone']}")
    policy = spec.get("concurrencyPolicy", "Allow")
    if policy not in ("Allow", "Forbid", "Replace"):
        yield unsupported("spec.concurrencyPolicy", policy, ["Allow", "Forbid", "Replace"])
    yield from _job_spec_causes((spec.get("jobTemplate") or {}).get("spec") or {}, "spec.jobTemplate.spec")


def _job_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"], obj["spec"]
    if before.get("completions") != after.get("completions") and after.get("completionMode") != "Indexed":
        yield invalid_value("spec.completions", str(after.get("completions")), "field is immutable")
    if before.get("selector") != after.get("selector"):
        yield invalid_value("spec.selector", go_selector(after.get("selector") or {}), "field is immutable")
    if before.get("template") != after.get("template"):
        yield invalid_value("spec.template", "core.PodTemplateSpec{...}", "field is immutable")
    if before.get("completionMode") != after.get("completionMode"):
        yield invalid_value("spec.completionMode", json.dumps(after.get("completionMode")), "field is immutable")


def _budget_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = "policy.PodDisruptionBudgetSpec{...}"
        yield invalid_value("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    yield from selector_causes(spec.get("selector") or {}, "spec.selector")


def _statefulset_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    allowed = {
        "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "replicas", "revisionHistoryLimit",
        "template", "updateStrategy",
    }  # fmt: skip
    before = {key: value for key, value in old["spec"].items() if key not in allowed}
    if before != {key: value for key, value in obj["spec"].items() if key not in allowed}:
        why = (
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        )
        yield forbidden_field("spec", why)


def not_negative(values: Object, field: str, *names: str) -> Iterator[Cause]:
    """Each of ``names`` in ``values`` must not be below zero."""
    for name in names:
        value = values.get(name)
        if value is not None and value < 0:
            yield invalid_value(f"{field}.{name}", str(value), NOT_NEGATIVE)


CREATED = {
    "cronjobs.batch": _cronjob_causes,
    "daemonsets.apps": _daemonset_causes,
    "deployments.apps": _deployment_causes,
    "jobs.batch": _job_causes,
    "poddisruptionbudgets.policy": _budget_causes,
    "replicasets.apps": _replicaset_causes,
    "statefulsets.apps": _statefulset_causes,
}
UPDATED = {
    "daemonsets.apps": _selector_fixed,
    "deployments.apps": _selector_fixed,
    "jobs.batch": _job_fixed,
    "replicasets.apps": _selector_fixed,
    "statefulsets.apps": _statefulset_fixed,
}
