# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, labels, annotations, finalizers: what all objects have."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import Cause, forbidden_field, invalid_value, required
from ..goformat import go_list
from ..names import label_errors, label_key_errors, label_value_errors, path_segment_errors, service_name_errors, subdomain_errors
from ..registry import Resource

#: What a name must be, where it is not an RFC 1123 subdomain.
_NAME_RULES: Mapping[str, Callable[[str], Sequence[str]]] = {
    "namespaces": label_errors,
    "services": service_name_errors,
    "clusterrolebindings.rbac.authorization.k8s.io": path_segment_errors,
    "clusterroles.rbac.authorization.k8s.io": path_segment_errors,
    "rolebindings.rbac.authorization.k8s.io": path_segment_errors,
    "roles.rbac.authorization.k8s.io": path_segment_errors,
}
_ANNOTATION_BYTES = 256 * 1024
_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")


def metadata_causes(resource: Resource, obj: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with the metadata of a new object."""
    metadata = obj["metadata"]
    rule = _NAME_RULES.get(resource.name, subdomain_errors)
    prefix = metadata.get("generateName", "")
    if prefix:  # a dash at its end is followed by more
        shown = prefix[:-1] + "a" if prefix.endswith("-") and len(prefix) > 1 else prefix
        yield from each("metadata.generateName", prefix, rule(shown))
    if not metadata.get("name"):
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from each("metadata.name", metadata["name"], rule(metadata["name"]))
    yield from _common_causes(obj)
    for index, finalizer in enumerate(metadata.get("finalizers") or ()):
        yield from each("metadata.finalizers", finalizer, label_key_errors(finalizer))
        if "/" not in finalizer and finalizer not in _FINALIZERS and not resource.custom:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid_value(f"metadata.finalizers[{index}]", json.dumps(finalizer), why)


def metadata_change_causes(obj: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    """What is wrong with the metadata of a changed object."""
    if old["metadata"].get("deletionTimestamp"):
        added = sorted(set(obj["metadata"].get("finalizers") or ()) - set(old["metadata"].get("finalizers") or ()))
        if added:
            why = "no new finalizers can be added if the object is being deleted, found new finalizers "
            yield forbidden_field("metadata.finalizers", why + go_list(added))
    yield from _common_causes(obj)


def label_causes(labels: Mapping[str, Any] | None, field: str) -> Iterator[Cause]:
    """What is wrong with a map of labels at ``field``."""
    for key, value in (labels or {}).items():
        yield from each(field, key, label_key_errors(key))
        yield from each(field, value, label_value_errors(value) if isinstance(value, str) else ["must be a string"])


def selector_causes(selector: Mapping[str, Any], field: str) -> Iterator[Cause]:
    """What is wrong with a LabelSelector at ``field``."""
    yield from label_causes(selector.get("matchLabels"), f"{field}.matchLabels")
    for index, expression in enumerate(selector.get("matchExpressions") or ()):
        where, operator, values = f"{field}.matchExpressions[{index}]", expression.get("operator", ""), expression.get("values")
        if operator in ("In", "NotIn"):
            if not values:
                yield required(f"{where}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator in ("Exists", "DoesNotExist"):
            if values:
                yield forbidden_field(f"{where}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
        else:
            yield invalid_value(f"{where}.operator", json.dumps(operator), "not a valid selector operator")
        yield from each(f"{where}.key", expression.get("key", ""), label_key_errors(expression.get("key", "")))
        for number, value in enumerate(values or ()):
            yield from each(f"{where}.values[{number}]", value, label_value_errors(value))


def each(field: str, value: Any, wrong: Sequence[str]) -> Iterator[Cause]:
    """A cause for each reason why ``value`` at ``field`` is wrong."""
    for why in wrong:
        yield invalid_value(field, json.dumps(value, ensure_ascii=False), why)


def _common_causes(obj: Mapping[str, Any]) -> Iterator[Cause]:
    metadata = obj["metadata"]
    yield from label_causes(metadata.get("labels"), "metadata.labels")
    annotations = metadata.get("annotations") or {}
    for key in annotations:
        yield from each("metadata.annotations", key, label_key_errors(key.lower()))
    if sum(len(key.encode()) + len(str(value).encode()) for key, value in annotations.items()) > _ANNOTATION_BYTES:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_ANNOTATION_BYTES} bytes", "metadata.annotations")
    yield from _owner_causes(metadata.get("ownerReferences") or ())


def _owner_causes(owners: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    controller = ""
    for owner in owners:
        for field, said in (("apiVersion", "version"), ("kind", "kind"), ("name", "name"), ("uid", "uid")):
            if not owner.get(field):
                yield invalid_value(f"metadata.ownerReferences.{field}", '""', f"{said} must not be empty")
        if owner.get("controller"):
            name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
            if controller:
                why = "Only one reference can have Controller set to true. Found \"true\" in references for "
                yield invalid_value("metadata.ownerReferences", "[]v1.OwnerReference{...}", f"{why}{controller} and {name}")
            controller = controller or name
