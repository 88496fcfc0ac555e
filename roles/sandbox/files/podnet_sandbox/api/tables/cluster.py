# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes, namespaces, configuration, events and what else a cluster holds."""

from __future__ import annotations

from typing import Any

from .cells import NONE, UNKNOWN, Object, Printer, age_of, columns, condition_of, listed, since, spec_of, status_of

_ROLE = "node-role.kubernetes.io/"


def _node(obj: Object) -> list[Any]:
    info = status_of(obj).get("nodeInfo") or {}
    return [
        _node_status(obj),
        _roles(obj),
        age_of(obj),
        info.get("kubeletVersion", UNKNOWN),
        _address(obj, "InternalIP"),
        _address(obj, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        info.get("kernelVersion") or UNKNOWN,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_status(obj: Object) -> str:
    ready = condition_of(obj, "Ready")
    said = [{"True": "Ready", "": "Unknown"}.get(ready, "NotReady")]
    if spec_of(obj).get("unschedulable"):
        said.append("SchedulingDisabled")
    return ",".join(said)


def _roles(obj: Object) -> str:
    labels = obj["metadata"].get("labels") or {}
    return listed(sorted(key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE) and key != _ROLE))


def _address(obj: Object, kind: str) -> str:
    found = status_of(obj).get("addresses") or ()
    return next((item["address"] for item in found if item["type"] == kind), NONE)


def _event(obj: Object) -> list[Any]:
    involved = obj.get("involvedObject") or {}
    series, source = obj.get("series") or {}, obj.get("source") or {}
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = series.get("lastObservedTime") or obj.get("lastTimestamp") or first
    where = listed((source.get(part) for part in ("component", "host") if source.get(part)), obj.get("reportingComponent") or "")
    return [
        since(last),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        where.replace(",", ", "),
        str(obj.get("message", "")).strip(),
        since(first),
        series.get("count") or obj.get("count") or 1,
        obj["metadata"]["name"],
    ]


def _configmap(obj: Object) -> list[Any]:
    return [len(obj.get("data") or {}) + len(obj.get("binaryData") or {}), age_of(obj)]


def _secret(obj: Object) -> list[Any]:
    return [obj.get("type", ""), len(obj.get("data") or {}), age_of(obj)]


def _namespace(obj: Object) -> list[Any]:
    return [status_of(obj).get("phase", ""), age_of(obj)]


def _account(obj: Object) -> list[Any]:
    return [len(obj.get("secrets") or ()), age_of(obj)]


def _definition(obj: Object) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp")]


def _apiservice(obj: Object) -> list[Any]:
    service = spec_of(obj).get("service")
    where = f"{service['namespace']}/{service['name']}" if service else "Local"
    return [where, condition_of(obj, "Available") or "Unknown", age_of(obj)]


def _storageclass(obj: Object) -> list[Any]:
    return [
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", ""),
        obj.get("volumeBindingMode", ""),
        bool(obj.get("allowVolumeExpansion")),
        age_of(obj),
    ]


def _priorityclass(obj: Object) -> list[Any]:
    return [obj.get("value", 0), bool(obj.get("globalDefault")), age_of(obj), obj.get("preemptionPolicy", "")]


def _budget(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    limits = [str(spec[part]) if spec.get(part) is not None else "N/A" for part in ("minAvailable", "maxUnavailable")]
    return [*limits, status.get("disruptionsAllowed", 0), age_of(obj)]


PRINTERS = {
    "apiservices.apiregistration.k8s.io": Printer(columns("Service", "Available", "Age"), _apiservice),
    "configmaps": Printer(columns("Data", "Age"), _configmap),
    "customresourcedefinitions.apiextensions.k8s.io": Printer(columns("Created At:date"), _definition),
    "events": Printer(
        columns("Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message", "+First Seen", "+Count", "+Name"),
        _event,
        named=False,
    ),
    "namespaces": Printer(columns("Status", "Age"), _namespace),
    "nodes": Printer(
        columns(
            "Status", "Roles", "Age", "Version", "+Internal-IP", "+External-IP", "+OS-Image", "+Kernel-Version",
            "+Container-Runtime",
        ),
        _node,
    ),
    "poddisruptionbudgets.policy": Printer(columns("Min Available", "Max Unavailable", "Allowed Disruptions:integer", "Age"), _budget),
    "priorityclasses.scheduling.k8s.io": Printer(
        columns("Value:integer", "Global-Default:boolean", "Age", "PreemptionPolicy"), _priorityclass
    ),
    "secrets": Printer(columns("Type", "Data", "Age"), _secret),
    "serviceaccounts": Printer(columns("Secrets", "Age"), _account),
    "storageclasses.storage.k8s.io": Printer(
        columns("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion:boolean", "Age"), _storageclass
    ),
}  # fmt: skip
