# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and their claims, quotas, and classes of storage and runtimes."""

from __future__ import annotations

from typing import Any

from .cells import Object, Printer, age_of, columns, spec_of, status_of

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_UNSET = "<unset>"


def _modes(modes: Any) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: Object) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else status_of(obj).get("phase", "")


def _claim(obj: Object) -> list[Any]:
    spec, status = spec_of(obj), status_of(obj)
    bound = bool(spec.get("volumeName"))
    return [
        _phase(obj),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "") if bound else "",
        _modes(status.get("accessModes")) if bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        age_of(obj),
        spec.get("volumeMode", "<unset>"),
    ]


def _volume(obj: Object) -> list[Any]:
    spec, claim = spec_of(obj), spec_of(obj).get("claimRef") or {}
    return [
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(obj),
        f"{claim['namespace']}/{claim['name']}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName", _UNSET),
        status_of(obj).get("reason", ""),
        age_of(obj),
        spec.get("volumeMode", "<unset>"),
    ]


def _quota(obj: Object) -> list[Any]:
    """Of what was counted; nothing is, where nothing enforces it."""
    hard, used = status_of(obj).get("hard") or {}, status_of(obj).get("used") or {}
    said = {name: f"{name}: {used.get(name, 0)}/{hard[name]}" for name in sorted(hard)}
    limits = [text for name, text in said.items() if name.startswith("limits")]
    return [age_of(obj), ", ".join(text for text in said.values() if text not in limits), ", ".join(limits)]


def _driver(obj: Object) -> list[Any]:
    spec = spec_of(obj)
    audiences = ",".join(item.get("audience", "") for item in spec.get("tokenRequests") or ())
    return [
        spec.get("attachRequired", True),
        spec.get("podInfoOnMount", False),
        spec.get("storageCapacity", False),
        audiences or _UNSET,
        spec.get("requiresRepublish", False),
        ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>",
        age_of(obj),
    ]


PRINTERS = {
    "csidrivers.storage.k8s.io": Printer(
        columns(
            "AttachRequired:boolean", "PodInfoOnMount:boolean", "StorageCapacity:boolean", "TokenRequests", "RequiresRepublish:boolean",
            "Modes", "Age",
        ),
        _driver,
    ),
    "csinodes.storage.k8s.io": Printer(
        columns("Drivers:integer", "Age"), lambda obj: [len(spec_of(obj).get("drivers") or ()), age_of(obj)]
    ),
    "persistentvolumeclaims": Printer(
        columns("Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age", "+VolumeMode"), _claim
    ),
    "persistentvolumes": Printer(
        columns(
            "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass", "VolumeAttributesClass", "Reason", "Age",
            "+VolumeMode",
        ),
        _volume,
    ),
    "resourcequotas": Printer(columns("Age", "Request", "Limit"), _quota),
    "runtimeclasses.node.k8s.io": Printer(columns("Handler", "Age"), lambda obj: [obj.get("handler", ""), age_of(obj)]),
}  # fmt: skip
