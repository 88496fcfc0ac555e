# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON as a client sent it: what Go says of text that is none, and which keys stand twice in an object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .documents import DocumentError, read_json

#: Python's complaints and Go's, which says where it was when it met the character.
_COMPLAINTS = (
    ("Expecting property name", "looking for beginning of object key string"),
    ("Expecting ':'", "after object key"),
    ("Expecting ','", "after object key:value pair"),
    ("Illegal trailing comma", "looking for beginning of object key string"),
    ("Invalid control character", "in string literal"),
    ("Invalid \\escape", "in string escape code"),
    ("Extra data", "after top-level value"),
)
_SHOWN = 30


class Repeated(dict[str, Any]):
    """An object in which ``keys_twice`` stood more than once; the last of each counts."""

    keys_twice: tuple[str, ...] = ()


def parse(data: bytes) -> Any:
    """The value. Raises `ValueError` with Go's complaint."""
    try:
        return read_json(data, _object)
    except DocumentError:
        raise
    except ValueError as error:
        raise ValueError(_complaint(data.decode(errors="replace"), error)) from error


def repeated_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where keys stand twice, as ``spec.containers[0].image``."""
    if isinstance(value, dict):
        for key in value.keys_twice if isinstance(value, Repeated) else ():
            yield f"{path}.{key}".lstrip(".")
        for key, item in value.items():
            yield from repeated_paths(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from repeated_paths(item, f"{path}[{index}]")


def summary(data: bytes) -> str:
    """A body as an error shows it: its beginning, in hexadecimal where it is no object."""
    if not data:
        return "<empty>"
    text = data[:_SHOWN].decode(errors="replace") if data.startswith(b"{") else data[:_SHOWN].hex()
    return f"{text} ..." if len(data) > _SHOWN else text


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = Repeated(found)
    keys = [key for key, _ignored in pairs]
    twice.keys_twice = tuple(dict.fromkeys(key for index, key in enumerate(keys) if key in keys[:index]))
    return twice


def _complaint(text: str, error: ValueError) -> str:
    at = error.pos if isinstance(error, json.JSONDecodeError) else len(text)
    if at >= len(text.rstrip()) or "Unterminated string" in str(error):
        return "unexpected end of JSON input"
    where = next((go for python, go in _COMPLAINTS if str(error).startswith(python)), "looking for beginning of value")
    return f"invalid character {text[at]!r} {where}"
