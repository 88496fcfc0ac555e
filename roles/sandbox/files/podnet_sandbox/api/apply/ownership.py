# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``managedFields``: which manager set which fields, kept in step with every write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..clock import now
from ..registry import Resource
from .fieldset import Path, fields_of, from_v1, leaves, to_v1

APPLY, UPDATE = "Apply", "Update"
_MISSING = object()


@dataclass(frozen=True)
class Manager:
    """Who writes: its name, how (Apply or Update), and to which subresource ('' : the object itself)."""

    name: str
    operation: str
    subresource: str = ""


@dataclass
class Owned:
    """The fields of one manager, and since when."""

    api_version: str
    paths: set[Path]
    time: str


Ownership = dict[Manager, Owned]


def read(obj: Mapping[str, Any]) -> Ownership:
    """The managers of an object."""
    found: Ownership = {}
    for entry in obj["metadata"].get("managedFields") or ():
        manager = Manager(entry.get("manager", ""), entry.get("operation", UPDATE), entry.get("subresource", ""))
        found[manager] = Owned(entry.get("apiVersion", ""), from_v1(entry.get("fieldsV1") or {}), entry.get("time", ""))
    return found


def write(obj: dict[str, Any], ownership: Ownership) -> None:
    """Put ``ownership`` into ``obj``; managers that own nothing any more are left out."""
    kept = ((manager, owned) for manager, owned in ownership.items() if owned.paths)
    ordered = sorted(kept, key=lambda item: (item[0].operation, item[1].time, item[0].name, item[1].api_version, item[0].subresource))
    entries = [_entry(manager, owned) for manager, owned in ordered]
    metadata = obj["metadata"]
    if entries:
        metadata["managedFields"] = entries
    else:
        metadata.pop("managedFields", None)


def record_update(resource: Resource, old: Mapping[str, Any] | None, new: dict[str, Any], name: str, subresource: str = "") -> None:
    """Give ``name`` the fields it changed from ``old`` (None: made anew) to ``new``, in place, and take them from others."""
    fields = fields_of(resource)
    before = leaves(fields, old, containers=True) if old else {}
    after = leaves(fields, new, containers=True)
    changed = {path for path, value in after.items() if before.get(path, _MISSING) != value}
    ownership = read(old) if old else {}
    manager = Manager(name, UPDATE, subresource)
    for other in ownership.values():
        other.paths &= after.keys()
    release(ownership, changed, except_for=manager)
    if changed:
        mine = ownership.setdefault(manager, Owned(resource.api_version, set(), ""))
        mine.paths |= changed
        mine.time, mine.api_version = now(), resource.api_version
    write(new, ownership)


def release(ownership: Ownership, paths: Iterable[Path], except_for: Manager) -> None:
    """Take ``paths`` from all managers but one."""
    taken = set(paths)
    for manager, owned in ownership.items():
        if manager != except_for:
            owned.paths -= taken


def _entry(manager: Manager, owned: Owned) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": owned.api_version,
        "time": owned.time,
        "fieldsType": "FieldsV1",
        "fieldsV1": to_v1(owned.paths),
    }
    if manager.subresource:
        entry["subresource"] = manager.subresource
    return entry
