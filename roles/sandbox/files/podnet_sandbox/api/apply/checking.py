# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An applied object held against its kind's structure, in the words of structured-merge-diff."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import plain_error
from ..registry import Resource
from ..schema import Field, ListField, MapField, ObjectField, Scalar
from .fieldset import Path, path_text, step_of

_NUMBERS = ("int32", "int64", "number")
_TEXTS = ("bytes", "microtime", "string", "time")
_GO_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "bool"), (str, "string"), (int, "int64"), (float, "float64"), (list, "[]interface {}"), (dict, "map[string]interface {}"),
)  # fmt: skip


def check_applied(resource: Resource, fields: Field, applied: Mapping[str, Any]) -> None:
    """Raises `ApiError` 500, as kube-apiserver does, for fields that are not its kind's, of another type or there twice."""
    found = list(_wrong(fields, applied, ()))
    if not found:
        return
    metadata = applied.get("metadata") or {}
    group = resource.group
    subject = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {group}/{resource.version}, Kind={resource.kind}"
    said = found[0] if len(found) == 1 else "errors:\n" + "\n".join(f"  {line}" for line in found)
    raise plain_error(f"failed to create typed patch object ({subject}): {said}")


def _wrong(fields: Field | None, value: Any, path: Path) -> Iterator[str]:
    if value is None:
        return
    if isinstance(fields, (ObjectField, MapField)):
        if not isinstance(value, Mapping):
            yield f"{path_text(path)}: expected map, got &{{{value}}}"
            return
        for key, item in value.items():
            below = fields.fields.get(key) if isinstance(fields, ObjectField) else fields.value
            if below is None and not getattr(fields, "open", False):
                yield f"{path_text((*path, f'f:{key}'))}: field not declared in schema"
            yield from _wrong(below, item, (*path, f"f:{key}"))
    elif isinstance(fields, ListField):
        yield from _wrong_list(fields, value, path)
    elif isinstance(fields, Scalar):
        yield from _wrong_scalar(fields, value, path)


def _wrong_list(fields: ListField, value: Any, path: Path) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path_text(path)}: expected list, got &{{{value}}}"
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        if not (fields.is_set or fields.apply_keys):
            yield from _wrong(fields.item, item, (*path, f"i:{index}"))
            continue
        keys = fields.apply_keys.items() if isinstance(item, dict) else ()
        missing = [key for key, default in keys if default is None and key not in item]
        if missing:
            why = f"associative list with keys has an element that omits key field \"{missing[0]}\" (and doesn't have default value)"
            yield f"{path_text(path)}: element {index}: {why}"
            continue
        step = step_of(fields, item)
        if step in seen:
            yield f"{path_text(path)}: duplicate entries for key {path_text((step,))}"
        seen.add(step)
        yield from _wrong(fields.item, item, (*path, step))


def _wrong_scalar(fields: Scalar, value: Any, path: Path) -> Iterator[str]:
    found = next((name for kind, name in _GO_TYPES if isinstance(value, kind)), "")
    if fields.kind in _NUMBERS and found not in ("int64", "float64"):
        yield f"{path_text(path)}: expected numeric (int or float), got {found}"
    elif fields.kind in _TEXTS and found != "string":
        yield f"{path_text(path)}: expected string, got &value.valueUnstructured{{Value:{_shown(value)}}}"
    elif fields.kind == "bool" and found != "bool":
        yield f"{path_text(path)}: expected boolean, got {found}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
