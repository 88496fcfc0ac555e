# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laying an applied object over the live one, and taking out what its manager no longer applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..schema import Field, ListField
from .fieldset import Path, below, step_of


def overlay(fields: Field | None, live: Any, applied: Any) -> Any:
    """``live`` with every field of ``applied``; lists with keys are merged by them, others replaced."""
    if isinstance(applied, Mapping) and not getattr(fields, "atomic", False):
        result = dict(live) if isinstance(live, Mapping) else {}
        for key, value in applied.items():
            if value is None:  # null says nothing, as in Go
                continue
            result[key] = overlay(below(fields, key), result.get(key), value)
        return result
    if isinstance(applied, list) and isinstance(fields, ListField) and (fields.is_set or fields.apply_keys):
        return _overlay_list(fields, live if isinstance(live, list) else [], applied)
    return applied


def _overlay_list(fields: ListField, live: list[Any], applied: list[Any]) -> list[Any]:
    """Entries in the live order, new ones after them."""
    wanted = {step_of(fields, item): item for item in applied}
    result = []
    for item in live:
        step = step_of(fields, item)
        result.append(overlay(fields.item, item, wanted.pop(step)) if step in wanted and not fields.is_set else item)
        wanted.pop(step, None)
    return [*result, *wanted.values()]


def without(fields: Field | None, obj: Any, paths: Iterable[Path]) -> Any:
    """``obj`` without the fields and list entries at ``paths``, and without what is empty because of that."""
    gone = set(paths)
    for path in sorted(gone, key=len, reverse=True):
        if not any(path[:length] in gone for length in range(1, len(path))):  # goes with what it is in
            obj = _remove(fields, obj, path)
    return obj


def _remove(fields: Field | None, value: Any, path: Path) -> Any:
    step, rest = path[0], path[1:]
    if step.startswith("f:"):
        key = step[2:]
        if not isinstance(value, Mapping) or key not in value:
            return value
        result = dict(value)
        inner = _remove(below(fields, key), result[key], rest) if rest else None
        if rest and inner:
            result[key] = inner
        else:
            del result[key]
        return result
    if not isinstance(value, list) or not isinstance(fields, ListField):
        return value
    if not rest:
        return [item for item in value if step_of(fields, item) != step]
    return [_remove(fields.item, item, rest) if step_of(fields, item) == step else item for item in value]
