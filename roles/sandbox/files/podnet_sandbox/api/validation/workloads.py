# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments, DaemonSets, ReplicaSets, StatefulSets, Jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from .. import cron
from ..errors import Cause, forbidden_field, invalid_value, required, unsupported
from .pods import template_causes

Object = Mapping[str, Any]


def _selecting_causes(obj: Object) -> Iterator[Cause]:
    """A workload whose selector must fit its own template, and whose pods are always restarted."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels") or {}
    if spec.get("replicas", 0) < 0:
        yield invalid_value("spec.replicas", str(spec["replicas"]), "must be greater than or equal to 0")
    if selector is None:
        yield required("spec.selector")
    elif not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid_value("spec.selector", _go_selector(selector), "empty selector is invalid for " + obj["kind"].lower())
    elif any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        yield invalid_value("spec.template.metadata.labels", _go_map(labels), "`selector` does not match template `labels`")
    yield from template_causes(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always" and (template.get("spec") or {}).get("containers"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["Always"])


def _selector_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    if obj["spec"].get("selector") != old["spec"].get("selector"):
        yield invalid_value("spec.selector", _go_selector(obj["spec"].get("selector") or {}), "field is immutable")


def _job_causes(obj: Object) -> Iterator[Cause]:
    template = (obj.get("spec") or {}).get("template") or {}
    yield from template_causes(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy not in ("OnFailure", "Never"):
        yield unsupported("spec.template.spec.restartPolicy", policy, ["OnFailure", "Never"])


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
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    yield from template_causes(template, "spec.jobTemplate.spec.template")
    restart = (template.get("spec") or {}).get("restartPolicy", "Always")
    if restart not in ("OnFailure", "Never"):
        yield unsupported("spec.jobTemplate.spec.template.spec.restartPolicy", restart, ["OnFailure", "Never"])


def _job_fixed(obj: Object, old: Object) -> Iterator[Cause]:
    if obj["spec"].get("template") != old["spec"].get("template"):
        yield invalid_value("spec.template", "core.PodTemplateSpec{...}", "field is immutable")


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


def _go_map(values: Mapping[str, str]) -> str:
    """A map as Go prints it with %#v: ``map[string]string{"a":"b"}``."""
    if not values:
        return "map[string]string(nil)"
    return "map[string]string{" + ", ".join(f"{json.dumps(key)}:{json.dumps(values[key])}" for key in sorted(values)) + "}"


def _go_selector(selector: Object) -> str:
    """A LabelSelector as Go prints it."""
    expressions = ", ".join(_go_expression(item) for item in selector.get("matchExpressions") or ())
    printed = f"[]v1.LabelSelectorRequirement{{{expressions}}}" if expressions else "[]v1.LabelSelectorRequirement(nil)"
    return f"v1.LabelSelector{{MatchLabels:{_go_map(selector.get('matchLabels') or {})}, MatchExpressions:{printed}}}"


def _go_expression(item: Object) -> str:
    values = ", ".join(json.dumps(value) for value in item.get("values") or ())
    printed = f"[]string{{{values}}}" if values else "[]string(nil)"
    return f'v1.LabelSelectorRequirement{{Key:"{item.get("key", "")}", Operator:"{item.get("operator", "")}", Values:{printed}}}'


CREATED = {
    "cronjobs.batch": _cronjob_causes,
    "daemonsets.apps": _selecting_causes,
    "deployments.apps": _selecting_causes,
    "jobs.batch": _job_causes,
    "replicasets.apps": _selecting_causes,
    "statefulsets.apps": _selecting_causes,
}
UPDATED = {
    "daemonsets.apps": _selector_fixed,
    "deployments.apps": _selector_fixed,
    "jobs.batch": _job_fixed,
    "replicasets.apps": _selector_fixed,
    "statefulsets.apps": _statefulset_fixed,
}
