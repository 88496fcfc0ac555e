# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML held against Go's structs, as yaml.v3 does with KnownFields.

Facts (kind 0.31.0, run): unknown fields and wrong types are all collected under `yaml: unmarshal errors:`, one line each with the
line number; a file that is no YAML is told by its first fault only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from podnet_doubles.errors import ToolError

#: Struct name → field → what it holds: a struct's name, "string", "bool", "int", "any", ["of these"] or {"of": "these"}.
Structs = Mapping[str, Mapping[str, Any]]
#: libyaml, where it is there: its words for a syntax error are Go's as well.
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS = {"string": {"str", "int", "float", "bool", "timestamp"}, "bool": {"bool"}, "int": {"int"}}


def load(text: str, struct: str, structs: Structs, *, package: str, strict: bool = True) -> dict[str, Any]:
    """The document as a mapping, every known field of its type; with ``strict`` no other field. Raises `ToolError`."""
    try:
        root = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        raise ToolError(f"yaml: {_where(error)}{error.problem}") from error
    if root is None:
        return {}
    faults = list(_faults(root, struct, structs, package))
    if not strict:
        faults = [fault for fault in faults if " not found in type " not in fault]
    if faults:
        raise ToolError("yaml: unmarshal errors:\n" + "\n".join(f"  {fault}" for fault in faults))
    return dict(yaml.load(text, Loader=LOADER))


def _where(error: yaml.MarkedYAMLError) -> str:
    """The line as yaml.v3 counts it: from where the thing began, and one less where its parser, not its scanner, gave up."""
    marks = [mark.line for mark in (error.context_mark, error.problem_mark) if mark and mark.line]
    line = marks[0] + isinstance(error, yaml.scanner.ScannerError) if marks else 0
    return f"line {line}: " if line else ""


def _faults(node: yaml.Node, wanted: Any, structs: Structs, package: str) -> Iterator[str]:
    line = node.start_mark.line + 1
    if wanted == "any" or _is_null(node):
        return
    if isinstance(wanted, list):
        yield from _sequence(node, wanted[0], structs, package, line)
    elif isinstance(wanted, dict) or wanted in structs:
        yield from _mapping(node, wanted, structs, package, line)
    elif not isinstance(node, yaml.ScalarNode) or _kind(node) not in _TAGS[wanted]:
        yield f"line {line}: cannot unmarshal {_shown(node)} into {'int32' if wanted == 'int' else wanted}"


def _sequence(node: yaml.Node, item: Any, structs: Structs, package: str, line: int) -> Iterator[str]:
    if not isinstance(node, yaml.SequenceNode):
        yield f"line {line}: cannot unmarshal {_shown(node)} into []{_go(item, structs, package)}"
        return
    for each in node.value:
        yield from _faults(each, item, structs, package)


def _mapping(node: yaml.Node, wanted: Any, structs: Structs, package: str, line: int) -> Iterator[str]:
    if not isinstance(node, yaml.MappingNode):
        yield f"line {line}: cannot unmarshal {_shown(node)} into {_go(wanted, structs, package)}"
        return
    for key, value in node.value:
        if isinstance(wanted, dict):
            yield from _faults(value, wanted["of"], structs, package)
        elif key.value not in structs[wanted]:
            yield f"line {key.start_mark.line + 1}: field {key.value} not found in type {package}.{wanted}"
        else:
            yield from _faults(value, structs[wanted][key.value], structs, package)


def _go(wanted: Any, structs: Structs, package: str) -> str:
    if isinstance(wanted, list):
        return f"[]{_go(wanted[0], structs, package)}"
    if isinstance(wanted, dict):
        return f"map[string]{_go(wanted['of'], structs, package)}"
    return f"{package}.{wanted}" if wanted in structs else str(wanted)


def _kind(node: yaml.Node) -> str:
    return str(node.tag).rpartition(":")[2]


def _is_null(node: yaml.Node) -> bool:
    return _kind(node) == "null"


def _shown(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        return f"!!{_kind(node)}"
    text = node.value if len(node.value) <= 10 else f"{node.value[:7]}..."
    return f"!!{_kind(node)} `{text}`"
