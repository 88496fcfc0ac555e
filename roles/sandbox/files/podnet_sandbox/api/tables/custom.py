# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Custom resources: the columns their definition asks for, read by JSONPath."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..registry import Column
from .cells import Object, Printer, age_of, column, since

#: A step of a path: ``.name``, ``['name']``, ``[0]``, ``[*]``, ``[?(@.type=="Ready")]``.
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]]+)
      | \[\s*'(?P<quoted>[^']*)'\s*\]
      | \[\s*(?P<index>-?\d+)\s*\]
      | \[\s*(?P<all>\*)\s*\]
      | \[\?\(\s*@\.(?P<key>[^=!<>\s]+)\s*==\s*["']?(?P<value>[^"')]*)["']?\s*\)\]""",
    re.VERBOSE,
)


def custom_printer(wanted: Sequence[Column]) -> Printer:
    """A printer for ``wanted`` columns; without any, for the age."""
    if not wanted:
        return Printer((column("Age", "date"),), lambda obj: [age_of(obj)])
    shown = tuple(
        column(item.name, item.type, format=item.format, wide=item.priority > 0, description=item.description) for item in wanted
    )
    return Printer(shown, lambda obj: [_cell(item, obj) for item in wanted])


def _cell(wanted: Column, obj: Object) -> Any:
    found = list(values_at(obj, wanted.json_path))
    if not found or found[0] is None:
        return None
    value = found[0]
    if wanted.type == "date":
        return since(value if isinstance(value, str) else None)
    if wanted.type in ("boolean", "integer", "number"):
        return value
    if len(found) > 1:
        return ",".join(_text(item) for item in found)
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def values_at(obj: Object, path: str) -> Iterator[Any]:
    """What ``path``, of the part of JSONPath that printer columns use, finds in ``obj``."""
    found: list[Any] = [obj]
    for step in _steps(path):
        found = [item for value in found for item in _follow(value, step)]
    yield from found


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[Mapping[str, str | None], ...]:
    return tuple(match.groupdict() for match in _STEP.finditer(path.replace("\\.", "\0")))


def _follow(value: Any, step: Mapping[str, str | None]) -> Iterator[Any]:
    name = step["name"] or step["quoted"]
    if name is not None:
        name = name.replace("\0", ".")
        if isinstance(value, Mapping) and name in value:
            yield value[name]
    elif step["all"]:
        yield from value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    elif not isinstance(value, list):
        return
    elif step["index"] is not None:
        index = int(step["index"])
        if -len(value) <= index < len(value):
            yield value[index]
    else:
        for item in value:
            if isinstance(item, Mapping) and str(item.get(str(step["key"]))) == step["value"]:
                yield item
