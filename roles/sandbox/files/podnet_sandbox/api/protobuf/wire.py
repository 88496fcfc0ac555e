# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format: the envelope Kubernetes puts around a message, and messages to JSON-shaped objects.

Nothing is dropped in silence: a field that is not in the tables is passed over only where it says nothing (zero, empty).
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..errors import ApiError
from ..schema import Atomic, Field, ListField, MapField, ObjectField, OneOf, Scalar, kinds

_MAGIC = b"k8s\0"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}

Value = int | bytes


def decode(data: bytes) -> dict[str, Any]:
    """The object in a body of type ``application/vnd.kubernetes.protobuf``. Raises `ApiError` 415 for what cannot be read."""
    if not data.startswith(_MAGIC):
        raise _unreadable("it does not begin with k8s\\0")
    try:
        envelope = dict(_fields(data[len(_MAGIC) :]))
        type_meta = {number: _text(value) for number, value in _fields(_octets(envelope.get(1, b"")))}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        fields = kinds().find(api_version, kind)
        if fields is None:
            raise _unreadable(f"{kind} cannot be read in this form")
        body = _object(fields, _octets(envelope.get(2, b"")))
    except (IndexError, OSError, OverflowError, TypeError, ValueError) as error:
        raise _unreadable(f"it is damaged ({error})") from error
    return {"apiVersion": api_version, "kind": kind, **body}


def _object(fields: ObjectField, data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        if number in fields.inline:
            found |= _object(fields.inline[number], _octets(value))
            continue
        name = fields.numbers.get(number)
        if name is None:
            if not _says_nothing(value):
                raise _unreadable(f"field {number} of {fields.name} cannot be read in this form")
            continue
        field = fields.fields[name]
        if isinstance(field, ListField):
            found.setdefault(name, []).append(_value(field.item, value))
        elif isinstance(field, MapField):
            parts = dict(_fields(_octets(value)))
            found.setdefault(name, {})[_text(parts.get(1, b""))] = _value(field.value, parts.get(2, b""))
        else:
            read = _value(field, value)
            if getattr(field, "zero", False) or getattr(field, "optional", False) or isinstance(field, Atomic) or read:
                found[name] = read
    return {name: value for name, value in found.items() if value is not None}


def _value(field: Field, value: Value) -> Any:
    if isinstance(field, ObjectField):
        return _object(field, _octets(value))
    if isinstance(field, ListField):  # a list inside a map: a message that holds it
        return [_value(field.item, item) for _ignored, item in _fields(_octets(value))]
    if isinstance(field, Scalar):
        return _SCALARS[field.kind](value)
    if isinstance(field, OneOf):
        return _form(field, _octets(value))
    raw = dict(_fields(_octets(value))).get(1, b"")  # FieldsV1, RawExtension, JSON: as it is
    return json.loads(_octets(raw)) if raw else None


def _form(field: OneOf, data: bytes) -> Any:
    """The last form that is there: true may stand beside a schema."""
    parts: dict[int, list[Value]] = {}
    for number, value in _fields(data):
        parts.setdefault(number, []).append(value)
    number = max(parts, default=0)
    form = field.forms.get(number)
    if form is None:
        raise ValueError(f"field {number} of {field.name}")
    return [_value(form.item, each) for each in parts[number]] if isinstance(form, ListField) else _value(form, parts[number][-1])


def _int_or_string(value: Value) -> Any:
    parts = dict(_fields(_octets(value)))
    return _text(parts.get(3, b"")) if parts.get(1) else _signed(parts.get(2, 0))


def _time(value: Value) -> str | None:
    parts = dict(_fields(_octets(value)))
    seconds = parts.get(1)
    return datetime.fromtimestamp(_signed(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


def _microtime(value: Value) -> str | None:
    parts = dict(_fields(_octets(value)))
    seconds, nanoseconds = parts.get(1), _signed(parts.get(2, 0))
    if not seconds:
        return None
    return datetime.fromtimestamp(_signed(seconds), UTC).strftime(f"%Y-%m-%dT%H:%M:%S.{nanoseconds // 1000:06}Z")


def _quantity(value: Value) -> str:
    return _text(dict(_fields(_octets(value))).get(1, b""))


def _number(value: Value) -> float:
    """Go writes a whole number in JSON without a point."""
    found = float(struct.unpack("<d", _octets(value))[0])
    return int(found) if found.is_integer() else found


def _says_nothing(value: Value) -> bool:
    """Whether a value is zero, or a message of zeros: Go writes such fields although nobody set them."""
    if not value:
        return True
    if isinstance(value, int):
        return False
    try:
        return all(_says_nothing(item) for _ignored, item in _fields(value))
    except (IndexError, ApiError):
        return False


def _fields(data: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if wire == _BYTES:
            size, at = _varint(data, at)
        else:
            size = _FIXED_SIZES.get(wire, -1)
        if size < 0 or at + size > len(data):
            raise IndexError(f"field {number} at byte {at} reaches beyond the end")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _signed(value: Value) -> int:
    if not isinstance(value, int):
        raise TypeError("bytes where a number was expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def _octets(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError("a number where bytes were expected")
    return value


def _text(value: Value) -> str:
    return _octets(value).decode()


_SCALARS: Mapping[str, Callable[[Value], Any]] = {
    "bool": bool,
    "bytes": lambda value: base64.b64encode(_octets(value)).decode(),
    "int32": _signed,
    "int64": _signed,
    "intstr": _int_or_string,
    "microtime": _microtime,
    "number": _number,
    "quantity": _quantity,
    "string": _text,
    "time": _time,
}


def _unreadable(why: str) -> ApiError:
    message = f"the body of the request is protobuf and {why}; send JSON or YAML (kubectl: write a manifest and apply it with -f)"
    return ApiError(415, "UnsupportedMediaType", message)
