# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Columns, and how values are written in a cell: ages, counts, lists, selectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..clock import age

Object = Mapping[str, Any]
Column = dict[str, Any]

NONE = "<none>"
UNKNOWN = "<unknown>"
_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365


@dataclass(frozen=True)
class Printer:
    """The columns after Name, and a row's cells for them; ``named`` is False where there is no Name before them."""

    columns: tuple[Column, ...]
    cells: Callable[[Object], list[Any]]
    named: bool = True


def column(name: str, type: str = "string", *, format: str = "", wide: bool = False, description: str = "") -> Column:
    """A column definition; ``wide`` ones are shown by `-o wide` only."""
    return {"name": name, "type": type, "format": format, "description": description, "priority": int(wide)}


def columns(*names: str) -> tuple[Column, ...]:
    """Columns from short notation: ``Ready:integer``, ``+IP`` for one of `-o wide`."""
    found = []
    for name in names:
        text, _ignored, kind = name.lstrip("+").partition(":")
        found.append(column(text, kind or "string", wide=name.startswith("+")))
    return tuple(found)


def age_of(obj: Object) -> str:
    """How long ago the object was made."""
    return since(obj["metadata"].get("creationTimestamp"))


def since(timestamp: str | None) -> str:
    """How long ago ``timestamp`` was, as kubectl writes it."""
    seconds = age(timestamp)
    return UNKNOWN if seconds is None else duration(seconds)


def duration(seconds: float) -> str:
    """apimachinery's HumanDuration: two to three digits, finer for short times."""
    whole = int(seconds)
    if whole < 0:
        return "0s"
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _two(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _two(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _two(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    if whole < 8 * _YEAR:
        return _two(whole, _YEAR, "y", _DAY, "d")
    return f"{whole // _YEAR}y"


def _two(whole: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    rest = whole % large // small
    return f"{whole // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


def listed(values: Iterable[Any], empty: str = NONE) -> str:
    """Values with commas between."""
    return ",".join(str(value) for value in values) or empty


def label_text(labels: Mapping[str, str] | None) -> str:
    """Labels as ``a=b,c=d``."""
    return listed(f"{key}={value}" for key, value in sorted((labels or {}).items()))


def selector_text(selector: Object | None) -> str:
    """A LabelSelector in the form `kubectl -l` takes."""
    selector = selector or {}
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for term in selector.get("matchExpressions") or ():
        key, operator, values = term["key"], term["operator"], ",".join(term.get("values") or ())
        parts.append({"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key}.get(operator, f"!{key}"))
    return listed(parts)


def status_of(obj: Object) -> Object:
    return obj.get("status") or {}


def spec_of(obj: Object) -> Object:
    return obj.get("spec") or {}


def condition_of(obj: Object, kind: str) -> str:
    """The status of a condition, '' if it is not there."""
    return next((item["status"] for item in status_of(obj).get("conditions") or () if item["type"] == kind), "")
