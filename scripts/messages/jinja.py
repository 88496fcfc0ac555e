# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of roles and playbooks: `fail` and `assert`, and the variables that these take their words from."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import yaml
from jinja2 import Environment, nodes

_ENVIRONMENT = Environment()


def said_by_tasks(folder: pathlib.Path) -> Iterator[tuple[pathlib.Path, str]]:
    """Each message of a role, or of a folder of playbooks, with the file that it is in."""
    variables = {}
    for path in sorted(folder.glob("vars/*.yml")):
        variables.update({name: (path, value) for name, value in (load(path) or {}).items() if isinstance(value, str)})
    seen: set[str] = set()
    for path in sorted(folder.glob("tasks/*.yml")) or sorted(folder.glob("*.yml")):
        own = dict(variables)
        for task in mappings(load(path)):
            own.update({name: (path, value) for name, value in (task.get("vars") or {}).items() if isinstance(value, str)})
            for message in failing(task):
                yield path, text_of(message)
                yield from _of_variables(message, own, seen)


def load(path: pathlib.Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def mappings(content: Any) -> Iterator[dict]:
    """Every mapping in it: tasks may stand in blocks."""
    if isinstance(content, dict):
        yield content
        content = list(content.values())
    if isinstance(content, list):
        for one in content:
            yield from mappings(one)


def failing(task: dict) -> Iterator[str]:
    for module, key in (("ansible.builtin.fail", "msg"), ("ansible.builtin.assert", "fail_msg")):
        arguments = task.get(module)
        if isinstance(arguments, dict) and isinstance(arguments.get(key), str):
            yield arguments[key]


def _of_variables(message: str, variables: dict, seen: set[str]) -> Iterator[tuple[pathlib.Path, str]]:
    """What the variables of a message say, each once, and what those of theirs do."""
    for name in (node.name for node in _ENVIRONMENT.parse(message).find_all(nodes.Name)):
        if name in variables and name not in seen:
            seen.add(name)
            path, value = variables[name]
            yield from ((path, text) for text in _sentences(value))
            yield from _of_variables(value, variables, seen)


def _sentences(template: str) -> Iterator[str]:
    """A template that is text; or the texts that it gathers in a list, or chooses among."""
    tree = _ENVIRONMENT.parse(template)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr == "append":
            yield _expression(call.args[0])
    for listing in tree.find_all(nodes.List):
        yield from (_expression(item) for item in listing.items)
    if any(part.data.strip() for part in tree.find_all(nodes.TemplateData)):
        yield text_of(template)
    else:
        yield from (text for output in tree.find_all(nodes.Output) for part in output.nodes for text in _alternatives(part))


def _alternatives(node: nodes.Node) -> list[str]:
    """The texts that a condition chooses among."""
    if isinstance(node, nodes.CondExpr):
        return _alternatives(node.expr1) + (_alternatives(node.expr2) if node.expr2 is not None else [])
    return [_expression(node)]


def text_of(template: str) -> str:
    said = []
    for output in _ENVIRONMENT.parse(template).find_all(nodes.Output):
        said += [part.data if isinstance(part, nodes.TemplateData) else _expression(part) for part in output.nodes]
    return "".join(said)


def _expression(node: nodes.Node) -> str:
    """The text of an expression with ``{name}`` for what is filled in."""
    if isinstance(node, nodes.Const):
        return str(node.value)
    if isinstance(node, nodes.Concat):
        return "".join(map(_expression, node.nodes))
    while isinstance(node, (nodes.Filter, nodes.Or)):
        node = node.node if isinstance(node, nodes.Filter) else node.left
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        return f"{{{node.arg.value}}}"
    name = node.attr if isinstance(node, nodes.Getattr) else node.name if isinstance(node, nodes.Name) else ""
    return f"{{{name.strip('_') or '…'}}}"
