# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategic merge patch: like JSON merge patch, but lists with a merge key are merged by it, and ``$patch`` directives obeyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import ApiError, bad_request
from .schema import Field, ListField, MapField, ObjectField

_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_DELETE_PREFIX, _ORDER_PREFIX = "$deleteFromPrimitiveList/", "$setElementOrder/"


def strategic_merge(fields: Field | None, target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` laid over it, as ``fields`` (None: not described) say. Raises `ApiError` 400."""
    if not isinstance(patch, Mapping):
        return patch
    directive = patch.get(_DIRECTIVE)
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise bad_request(f"unknown patch type found in Strategic Merge Patch: {directive}")
    result = dict(target) if isinstance(target, Mapping) else {}
    if _RETAIN in patch:
        result = {key: value for key, value in result.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_key(fields, result, key, value, patch.get(_ORDER_PREFIX + key))
        elif key.startswith(_DELETE_PREFIX):
            name = key.removeprefix(_DELETE_PREFIX)
            result[name] = [item for item in result.get(name) or () if item not in value]
    for key, order in patch.items():
        if key.startswith(_ORDER_PREFIX):
            _order(fields, result, key.removeprefix(_ORDER_PREFIX), order)
    return result


def _merge_key(fields: Field | None, result: dict[str, Any], key: str, value: Any, order: Any) -> None:
    if value is None:
        result.pop(key, None)
        return
    field = _below(fields, key)
    if isinstance(value, list) and isinstance(field, ListField):
        if field.is_set:
            present = list(result.get(key) or ())
            result[key] = present + [item for item in value if item not in present]
            return
        if field.merge_key:
            result[key] = _merge_list(field, result.get(key) or (), value)
            return
    result[key] = strategic_merge(field, result.get(key), value)


def _merge_list(field: ListField, target: Sequence[Any], patch: Sequence[Any]) -> list[Any]:
    key = field.merge_key
    if any(isinstance(item, Mapping) and item.get(_DIRECTIVE) == "replace" and len(item) == 1 for item in patch):
        return [item for item in patch if _DIRECTIVE not in item]
    result = list(target)
    for item in patch:
        if not isinstance(item, Mapping) or key not in item:
            raise ApiError(400, "BadRequest", f"map: {item} does not contain declared merge key: {key}")
        at = next((index for index, have in enumerate(result) if have.get(key) == item[key]), None)
        if item.get(_DIRECTIVE) == "delete":
            result = [have for have in result if have.get(key) != item[key]]
        elif at is None:
            result.append(strategic_merge(field.item, {}, item))
        else:
            result[at] = strategic_merge(field.item, result[at], item)
    return result


def _order(fields: Field | None, result: dict[str, Any], key: str, order: Sequence[Any]) -> None:
    """Bring the list at ``key`` into ``order``; what the order does not name stays behind what it followed."""
    field, present = _below(fields, key), result.get(key)
    if not isinstance(present, list):
        return
    merge_key = field.merge_key if isinstance(field, ListField) else ""
    wanted = [item.get(merge_key) if merge_key and isinstance(item, Mapping) else item for item in order]
    named = {_hashable(value): place for place, value in enumerate(wanted)}
    groups: list[list[Any]] = [[] for _ignored in range(len(wanted) + 1)]
    place = 0
    for item in present:
        identity = item.get(merge_key) if merge_key and isinstance(item, Mapping) else item
        place = named.get(_hashable(identity), -1) + 1 or place
        groups[place].append(item)
    result[key] = [item for group in groups for item in group]


def _hashable(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) or value is None else repr(value)


def _below(fields: Field | None, key: str) -> Field | None:
    if isinstance(fields, ObjectField):
        return fields.fields.get(key)
    return fields.value if isinstance(fields, MapField) else None
