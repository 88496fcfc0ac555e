# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels, annotations, finalizers: what all objects have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import Cause, forbidden_field, invalid_value, required
from ..names import label_error, label_key_error, label_value_error, path_segment_error, service_name_error, subdomain_error
from ..registry import Resource

#: What a name must be, where it is not an RFC 1123 subdomain.
_NAME_RULES: Mapping[str, Callable[[str], str | None]] = {
    "namespaces": label_error,
    "services": service_name_error,
    "clusterrolebindings.rbac.authorization.k8s.io": path_segment_error,
    "clusterroles.rbac.authorization.k8s.io": path_segment_error,
    "rolebindings.rbac.authorization.k8s.io": path_segment_error,
    "roles.rbac.authorization.k8s.io": path_segment_error,
}


def metadata_causes(resource: Resource, obj: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with the metadata of a new object."""
    metadata = obj["metadata"]
    name = metadata.get("name", "")
    rule = _NAME_RULES.get(resource.name, subdomain_error)
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        why = rule(name)
        if why:
            yield invalid_value("metadata.name", json.dumps(name), why)
    yield from _common_causes(obj)


def metadata_change_causes(obj: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with the metadata of a changed object."""
    yield from _common_causes(obj)
    if old["metadata"].get("deletionTimestamp"):
        added = sorted(set(obj["metadata"].get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ()))
        if added:
            why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{json.dumps(added)}"
            yield forbidden_field("metadata.finalizers", why.replace("[]string[", "[]string{").replace('"]', '"}'))


def label_causes(labels: Mapping[str, Any] | None, field: str) -> Iterator[Cause]:
    """What is wrong with a map of labels at ``field``."""
    for key, value in (labels or {}).items():
        why = label_key_error(key)
        if why:
            yield invalid_value(field, json.dumps(key), why)
        why = label_value_error(value) if isinstance(value, str) else "must be a string"
        if why:
            yield invalid_value(field, json.dumps(value), why)


def _common_causes(obj: Mapping[str, Any]) -> Iterator[Cause]:
    metadata = obj["metadata"]
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    for key in metadata.get("annotations") or {}:
        why = label_key_error(key.lower())
        if why:
            yield invalid_value("metadata.annotations", json.dumps(key), why)
    for index, owner in enumerate(metadata.get("ownerReferences") or ()):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield invalid_value(f"metadata.ownerReferences[{index}].{field}", '""', f"{field} must not be empty")
