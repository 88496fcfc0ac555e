# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RBAC objects."""

from __future__ import annotations

from typing import Any

from .cells import Object, Printer, age_of, columns


def _binding(obj: Object) -> list[Any]:
    role = obj.get("roleRef") or {}
    named = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in obj.get("subjects") or ():
        name = f"{subject['namespace']}/{subject['name']}" if subject.get("namespace") else subject["name"]
        named.setdefault(subject["kind"], []).append(name)
    listed = [", ".join(named[kind]) for kind in ("User", "Group", "ServiceAccount")]
    return [f"{role.get('kind')}/{role.get('name')}", age_of(obj), *listed]


def _role(obj: Object) -> list[Any]:
    return [obj["metadata"].get("creationTimestamp")]


_BINDING = Printer(columns("Role", "Age", "+Users", "+Groups", "+ServiceAccounts"), _binding)
_ROLE = Printer(columns("Created At:date"), _role)

PRINTERS = {
    "clusterrolebindings.rbac.authorization.k8s.io": _BINDING,
    "clusterroles.rbac.authorization.k8s.io": _ROLE,
    "rolebindings.rbac.authorization.k8s.io": _BINDING,
    "roles.rbac.authorization.k8s.io": _ROLE,
}
