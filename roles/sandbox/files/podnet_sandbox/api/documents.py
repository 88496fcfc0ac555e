# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documents of clients, JSON or YAML, read within bounds: what comes out is JSON, not too deep and not too large.

A parser that follows every document to its end can be led astray by a few bytes: YAML's aliases multiply, and nesting
overflows a stack, libyaml's in C with the whole process. kube-apiserver has such bounds too (Go's JSON and YAML readers).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import yaml

#: Go's readers stop at 10,000; this is as far as Python's own recursion carries everything that looks at an object.
MAXIMUM_DEPTH = 150
#: Values of a document once its aliases are written out; the largest body has room for about as many without aliases.
_MAXIMUM_VALUES = 1_500_000
_TOO_DEEP = f"exceeded max depth of {MAXIMUM_DEPTH}"


class DocumentError(ValueError):
    """Not a document, or none that is taken; the text says why."""


def read_json(data: bytes, as_object: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """One JSON value; ``as_object`` makes an object of its pairs. Raises `DocumentError`, or `json.JSONDecodeError` with the place for
    what is not JSON.
    """
    try:
        value = json.loads(data, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=as_object)
    except RecursionError as error:
        raise DocumentError(_TOO_DEEP) from error
    if b"\\ud" in data.lower():
        return _plain(value)
    if data.count(b"[") + data.count(b"{") > MAXIMUM_DEPTH:
        _check_depth(value)
    return value


def read_yaml(data: bytes) -> Any:
    """One YAML document (or JSON, which is YAML) as JSON: keys are text, and dates are. Raises `DocumentError`, or `yaml.YAMLError`."""
    try:
        return read_json(data)
    except ValueError:
        pass  # YAML that is no JSON
    try:
        _check_events(data)
        return _plain(yaml.load(data, Loader=_Loader))
    except UnicodeDecodeError as error:
        raise DocumentError(str(error)) from error


def _check_depth(value: Any, depth: int = 0) -> None:
    if depth > MAXIMUM_DEPTH:
        raise DocumentError(_TOO_DEEP)
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, depth + 1)


def _no_number(name: str) -> Any:
    raise DocumentError(f"invalid character {name[0]!r} looking for beginning of value")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise DocumentError(f"cannot unmarshal number {text} into Go value of type float64")
    return number


def _check_events(data: bytes) -> None:
    """Depth and size, before anything is built."""
    open_nodes: list[tuple[str | None, int]] = []  # (anchor, values when it began)
    sizes: dict[str, int] = {}
    values = 0
    for event in yaml.parse(data, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise DocumentError(f"anchor '{event.anchor}' value contains itself")
            values += sizes[event.anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, values))
            values += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, began = open_nodes.pop()
            if anchor:
                sizes[anchor] = values - began
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
            if event.anchor:
                sizes[event.anchor] = 1
        if len(open_nodes) > MAXIMUM_DEPTH:
            raise DocumentError(_TOO_DEEP)
        if values > _MAXIMUM_VALUES:
            raise DocumentError("document contains excessive aliasing")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Dates stay text, as JSON has none."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _plain(value: Any, depth: int = 0) -> Any:
    """``value`` as JSON can say it."""
    if depth > MAXIMUM_DEPTH:
        raise DocumentError(_TOO_DEEP)
    if isinstance(value, dict):
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode(errors="replace").decode()  # half of a surrogate pair is no character
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise DocumentError(f"cannot convert {type(value).__name__} to JSON")


def _key(key: Any) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (str, int, float)):
        return str(_plain(str(key)))
    raise DocumentError(f"a key is {type(key).__name__}, and has to be text")
