# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults of RBAC objects and Secrets."""

from __future__ import annotations

import base64
from typing import Any

Object = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"


def _binding(obj: Object) -> None:
    role = obj.get("roleRef")
    if role is not None and not role.get("apiGroup"):
        role["apiGroup"] = _RBAC
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("Group", "User"):
            subject.setdefault("apiGroup", _RBAC)


def _role(obj: Object) -> None:
    obj["rules"] = obj.get("rules")


def _secret(obj: Object) -> None:
    obj.setdefault("type", "Opaque")
    plain = obj.pop("stringData", None)
    if plain:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


FILL = {
    f"clusterrolebindings.{_RBAC}": _binding,
    f"clusterroles.{_RBAC}": _role,
    f"rolebindings.{_RBAC}": _binding,
    f"roles.{_RBAC}": _role,
    "secrets": _secret,
}
