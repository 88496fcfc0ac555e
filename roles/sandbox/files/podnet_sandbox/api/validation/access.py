# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, invalid_value, required, unsupported

Object = Mapping[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_SUBJECTS = ("ServiceAccount", "User", "Group")


def _role_causes(obj: Object) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or ()):
        field = f"rules[{index}]"
        if not rule.get("verbs"):
            yield required(f"{field}.verbs", "verbs must contain at least one value")
        if rule.get("nonResourceURLs"):
            continue
        if not rule.get("apiGroups"):
            yield required(f"{field}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{field}.resources", "resource rules must supply at least one resource")


def _binding_causes(obj: Object) -> Iterator[Cause]:
    role = obj.get("roleRef") or {}
    kinds = ("ClusterRole",) if obj["kind"] == "ClusterRoleBinding" else ("Role", "ClusterRole")
    if role.get("kind") not in kinds:
        yield unsupported("roleRef.kind", role.get("kind", ""), kinds)
    if not role.get("name"):
        yield required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        field = f"subjects[{index}]"
        if subject.get("kind") not in _SUBJECTS:
            yield unsupported(f"{field}.kind", subject.get("kind", ""), _SUBJECTS)
        if not subject.get("name"):
            yield required(f"{field}.name")
        if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
            yield required(f"{field}.namespace")


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
