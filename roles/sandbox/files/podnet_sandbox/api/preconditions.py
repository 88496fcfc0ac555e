# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which object a write is meant for: its uid and resourceVersion, where the client names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .errors import conflict
from .registry import Resource


def check_deletion(resource: Resource, old: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """The preconditions of a deletion, which kube-apiserver words by kind, not by resource."""
    metadata = old["metadata"]
    for part, said, may in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        if wanted.get(part) and wanted[part] != metadata[part]:
            why = f"the {said} in the precondition ({wanted[part]}) does not match the {said} in record ({metadata[part]}). "
            raise conflict(replace(resource, plural=resource.kind), metadata["name"], f"{why}The object might have been {may}")


def check_update(resource: Resource, old: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """uid and resourceVersion, where ``wanted`` names them, must be those of ``old``."""
    metadata = old["metadata"]
    uid = wanted.get("uid")
    if uid and uid != metadata["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {metadata['uid']}"
        raise conflict(resource, metadata["name"], why)
    revision = wanted.get("resourceVersion")
    if revision and str(revision) != metadata["resourceVersion"]:
        raise conflict(resource, metadata["name"])
