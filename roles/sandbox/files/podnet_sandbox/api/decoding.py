# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict decoding: a client's object held against the fields its kind has.

Wrong types are refused as Go's decoder refuses them; unknown fields are refused, warned of or dropped, as the client asked
(``fieldValidation``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .errors import ApiError, bad_request, invalid, invalid_value
from .registry import Resource
from .schema import Field, ListField, MapField, ObjectField, Scalar, kinds
from .structural import path_text, unknown_fields

STRICT, WARN, IGNORE = "Strict", "Warn", "Ignore"
_GO_TYPES = {"bool": "bool", "int": "int32", "intstr": "intstr.IntOrString", "quantity": "resource.Quantity", "time": "v1.Time"}

Path = tuple[str | int, ...]


def check_kind(resource: Resource, obj: Any, kind: str = "", api_version: str = "") -> dict[str, Any]:
    """``obj`` if it is what the path is for (a subresource's kind, if given). Raises `ApiError` 400."""
    kind, api_version = kind or resource.kind, api_version or resource.api_version
    if not isinstance(obj, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    found_kind, found_version = obj.get("kind") or kind, obj.get("apiVersion") or api_version
    if (found_kind, found_version) == (kind, api_version):
        if not isinstance(obj.get("metadata") or {}, dict):
            raise _cannot(resource, kind, _unmarshal(obj["metadata"], "ObjectMeta", "metadata", "v1.ObjectMeta"))
        return obj
    version = found_version.rpartition("/")[2]
    if resource.custom:
        name = (obj.get("metadata") or {}).get("name", "")
        raise invalid(resource, name, [invalid_value("kind", f'"{found_kind}"', f"must be {kind}")])
    group = "core" if not resource.group else resource.group.split(".")[0]
    raise bad_request(
        f'{found_kind} in version "{version}" cannot be handled as a {kind}: '
        f"converting (v1.{found_kind}) to ({group}.{kind}): unknown conversion"
    )


def decode_fields(resource: Resource, obj: dict[str, Any], mode: str) -> list[str]:
    """Check the fields of ``obj``, drop what is unknown, and return warnings. Raises `ApiError` 400."""
    if resource.custom:
        unknown = [path_text(path) for path in unknown_fields(resource.schema or _OPEN, obj)]
        return _report(resource, unknown, mode)
    fields = kinds().find(resource.api_version, resource.kind)
    if fields is None:
        return []
    checker = _Checker(resource)
    checker.check(fields, obj)
    return _report(resource, checker.unknown, mode)


_OPEN: Mapping[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}


def _report(resource: Resource, unknown: list[str], mode: str) -> list[str]:
    said = [f'unknown field "{path}"' for path in unknown]
    if said and mode == STRICT:
        raise _cannot(resource, resource.kind, "strict decoding error: " + ", ".join(said))
    return said if mode == WARN else []


class _Checker:
    """Walks an object along its fields; null counts as not set, as in Go."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self.unknown: list[str] = []

    def check(self, fields: ObjectField, obj: dict[str, Any]) -> None:
        self._object(fields, obj, (), fields.name)

    def _object(self, fields: ObjectField, obj: dict[str, Any], path: Path, owner: str) -> None:
        for key in list(obj):
            field = fields.fields.get(key)
            if field is None:
                self.unknown.append(path_text((*path, key)))
                del obj[key]
            elif obj[key] is None:
                if key != "creationTimestamp":  # clients print it as null in templates, and so does the server
                    del obj[key]
            else:
                self._value(field, obj[key], (*path, key), owner)

    def _value(self, field: Field, value: Any, path: Path, owner: str) -> None:
        wrong = _mismatch(field, value)
        if wrong:
            where = ".".join(str(part) for part in path if isinstance(part, str))
            raise _cannot(self._resource, self._resource.kind, _unmarshal(value, owner, where, wrong))
        if isinstance(field, ObjectField):
            self._object(field, value, path, field.name)
        elif isinstance(field, ListField):
            for index, item in enumerate(value):
                self._value(field.item, item, (*path, index), owner)
        elif isinstance(field, MapField):
            for key, item in value.items():
                if item is not None:
                    self._value(field.value, item, (*path, key), owner)


def _mismatch(field: Field, value: Any) -> str:
    """The Go type that ``value`` should be of, '' if it is."""
    if isinstance(field, ObjectField):
        return "" if isinstance(value, dict) else f"v1.{field.name}"
    if isinstance(field, ListField):
        return "" if isinstance(value, list) else f"[]{_go_type(field.item)}"
    if isinstance(field, MapField):
        return "" if isinstance(value, dict) else f"map[string]{_go_type(field.value)}"
    if isinstance(field, Scalar):
        return "" if _is_scalar(field.kind, value) else _go_type(field)
    return ""


def _is_scalar(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int):
        return kind in ("int", "intstr", "quantity")
    if isinstance(value, float):
        return kind == "quantity" or (kind == "int" and value.is_integer())
    return isinstance(value, str) and kind in ("intstr", "quantity", "string", "time")


def _go_type(field: Field) -> str:
    if isinstance(field, Scalar):
        return _GO_TYPES.get(field.kind, field.kind)
    if isinstance(field, ObjectField):
        return f"v1.{field.name}"
    return "interface {}"


def _unmarshal(value: Any, owner: str, where: str, wanted: str) -> str:
    return f"json: cannot unmarshal {_json_type(value)} into Go struct field {owner}.{where} of type {wanted}"


def _json_type(value: Any) -> str:
    names: Iterator[tuple[type, str]] = iter(((bool, "bool"), (str, "string"), (list, "array"), (dict, "object")))
    return next((name for kind, name in names if isinstance(value, kind)), "number")


def _cannot(resource: Resource, kind: str, why: str) -> ApiError:
    return bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')
