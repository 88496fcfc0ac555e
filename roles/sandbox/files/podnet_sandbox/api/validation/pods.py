# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods and pod templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import Cause, duplicate, forbidden_field, invalid_value, required
from ..names import label_errors, label_key_errors, subdomain_errors
from .containers import choice, container_causes, host_port_causes
from .metadata import each, label_causes

Object = Mapping[str, Any]

_RESTART = ("Always", "OnFailure", "Never")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_NEEDED_BY_VOLUMES = {"configMap": "name", "hostPath": "path", "persistentVolumeClaim": "claimName", "secret": "secretName"}
_NAMES: Mapping[str, Callable[[str], list[str]]] = {
    "serviceAccountName": subdomain_errors,
    "nodeName": subdomain_errors,
    "hostname": label_errors,
    "subdomain": label_errors,
}
_IMMUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)
_MUTABLE = frozenset({"activeDeadlineSeconds", "nodeName", "terminationGracePeriodSeconds", "tolerations"})


def pod_causes(pod: Object) -> Iterator[Cause]:
    """What is wrong with a new pod."""
    spec = pod.get("spec") or {}
    yield from pod_spec_causes(spec, "spec")
    if spec.get("ephemeralContainers"):
        yield forbidden_field("spec.ephemeralContainers", "cannot be set on create")


def pod_change_causes(pod: Object, old: Object) -> Iterator[Cause]:
    """A pod's spec is fixed, but for images, tolerations added, and the node the scheduler chose."""
    before, after = old["spec"], pod["spec"]
    for part in ("containers", "initContainers"):
        if len(before.get(part) or ()) != len(after.get(part) or ()):
            yield forbidden_field(f"spec.{part}", "pod updates may not add or remove containers")
            return
        for index, container in enumerate(after.get(part) or ()):
            if not container.get("image"):
                yield required(f"spec.{part}[{index}].image")
    yield from _deadline_causes(before.get("activeDeadlineSeconds"), after.get("activeDeadlineSeconds"))
    kept = [_without_seconds(item) for item in after.get("tolerations") or ()]
    if any(_without_seconds(item) not in kept for item in before.get("tolerations") or ()):
        yield forbidden_field("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
    if _fixed_part(before) != _fixed_part(after) or (before.get("nodeName") and before["nodeName"] != after.get("nodeName")):
        yield forbidden_field("spec", _IMMUTABLE)


def _deadline_causes(before: int | None, after: int | None) -> Iterator[Cause]:
    """It may be set, and brought forward."""
    if after is None:
        if before is not None:
            why = "must not update from a positive integer to nil value"
            yield invalid_value("spec.activeDeadlineSeconds", '"null"', why)
    elif not 0 <= after < 1 << 31:
        yield invalid_value("spec.activeDeadlineSeconds", str(after), "must be between 0 and 2147483647, inclusive")
    elif before is not None and before < after:
        yield invalid_value("spec.activeDeadlineSeconds", str(after), "must be less than or equal to previous value")


def _without_seconds(toleration: Object) -> dict[str, Any]:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def template_causes(template: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a pod template at ``field``."""
    yield from label_causes((template.get("metadata") or {}).get("labels"), f"{field}.metadata.labels")
    yield from pod_spec_causes(template.get("spec") or {}, f"{field}.spec")


def pod_spec_causes(spec: Object, field: str) -> Iterator[Cause]:
    """What is wrong with the spec of a pod at ``field``."""
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    yield from _volume_causes(spec.get("volumes") or (), f"{field}.volumes")
    containers = spec.get("containers") or ()
    if not containers:
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for part in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(part) or ()):
            yield from container_causes(container, f"{field}.{part}[{index}]", volumes, seen)
    yield from host_port_causes(containers, field, host_network=bool(spec.get("hostNetwork")))
    yield from choice(f"{field}.restartPolicy", spec.get("restartPolicy"), _RESTART)
    yield from choice(f"{field}.dnsPolicy", spec.get("dnsPolicy"), _DNS)
    yield from label_causes(spec.get("nodeSelector"), f"{field}.nodeSelector")
    for part, errors in _NAMES.items():
        if spec.get(part):
            yield from each(f"{field}.{part}", spec[part], errors(spec[part]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline < 1 << 31:
        yield invalid_value(f"{field}.activeDeadlineSeconds", str(deadline), "must be between 1 and 2147483647, inclusive")
    for index, toleration in enumerate(spec.get("tolerations") or ()):
        yield from _toleration_causes(toleration, f"{field}.tolerations[{index}]")


def _volume_causes(volumes: Sequence[Object], field: str) -> Iterator[Cause]:
    seen: list[str] = []
    for index, volume in enumerate(volumes):
        where, name = f"{field}[{index}]", volume.get("name", "")
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if not sources:
            yield required(where, "must specify a volume type")
        for extra in sources[1:]:
            yield forbidden_field(f"{where}.{extra}", "may not specify more than 1 volume type")
        for source, part in _NEEDED_BY_VOLUMES.items():
            if source in sources and not volume[source].get(part):
                yield required(f"{where}.{source}.{part}")
        if not name:
            yield required(f"{where}.name")
        elif label_errors(name):
            yield from each(f"{where}.name", name, label_errors(name))
        elif name in seen:
            yield duplicate(f"{where}.name", name)
        seen.append(name)


def _toleration_causes(toleration: Object, field: str) -> Iterator[Cause]:
    key, operator = toleration.get("key", ""), toleration.get("operator") or "Equal"
    if key:
        yield from each(f"{field}.key", key, label_key_errors(key))
    elif operator != "Exists":
        why = "operator must be Exists when `key` is empty, which means \"match all values and all keys\""
        yield invalid_value(f"{field}.operator", json.dumps(toleration.get("operator", "")), why)
    if toleration.get("tolerationSeconds") is not None and toleration.get("effect") != "NoExecute":
        why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid_value(f"{field}.effect", json.dumps(toleration.get("effect", "")), why)
    yield from choice(f"{field}.operator", operator, ("Equal", "Exists"))
    yield from choice(f"{field}.effect", toleration.get("effect") or None, ("NoSchedule", "PreferNoSchedule", "NoExecute"))


def _fixed_part(spec: Object) -> dict[str, Any]:
    """A pod spec without what may change."""
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE}
    for part in ("initContainers", "containers"):
        if part in fixed:
            fixed[part] = [{key: value for key, value in item.items() if key not in ("image", "imagePullPolicy")} for item in fixed[part]]
    return fixed
