# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom resources against the structural schema of their definition: unknown fields go, defaults come, the rest is checked.

CEL rules (``x-kubernetes-validations``) are not evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from .copying import clone
from .errors import Cause, invalid, invalid_value, required, unsupported
from .registry import Resource

Schema = Mapping[str, Any]

#: What every object has, whatever its schema says.
_ENVELOPE = frozenset({"apiVersion", "kind", "metadata"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}


def prepare(resource: Resource, obj: dict[str, Any]) -> None:
    """Prune, default and check ``obj`` in place. Raises `ApiError` 422 with every wrong field."""
    schema = resource.schema
    if schema is None:
        return
    for path in unknown_fields(schema, obj):
        _remove(obj, path)
    fill_defaults(schema, obj)
    causes = list(_check(schema, obj, ""))
    if causes:
        raise invalid(resource, obj["metadata"].get("name", ""), causes)


Path = tuple[str | int, ...]


def unknown_fields(schema: Schema, obj: Mapping[str, Any]) -> list[Path]:
    """Where ``obj`` holds fields its schema does not know."""
    return list(_unknown(schema, obj, (), root=True))


def path_text(path: Path) -> str:
    """A path as Kubernetes writes it: ``spec.ports[0].name``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _unknown(schema: Schema, value: Any, path: Path, *, root: bool = False) -> Iterator[Path]:
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, Mapping):
            for index, item in enumerate(value):
                yield from _unknown(items, item, (*path, index))
        return
    if not isinstance(value, Mapping):
        return
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    embedded = root or schema.get("x-kubernetes-embedded-resource")
    for key, item in value.items():
        if embedded and key in _ENVELOPE:
            continue
        if key in properties:
            yield from _unknown(properties[key], item, (*path, key))
        elif isinstance(more, Mapping):
            yield from _unknown(more, item, (*path, key))
        elif not more and not schema.get("x-kubernetes-preserve-unknown-fields"):
            yield (*path, key)


def _remove(obj: Any, path: Path) -> None:
    for part in path[:-1]:
        obj = obj[part]
    del obj[path[-1]]


def fill_defaults(schema: Schema, value: Any) -> None:
    """Defaults, outside in, as the API does: a default of a missing object brings no deeper ones by itself."""
    if isinstance(value, list):
        items = schema.get("items")
        if isinstance(items, Mapping):
            for item in value:
                fill_defaults(items, item)
    elif isinstance(value, dict):
        for key, below in (schema.get("properties") or {}).items():
            if "default" in below and (key not in value or (value[key] is None and not below.get("nullable"))):
                value[key] = clone(below["default"])
            if key in value:
                fill_defaults(below, value[key])
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            for key in value.keys() - (schema.get("properties") or {}).keys():
                fill_defaults(more, value[key])


def _check(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and (schema.get("nullable") or not path):
        return
    wrong = _wrong_type(schema, value, path)
    if wrong:
        yield wrong
        return
    yield from _check_value(schema, value, path)
    if isinstance(value, dict):
        yield from _check_object(schema, value, path)
    elif isinstance(value, list):
        yield from _check_list(schema, value, path)


def _wrong_type(schema: Schema, value: Any, path: str) -> Cause | None:
    if schema.get("x-kubernetes-int-or-string"):
        if _is(value, "integer") or isinstance(value, str):
            return None
        wanted = "integer,string"
    else:
        wanted = schema.get("type", "")
        if not wanted or _is(value, wanted):
            return None
    found = _type_name(value)
    text = f'Invalid value: "{found}": {path} in body must be of type {wanted}: "{found}"'
    return Cause("FieldValueTypeInvalid", text, path)


def _is(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return wanted == "boolean"
    if wanted == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(wanted, ()))


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    return next(name for name in ("boolean", "integer", "number", "object", "array", "string") if _is(value, name))


def _check_value(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    allowed = schema.get("enum")
    if allowed and value not in allowed:
        yield unsupported(path, str(value), [str(item) for item in allowed])
    if isinstance(value, str):
        yield from _check_text(schema, value, path)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _check_number(schema, value, path)


def _check_text(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    pattern = schema.get("pattern")
    if pattern and not _compiled(pattern).search(value):
        yield invalid_value(path, json.dumps(value), f"{path} in body should match '{pattern}'")
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {schema['maxLength']} bytes", path)
    if len(value) < schema.get("minLength", 0):
        yield invalid_value(path, json.dumps(value), f"{path} in body should be at least {schema['minLength']} chars long")


def _check_number(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    if "minimum" in schema and value < schema["minimum"]:
        yield invalid_value(path, str(value), f"{path} in body should be greater than or equal to {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        yield invalid_value(path, str(value), f"{path} in body should be less than or equal to {schema['maximum']}")


def _check_object(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[Cause]:
    prefix = f"{path}." if path else ""
    for key in schema.get("required") or ():
        if key not in value:
            yield required(f"{prefix}{key}")
    properties = schema.get("properties") or {}
    more = schema.get("additionalProperties")
    for key, item in value.items():
        if not path and key in _ENVELOPE:
            continue
        if key in properties:
            yield from _check(properties[key], item, f"{prefix}{key}")
        elif isinstance(more, Mapping):
            yield from _check(more, item, f"{prefix}{key}")


def _check_list(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    if len(value) < schema.get("minItems", 0):
        yield invalid_value(path, str(len(value)), f"{path} in body should have at least {schema['minItems']} items")
    if "maxItems" in schema and len(value) > schema["maxItems"]:
        text = f"Too many: {len(value)}: must have at most {schema['maxItems']} items"
        yield Cause("FieldValueTooMany", text, path)
    items = schema.get("items")
    if isinstance(items, Mapping):
        for index, item in enumerate(value):
            yield from _check(items, item, f"{path}[{index}]")
    yield from _check_unique(schema, value, path)


def _check_unique(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    """Sets hold a value once, maps an entry of the same keys."""
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if kind not in ("set", "map"):
        return
    seen: set[str] = set()
    for index, item in enumerate(value):
        identity = {key: item.get(key) for key in keys} if kind == "map" and isinstance(item, dict) else item
        text = json.dumps(identity, sort_keys=True)
        if text in seen:
            pairs = ", ".join(f"{json.dumps(key)}:{json.dumps(identity[key])}" for key in sorted(keys)) if kind == "map" else ""
            shown = f"map[string]interface {{}}{{{pairs}}}" if kind == "map" else text
            yield Cause("FieldValueDuplicate", f"Duplicate value: {shown}", f"{path}[{index}]")
        seen.add(text)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Go's RE2 syntax is, for what schemas hold, a subset of Python's."""
    return re.compile(pattern)
