# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, invalid_value, required, unsupported
from ..goformat import go_list
from ..names import path_segment_errors, subdomain_errors
from .metadata import each

Object = Mapping[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def _role_causes(obj: Object) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _rule_causes(rule, f"rules[{index}]", namespaced=obj["kind"] == "Role")


def _rule_causes(rule: Object, field: str, *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{field}.verbs", "verbs must contain at least one value")
    paths, resources = rule.get("nonResourceURLs"), rule.get("resources") or ()
    if paths:
        if namespaced:
            yield invalid_value(f"{field}.nonResourceURLs", go_list(paths), "namespaced rules cannot apply to non-resource URLs")
        if rule.get("apiGroups") or resources or rule.get("resourceNames"):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            yield invalid_value(f"{field}.nonResourceURLs", go_list(paths), why)
        return
    if not rule.get("apiGroups"):
        yield required(f"{field}.apiGroups", "resource rules must supply at least one api group")
    if not resources:
        yield required(f"{field}.resources", "resource rules must supply at least one resource")


def _binding_causes(obj: Object) -> Iterator[Cause]:
    role = obj.get("roleRef") or {}
    namespaced = obj["kind"] == "RoleBinding"
    kinds = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
    if role.get("apiGroup") != _RBAC:
        yield unsupported("roleRef.apiGroup", role.get("apiGroup", ""), (_RBAC,))
    if role.get("kind") not in kinds:
        yield unsupported("roleRef.kind", role.get("kind", ""), kinds)
    if not role.get("name"):
        yield required("roleRef.name")
    else:
        yield from each("roleRef.name", role["name"], path_segment_errors(role["name"]))
    for index, subject in enumerate(obj.get("subjects") or ()):
        yield from _subject_causes(subject, f"subjects[{index}]", namespaced=namespaced)


def _subject_causes(subject: Object, field: str, *, namespaced: bool) -> Iterator[Cause]:
    kind, name, group = subject.get("kind", ""), subject.get("name", ""), subject.get("apiGroup", "")
    if not name:
        yield required(f"{field}.name")
    if kind == "ServiceAccount":
        if name:
            yield from each(f"{field}.name", name, subdomain_errors(name))
        if group:
            yield unsupported(f"{field}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{field}.namespace")
    elif kind in ("User", "Group"):
        if not name:
            yield invalid_value(f"{field}.name", '""', f"{kind.lower()} name cannot be empty")
        if group != _RBAC:
            yield unsupported(f"{field}.apiGroup", group, (_RBAC,))
    else:
        yield unsupported(f"{field}.kind", kind, _SUBJECTS)


def _binding_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    role = obj.get("roleRef") or {}
    if role != old.get("roleRef"):
        shown = f'rbac.RoleRef{{APIGroup:"{role.get("apiGroup", "")}", Kind:"{role.get("kind", "")}", Name:"{role.get("name", "")}"}}'
        yield invalid_value("roleRef", shown, "cannot change roleRef")


CREATED = {
    f"clusterrolebindings.{_RBAC}": _binding_causes,
    f"clusterroles.{_RBAC}": _role_causes,
    f"rolebindings.{_RBAC}": _binding_causes,
    f"roles.{_RBAC}": _role_causes,
}
UPDATED = {f"clusterrolebindings.{_RBAC}": _binding_change_causes, f"rolebindings.{_RBAC}": _binding_change_causes}
