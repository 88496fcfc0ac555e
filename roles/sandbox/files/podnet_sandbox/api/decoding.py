# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict decoding: a client's object held against the fields its kind has.

Wrong types are refused as Go's decoder refuses them; fields that are unknown or stand twice are refused, warned of or dropped, as the
client asked (``fieldValidation``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import ApiError, bad_request, invalid, invalid_value
from .json_text import repeated_paths
from .literals import wrong_literal
from .registry import Resource
from .schema import Field, ListField, MapField, ObjectField, OneOf, Scalar, kinds
from .structural import path_text, unknown_fields

STRICT, WARN, IGNORE = "Strict", "Warn", "Ignore"
#: What Go's scheme of Kubernetes' own kinds calls itself.
_SCHEME = "pkg/api/legacyscheme/scheme.go:30"

Path = tuple[str | int, ...]
#: Makes the refusal of an object from why it cannot be read.
Refuse = Callable[[str], ApiError]


def check_type_meta(obj: Mapping[str, Any], kind: str) -> None:
    """What tells which object it is, is text, where it is there. Raises `ApiError` 400."""
    for field in ("apiVersion", "kind"):
        if not isinstance(obj.get(field) or "", str):
            why = f"json: cannot unmarshal {_json_type(obj[field])} into Go struct field .{field} of type string"
            wanted = f"the object provided is unrecognized (must be of type {kind})"
            raise bad_request(f"{wanted}: couldn't get version/kind; json parse error: {why}")
    metadata = obj.get("metadata")
    for field in ("name", "namespace", "generateName") if isinstance(metadata, Mapping) else ():
        if not isinstance(metadata.get(field) or "", str):
            where = f"json: cannot unmarshal {_json_type(metadata[field])} into Go struct field ObjectMeta.metadata.{field} of type string"
            version = str(obj.get("apiVersion") or "").rpartition("/")[2]
            raise bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {where}')


def check_kind(resource: Resource, obj: Any, kind: str = "", api_version: str = "", *, known: bool = True) -> dict[str, Any]:
    """``obj`` if it is what the path is for (a subresource's kind, if given); ``known``: its kind is one there is.

    Raises `ApiError` 400.
    """
    kind, api_version = kind or resource.kind, api_version or resource.api_version
    if not isinstance(obj, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    check_type_meta(obj, kind)
    found_kind, found_version = obj.get("kind") or kind, obj.get("apiVersion") or api_version
    if (found_kind, found_version) == (kind, api_version):
        if not isinstance(obj.get("metadata") or {}, dict):
            why = f"json: cannot unmarshal {_json_type(obj['metadata'])} into Go struct field {kind}.metadata of type v1.ObjectMeta"
            raise cannot(resource, why, kind)
        return obj
    version = found_version.rpartition("/")[2]
    if resource.custom:
        if found_version != api_version:
            expected = f"does not match the expected API version ({api_version})"
            raise bad_request(f"the API version in the data ({found_version}) {expected}")
        name = (obj.get("metadata") or {}).get("name", "")
        raise invalid(resource, name, [invalid_value("kind", f'"{found_kind}"', f"must be {kind}")])
    group = "core" if not resource.group else resource.group.split(".")[0]
    why = f"converting (v1.{found_kind}) to ({group}.{kind}): unknown conversion"
    if not known:
        why = f'no kind "{found_kind}" is registered for version "{found_version}" in scheme "{_SCHEME}"'
    raise bad_request(f'{found_kind} in version "{version}" cannot be handled as a {kind}: {why}')


def decode_fields(resource: Resource, obj: dict[str, Any], mode: str, refuse: Refuse | None = None) -> list[str]:
    """Check the fields of ``obj``, drop what is unknown, and return warnings. Raises `ApiError` (``refuse``; default 400)."""
    refuse = refuse or (lambda why: cannot(resource, why))
    checker = _Checker(refuse)
    if resource.custom:
        checker.unknown += [path_text(path) for path in unknown_fields(resource.schema or _OPEN, obj)]
        metadata = kinds().type("meta.k8s.io", "ObjectMeta")
        if isinstance(metadata, ObjectField):
            checker.check(metadata, obj["metadata"], ("metadata",))
    else:
        fields = resource.fields
        if fields is None:
            return []
        checker.check(fields, obj)
    said = [f'unknown field "{path}"' for path in checker.unknown] + [f'duplicate field "{path}"' for path in repeated_paths(obj)]
    if said and mode == STRICT:
        raise refuse("strict decoding error: " + ", ".join(said))
    return said if mode == WARN else []


def cannot(resource: Resource, why: str, kind: str = "") -> ApiError:
    """The refusal of a body that is not what its kind says."""
    kind = kind or resource.kind
    return bad_request(f'{kind} in version "{resource.version}" cannot be handled as a {kind}: {why}')


_OPEN: Mapping[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}


class _Checker:
    """Walks an object along its fields; null counts as not set, as in Go."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self.unknown: list[str] = []

    def check(self, fields: ObjectField, obj: dict[str, Any], path: Path = ()) -> None:
        self._object(fields, obj, path, fields.name, tuple(str(part) for part in path))

    def _object(self, fields: ObjectField, obj: dict[str, Any], path: Path, owner: str, go_path: tuple[str, ...]) -> None:
        for key in list(obj):
            field = fields.fields.get(key)
            if field is None:
                self.unknown.append(path_text((*path, key)))
                del obj[key]
            elif obj[key] is None:
                if key != "creationTimestamp":  # clients print it as null in templates, and so does the server
                    del obj[key]
            else:
                self._value(field, obj[key], (*path, key), owner, (*go_path, key))
                if key not in fields.required and _says_nothing(field, obj[key]):
                    del obj[key]

    def _value(self, field: Field, value: Any, path: Path, owner: str, go_path: tuple[str, ...]) -> None:
        """``go_path`` is what Go's decoder names: fields of structs alone, neither indexes nor keys of maps."""
        wanted = _mismatch(field, value)
        if wanted:
            found = _json_type(value, of_int=wanted.startswith("int"))
            where = ".".join((owner, *go_path))
            raise self._refuse(f"json: cannot unmarshal {found} into Go struct field {where} of type {wanted}")
        if isinstance(field, Scalar):
            why = wrong_literal(field.kind, value)
            if why:
                raise self._refuse(why)
        elif isinstance(field, ObjectField):
            self._object(field, value, path, field.name, go_path)
        elif isinstance(field, ListField):
            for index, item in enumerate(value):
                self._value(field.item, item, (*path, index), owner, go_path)
        elif isinstance(field, MapField):
            for key, item in value.items():
                if item is not None:
                    self._value(field.value, item, (*path, key), owner, go_path)
        elif isinstance(field, OneOf):
            found = field.form_of(value)
            if found is None:
                raise self._refuse(f"{' or '.join(_WORDS[type(form)] for form in field.forms.values())} expected")
            self._value(found[1], value, path, owner, go_path)


#: As the types with several forms call them that read their JSON themselves (apiextensions/v1/marshal.go).
_WORDS = {Scalar: "boolean", ListField: "array", ObjectField: "JSON schema"}


def _says_nothing(field: Field, value: Any) -> bool:
    """Whether Go leaves a value out when it writes it (``omitempty``)."""
    if isinstance(field, Scalar):
        return not field.zero and value in (0, "", False) and field.kind not in ("intstr", "quantity", "time", "microtime")
    if isinstance(field, ListField):
        return not value and not field.always
    return isinstance(field, MapField) and not value


def _mismatch(field: Field, value: Any) -> str:
    """The Go type that ``value`` should be of, '' if it is."""
    if isinstance(field, ObjectField):
        return "" if isinstance(value, dict) else _go_type(field)
    if isinstance(field, ListField):
        return "" if isinstance(value, list) else f"[]{_go_type(field.item)}"
    if isinstance(field, MapField):
        return "" if isinstance(value, dict) else f"map[string]{_go_type(field.value)}"
    if isinstance(field, Scalar):
        return "" if _is_scalar(field.kind, value) else _go_type(field)
    return ""


_GO_TYPES = {"bytes": "[]uint8", "intstr": "intstr.IntOrString", "microtime": "v1.MicroTime", "number": "float64",
             "quantity": "resource.Quantity", "time": "v1.Time"}  # fmt: skip
_BITS = {"int32": 31, "int64": 63, "intstr": 31}


def _is_scalar(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "bool"
    if isinstance(value, int):
        return kind in ("number", "quantity") or (kind in _BITS and -(1 << _BITS[kind]) <= value < 1 << _BITS[kind])
    if isinstance(value, float):
        return kind in ("number", "quantity")
    return isinstance(value, str) and kind in ("bytes", "intstr", "microtime", "quantity", "string", "time")


def _go_type(field: Field) -> str:
    if isinstance(field, Scalar):
        return f"v1.{field.alias}" if field.alias else _GO_TYPES.get(field.kind, field.kind)
    if isinstance(field, ObjectField):
        return f"{field.version}.{field.name}"
    return "interface {}"


def _json_type(value: Any, *, of_int: bool = False) -> str:
    names: tuple[tuple[type, str], ...] = ((bool, "bool"), (str, "string"), (list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), f"number {value}" if of_int else "number")
