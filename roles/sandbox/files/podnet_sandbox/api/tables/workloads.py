# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes pods."""

from __future__ import annotations

from typing import Any

from ..clock import age
from .cells import NONE, UNKNOWN, Object, Printer, age_of, columns, duration, label_text, listed, selector_text, since, spec_of, status_of


def _containers(template: Object | None) -> list[str]:
    containers = spec_of(template or {}).get("containers") or ()
    return [listed(item["name"] for item in containers), listed(item.get("image", "") for item in containers)]


def _daemonset(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled", "numberAvailable")
    return [
        *(status.get(name, 0) for name in counts),
        label_text(spec_of(spec.get("template") or {}).get("nodeSelector")),
        age_of(obj),
        *_containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _deployment(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    return [
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj),
        *_containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _replicaset(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    return [
        spec.get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age_of(obj),
        *_containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _statefulset(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    ready = f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}"
    return [ready, age_of(obj), *_containers(spec.get("template"))]


def _job(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    wanted = spec.get("completions") or spec.get("parallelism") or 1
    return [
        _job_status(obj),
        f"{status.get('succeeded', 0)}/{wanted}",
        _job_duration(status),
        age_of(obj),
        *_containers(spec.get("template")),
        selector_text(spec.get("selector")),
    ]


def _job_status(obj: Object) -> str:
    true = {item["type"] for item in status_of(obj).get("conditions") or () if item["status"] == "True"}
    if obj["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for kind, said in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if kind in true:
            return said
    return "Running"


def _job_duration(status: Object) -> str:
    started, ended = age(status.get("startTime")), age(status.get("completionTime"))
    if started is None:
        return ""
    return duration(started - (ended or 0))


def _cronjob(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    template = spec_of(spec.get("jobTemplate") or {}).get("template")
    last = status.get("lastScheduleTime")
    return [
        spec.get("schedule", ""),
        spec.get("timeZone") or NONE,
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        since(last) if last else NONE,
        age_of(obj),
        *_containers(template),
        NONE,
    ]


def _revision(obj: Object) -> list[Any]:
    owners = obj["metadata"].get("ownerReferences") or ()
    owner = next((f"{_kind(item)}/{item['name']}" for item in owners if item.get("controller")), NONE)
    return [owner, obj.get("revision", UNKNOWN), age_of(obj)]


def _kind(owner: Object) -> str:
    group = owner["apiVersion"].rpartition("/")[0]
    return owner["kind"].lower() + (f".{group}" if group else "")


_WIDE = ("+Containers", "+Images", "+Selector")


def _podtemplate(obj: Object) -> list[Any]:
    template = obj.get("template") or {}
    return [*_containers(template), label_text((template.get("metadata") or {}).get("labels"))]


PRINTERS = {
    "podtemplates": Printer(columns("Containers", "Images", "Pod Labels"), _podtemplate),
    "controllerrevisions.apps": Printer(columns("Controller", "Revision", "Age"), _revision),
    "cronjobs.batch": Printer(
        columns("Schedule", "Timezone", "Suspend:boolean", "Active:integer", "Last Schedule", "Age", *_WIDE), _cronjob
    ),
    "daemonsets.apps": Printer(
        columns(
            "Desired:integer", "Current:integer", "Ready:integer", "Up-to-date:integer", "Available:integer",
            "Node Selector", "Age", *_WIDE,
        ),
        _daemonset,
    ),
    "deployments.apps": Printer(columns("Ready", "Up-to-date", "Available", "Age", *_WIDE), _deployment),
    "jobs.batch": Printer(columns("Status", "Completions", "Duration", "Age", *_WIDE), _job),
    "replicasets.apps": Printer(columns("Desired:integer", "Current:integer", "Ready:integer", "Age", *_WIDE), _replicaset),
    "statefulsets.apps": Printer(columns("Ready", "Age", "+Containers", "+Images"), _statefulset),
}  # fmt: skip
