# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects to Kubernetes' protobuf: the envelope, and each field by its number. The reverse of `wire.py`."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from ..schema import Field, ListField, MapField, ObjectField, OneOf, Scalar, kinds

_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES = 0, 1, 2
_MASK = (1 << 64) - 1


def encode(obj: Mapping[str, Any]) -> bytes | None:
    """``obj``, a kind or a list of one, with its envelope; None where its fields are not described."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    body = _body(api_version, kind, obj)
    if body is None:
        return None
    type_meta = _field(1, api_version.encode()) + _field(2, kind.encode())
    return _MAGIC + _field(1, type_meta) + _field(2, body) + _field(3, b"") + _field(4, b"")


def encode_event(event: str, obj: Mapping[str, Any]) -> bytes | None:
    """One event of a watch as a frame: its length in four bytes, then type and object."""
    inner = encode(obj)
    if inner is None:
        return None
    frame = _field(1, event.encode()) + _field(2, _field(1, inner))
    return struct.pack(">I", len(frame)) + frame


def _body(api_version: str, kind: str, obj: Mapping[str, Any]) -> bytes | None:
    fields = kinds().find(api_version, kind)
    if fields is not None:
        return _object(fields, obj)
    item = kinds().find(api_version, kind.removesuffix("List")) if kind.endswith("List") else None
    if item is None:
        return None
    metadata = kinds().type("meta.k8s.io", "ListMeta")
    head = _field(1, _object(metadata, obj.get("metadata") or {})) if isinstance(metadata, ObjectField) else b""
    return head + b"".join(_field(2, _object(item, each)) for each in obj.get("items") or ())


def _object(fields: ObjectField, obj: Mapping[str, Any]) -> bytes:
    return b"".join(_parts(fields, obj))


def _parts(fields: ObjectField, obj: Mapping[str, Any]) -> Iterator[bytes]:
    for number, name in sorted(fields.numbers.items()):
        value = obj.get(name)
        if value is not None:
            yield from _numbered(number, fields.fields[name], value)
    for number, inner in sorted(fields.inline.items()):
        content = _object(inner, obj)
        if content:
            yield _field(number, content)


def _numbered(number: int, field: Field, value: Any) -> Iterator[bytes]:
    if isinstance(field, ListField):
        for item in value:
            yield from _numbered(number, field.item, item)
    elif isinstance(field, MapField):
        for key in sorted(value):
            content = b"" if value[key] is None else b"".join(_entry(field.value, value[key]))
            yield _field(number, _field(1, str(key).encode()) + content)
    elif isinstance(field, ObjectField):
        yield _field(number, _object(field, value))
    elif isinstance(field, Scalar):
        yield _field(number, _SCALARS[field.kind](value))
    elif isinstance(field, OneOf):
        yield _field(number, b"".join(_form(field, value)))
    else:  # FieldsV1, RawExtension, JSON: as it is
        yield _field(number, b"" if value is None else _field(1, json.dumps(value, separators=(",", ":")).encode()))


def _form(field: OneOf, value: Any) -> Iterator[bytes]:
    """What may be a schema or a truth value says true besides a schema, as Go reads it from JSON."""
    found = field.form_of(value)
    if found is None:
        return
    yield from (_field(number, 1) for number, form in field.forms.items() if isinstance(form, Scalar) and number < found[0])
    yield from _numbered(*found, value)


def _entry(field: Field, value: Any) -> Iterator[bytes]:
    """The value of a map's entry; a list there is a message that holds it."""
    if isinstance(field, ListField):
        yield _field(2, b"".join(part for item in value for part in _numbered(1, field.item, item)))
    else:
        yield from _numbered(2, field, value)


def _field(number: int, value: int | bytes | float) -> bytes:
    if isinstance(value, float):
        return _varint(number << 3 | _FIXED64) + struct.pack("<d", value)
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value & _MASK)
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _time(value: str) -> bytes:
    moment = datetime.fromisoformat(value)
    return _field(1, int(moment.timestamp())) + _field(2, moment.microsecond * 1000)


def _int_or_string(value: Any) -> bytes:
    text = isinstance(value, str)
    return _field(1, int(text)) + _field(2, 0 if text else int(value)) + _field(3, value.encode() if text else b"")


_SCALARS: Mapping[str, Callable[[Any], int | bytes | float]] = {
    "bool": int,
    "bytes": base64.b64decode,
    "int32": int,
    "int64": int,
    "intstr": _int_or_string,
    "microtime": _time,
    "number": float,
    "quantity": lambda value: _field(1, str(value).encode()),
    "string": lambda value: str(value).encode(),
    "time": _time,
}
