# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire format: the envelope Kubernetes puts around a message, and messages to JSON-shaped objects.

Nothing is dropped in silence: a field that is not in the tables is passed over only where it says nothing (zero, empty).
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from ..errors import ApiError
from .messages import MESSAGES

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
        kind = type_meta.get(2, "")
        body = _message(kind, _octets(envelope.get(2, b"")))
    except (IndexError, OSError, OverflowError, TypeError, ValueError) as error:
        raise _unreadable(f"it is damaged ({error})") from error
    return {"apiVersion": type_meta.get(1, ""), "kind": kind, **body}


def _message(name: str, data: bytes) -> dict[str, Any]:
    if name == "IntOrString":
        return _int_or_string(data)
    table = MESSAGES.get(name)
    if table is None:
        raise _unreadable(f"{name} cannot be read in this form")
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in table:
            if not _says_nothing(value):
                raise _unreadable(f"field {number} of {name} cannot be read in this form")
            continue
        field, kind = table[number]
        if kind.startswith("["):
            found.setdefault(field, []).append(_value(kind[1:-1], value))
        elif kind.startswith("{"):
            key, item = _entry(kind[1:-1], _octets(value))
            found.setdefault(field, {})[key] = item
        else:
            read = _value(kind.rstrip("?"), value)
            if kind.endswith("?") or read or read == {}:
                found[field] = read
    return {key: value for key, value in found.items() if value is not None}


def _value(kind: str, value: Value) -> Any:
    if kind == "string":
        return _text(value)
    if kind == "bytes":
        return base64.b64encode(_octets(value)).decode()
    if kind == "bool":
        return bool(value)
    if kind == "int":
        return _signed(value)
    if kind == "time":
        return _time(_octets(value))
    return _message(kind, _octets(value)) if _octets(value) or kind == "IntOrString" else {}


def _entry(kind: str, data: bytes) -> tuple[str, Any]:
    parts = dict(_fields(data))
    return _text(parts.get(1, b"")), _value(kind, parts.get(2, b""))


def _int_or_string(data: bytes) -> Any:
    parts = dict(_fields(data))
    return _text(parts.get(3, b"")) if parts.get(1) else _signed(parts.get(2, 0))


def _time(data: bytes) -> str | None:
    seconds = dict(_fields(data)).get(1)
    return datetime.fromtimestamp(_signed(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds else None


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


def _unreadable(why: str) -> ApiError:
    message = f"the body of the request is protobuf and {why}; send JSON or YAML (kubectl: write a manifest and apply it with -f)"
    return ApiError(415, "UnsupportedMediaType", message)
