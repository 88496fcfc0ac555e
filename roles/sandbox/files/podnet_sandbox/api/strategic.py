# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strategic merge patch: like JSON merge patch, but lists with a merge key are merged by it, and ``$patch`` directives obeyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import bad_request, plain_error, rejected
from .goformat import go_value
from .schema import Field, ListField, MapField, ObjectField

_DIRECTIVE, _RETAIN = "$patch", "$retainKeys"
_DELETE_PREFIX, _ORDER_PREFIX = "$deleteFromPrimitiveList/", "$setElementOrder/"


def strategic_merge(fields: Field | None, target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` laid over it, as ``fields`` (None: not described) say. Raises `ApiError` 400."""
    if not isinstance(patch, Mapping):
        return patch
    if _DIRECTIVE in patch:
        return _directed(patch)
    result = dict(target) if isinstance(target, Mapping) else {}
    if _RETAIN in patch:
        result = _retained(result, patch)
    for key, value in patch.items():
        if not key.startswith("$"):
            _merge_key(fields, result, key, value, patch.get(_ORDER_PREFIX + key))
        elif key.startswith(_DELETE_PREFIX):
            name = key.removeprefix(_DELETE_PREFIX)
            if not isinstance(value, list):
                raise bad_request("invalid patch format of primitive list")
            result[name] = [item for item in result.get(name) or () if item not in value]
    for key, order in patch.items():
        if key.startswith(_ORDER_PREFIX):
            _order(fields, result, key.removeprefix(_ORDER_PREFIX), order)
    return result


def _directed(patch: Mapping[str, Any]) -> Any:
    """What an object becomes that the patch replaces or deletes as a whole."""
    if patch[_DIRECTIVE] == "replace":
        return {key: value for key, value in patch.items() if key != _DIRECTIVE}
    if patch[_DIRECTIVE] == "delete":
        return {}
    raise plain_error(f"unknown patch type: {patch[_DIRECTIVE]} in map: {go_value(patch)}")


def _retained(result: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``result`` without what the patch does not retain; a patch must not set what it does not retain."""
    kept = patch[_RETAIN]
    if not isinstance(kept, list):
        raise bad_request("invalid patch format of retainKeys")
    if any(key not in kept for key, value in patch.items() if not key.startswith("$") and value is not None):
        raise rejected()
    return {key: value for key, value in result.items() if key in kept}


def _merge_key(fields: Field | None, result: dict[str, Any], key: str, value: Any, order: Any) -> None:
    if value is None:
        result.pop(key, None)
        return
    field = _below(fields, key)
    if isinstance(value, list) and isinstance(field, ListField):
        if field.merge_set:
            present = list(result.get(key) or ())
            result[key] = present + [item for item in value if item not in present]
            return
        if field.merge_key:
            result[key] = _merge_list(field, result.get(key) or (), value)
            return
    result[key] = strategic_merge(field, result.get(key), value)


def _merge_list(field: ListField, target: Sequence[Any], patch: Sequence[Any]) -> list[Any]:
    key = field.merge_key
    result, rest = list(target), []
    for item in patch:
        if not isinstance(item, Mapping):
            raise plain_error(f"expected a map[string]interface {{}}, but received a {_go_kind(item)}")
        directive = item.get(_DIRECTIVE)
        if directive is None:
            rest.append(item)
        elif directive == "delete":
            identity = _identity(item, key)
            result = [have for have in result if have.get(key) != identity]
        elif directive == "merge":
            raise plain_error("merging lists cannot yet be specified in the patch")
        elif directive != "replace":
            raise plain_error(f"unknown patch type: {directive} in map: {go_value(item)}")
    if any(item.get(_DIRECTIVE) == "replace" for item in patch):
        return [strategic_merge(field.item, {}, item) for item in rest]
    for item in rest:
        identity = _identity(item, key)
        at = next((index for index, have in enumerate(result) if have.get(key) == identity), None)
        if at is None:
            result.append(strategic_merge(field.item, {}, item))
        else:
            result[at] = strategic_merge(field.item, result[at], item)
    return result


def _identity(item: Mapping[str, Any], key: str) -> Any:
    if key not in item:
        raise plain_error(f"map: {go_value(item)} does not contain declared merge key: {key}")
    return item[key]


def _go_kind(value: Any) -> str:
    names: tuple[tuple[type, str], ...] = ((bool, "bool"), (str, "string"), (int, "int64"), (float, "float64"), (list, "[]interface {}"))
    return next((name for kind, name in names if isinstance(value, kind)), "nil")


def _order(fields: Field | None, result: dict[str, Any], key: str, order: Sequence[Any]) -> None:
    """Bring the list at ``key`` into ``order``; what the order does not name stays behind what it followed."""
    if not isinstance(order, list):
        raise bad_request("invalid patch format of setElementOrder list")
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
