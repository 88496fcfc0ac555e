# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The apply patch itself: conflicts, merge, removal of what is no longer applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..clock import now
from ..copying import clone
from ..errors import ApiError
from ..registry import Resource
from .checking import check_applied
from .fieldset import Path, fields_of, leaves, path_text
from .merging import overlay, without
from .ownership import APPLY, Manager, Owned, Ownership, read, release, write

_MISSING = object()


def apply(
    resource: Resource, live: Mapping[str, Any] | None, applied: Mapping[str, Any], name: str, *, force: bool, subresource: str = ""
) -> dict[str, Any]:
    """What ``live`` (None: nothing yet) becomes when manager ``name`` applies ``applied``.

    Raises `ApiError` 409 where other managers own a field that would change, unless ``force`` takes it from them.
    """
    fields = fields_of(resource)
    check_applied(resource, fields, applied)
    wanted = leaves(fields, applied)
    present = leaves(fields, live) if live else {}
    manager = Manager(name, APPLY, subresource)
    ownership = read(live) if live else {}
    changed = {path for path, value in wanted.items() if present.get(path, _MISSING) != value}
    conflicts = _conflicts(ownership, manager, {path for path in changed if path in present})
    if conflicts and not force:
        raise _refusal(conflicts, ownership)
    before = ownership.get(manager)
    release(ownership, [path for paths in conflicts.values() for path in paths], except_for=manager)
    merged = overlay(fields, live or {}, applied)
    if before:
        elsewhere = {path for other, owned in ownership.items() if other != manager for path in owned.paths}
        merged = without(fields, merged, before.paths - wanted.keys() - elsewhere)
    result = clone(merged)
    same = before is not None and before.paths == wanted.keys()
    ownership[manager] = Owned(resource.api_version, set(wanted), before.time if same and before else now())
    result.setdefault("metadata", {})
    write(result, ownership)
    return result


def _conflicts(ownership: Ownership, manager: Manager, changed: set[Path]) -> dict[Manager, list[Path]]:
    found = {other: sorted(owned.paths & changed) for other, owned in ownership.items() if other != manager}
    return {other: paths for other, paths in found.items() if paths}


def _refusal(conflicts: Mapping[Manager, list[Path]], ownership: Ownership) -> ApiError:
    """In the words of structured-merge-diff: one line for one conflict, grouped by manager for more."""
    causes, lines = [], []
    for manager, paths in sorted(conflicts.items(), key=lambda item: (item[0].name, item[0].operation, item[0].subresource)):
        said = f'conflict with "{manager.name}"' + _using(manager, ownership[manager])
        lines.append((said, [path_text(path) for path in paths]))
        causes += [{"reason": "FieldManagerConflict", "message": said, "field": path_text(path)} for path in paths]
    if len(causes) == 1:
        text = f"Apply failed with 1 conflict: {lines[0][0]}: {lines[0][1][0]}"
    else:
        groups = [f"{said.replace('conflict', 'conflicts', 1)}:\n" + "\n".join(f"- {path}" for path in paths) for said, paths in lines]
        text = f"Apply failed with {len(causes)} conflicts: " + "\n".join(groups)
    return ApiError(409, "Conflict", text, {"causes": causes})


def _using(manager: Manager, owned: Owned) -> str:
    with_subresource = f' with subresource "{manager.subresource}"' if manager.subresource else ""
    if manager.operation == APPLY:
        return with_subresource
    return f"{with_subresource} using {owned.api_version}"
