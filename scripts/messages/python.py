# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages in a Python file: by the calls that raise, fail, warn or judge."""

from __future__ import annotations

import ast
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping

Calls = Mapping[str, tuple[int, "int | None"]]
#: Of these calls the argument that is the message, and the one that is the remedy.
_CALLS: Calls = {
    "PodnetError": (0, 1),
    "_refusal": (1, None),
    "refuse": (1, None),
    **dict.fromkeys(("SnapshotError", "AnsibleFilterError", "AnsibleParserError", "ValueError", "ParseError", "DecodeError"), (0, None)),
    **dict.fromkeys(("nothing_here", "warn", "warning"), (0, None)),
}
_CALLS_OF_SANDBOX: Calls = dict.fromkeys(
    ("LaunchError", "ConfigError", "StateError", "IsolationError", "BirdMissing", "BirdError", "ToolError"), (0, None)
)
#: Filters that return what is wrong as sentences.
_JUDGES = ("host_judgement.py", "pool_errors.py", "_version_sets.py", "_docker_lab.py")
_FORMAT = re.compile(r"%(?:\.\d+)?[srdg]|%%")


def said_by_python(path: pathlib.Path, is_sandbox: bool) -> Iterator[tuple[str, str]]:
    """Each message with its remedy, or an empty text."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _assigned(tree.body)
    for function in (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))):
        known = constants | _assigned(ast.walk(function))
        for message, remedy in _of_function(function, _CALLS_OF_SANDBOX if is_sandbox else _CALLS, path.name in _JUDGES):
            told = "" if remedy is None else " ".join(text for text in texts(remedy, known) if not text.startswith("{"))
            yield from ((text, told) for text in texts(message, known))


def _assigned(statements: Iterable[ast.AST]) -> dict[str, list[ast.expr]]:
    """What is assigned to each name, in order."""
    found: dict[str, list[ast.expr]] = {}
    for node in statements:
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(node.value)
    return found


def _of_function(
    function: ast.FunctionDef | ast.AsyncFunctionDef, calls: Calls, judges: bool
) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield from _of_call(node, calls, judges)
        elif isinstance(node, (ast.Yield, ast.Return, ast.Assign)) and node.value is not None and _says(node, function.name, judges):
            yield node.value, None


def _says(node: ast.Yield | ast.Return | ast.Assign, function: str, judges: bool) -> bool:
    """Whether it gives a message: a judgement's sentence, what `explain` returns, why an exec failed."""
    if isinstance(node, ast.Yield):
        return judges and not isinstance(node.value, ast.Call)
    if isinstance(node, ast.Return):
        return function == "explain"
    return isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr == "problem"


def _of_call(node: ast.Call, calls: Calls, judges: bool) -> Iterator[tuple[ast.expr, ast.expr | None]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    yield from ((word.value, None) for word in node.keywords if word.arg == ("msg" if name == "fail_json" else "problem"))
    if name in calls:
        message, remedy = calls[name]
        if len(node.args) > message:
            yield node.args[message], node.args[remedy] if remedy is not None and len(node.args) > remedy else None
    elif judges and name in ("_error", "_warning", "append") and node.args:
        yield node.args[0], None


def texts(node: ast.expr, known: Mapping[str, list[ast.expr]]) -> list[str]:
    """The text of an expression with ``{name}`` for what is filled in; several where a condition or an assignment chooses one."""
    if isinstance(node, ast.IfExp):
        return texts(node.body, known) + texts(node.orelse, known)
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in texts(value, known)]
    if isinstance(node, ast.Name) and node.id in known:
        return [text for value in known[node.id] for text in [_text(value, known)]]
    return [_text(node, known)]


def _text(node: ast.expr, known: Mapping[str, list[ast.expr]]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part.value if isinstance(part, ast.FormattedValue) else part, known) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, known) + _text(node.right, known)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        values = iter(node.right.elts if isinstance(node.right, ast.Tuple) else [node.right])
        return _FORMAT.sub(lambda match: "%" if match[0] == "%%" else placeholder(next(values, None)), _text(node.left, known))
    if isinstance(node, ast.Name) and len(known.get(node.id, ())) == 1 and isinstance(known[node.id][0], (ast.Constant, ast.JoinedStr)):
        return _text(known[node.id][0], known)
    return placeholder(node)


def placeholder(node: ast.expr | None) -> str:
    """``{name}`` of what is filled in: of a variable, an attribute, a key, or what a function is given."""
    if isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        name = node.slice.value
    else:
        inner = _inner(node)
        return "{…}" if inner is None else placeholder(inner)
    return f"{{{name.strip('_').lower()}}}"


def _inner(node: ast.expr | None) -> ast.expr | None:
    """What an expression is mostly made of."""
    if isinstance(node, ast.Call):
        is_method = isinstance(node.func, ast.Attribute) and not isinstance(node.func.value, ast.Constant)
        return node.func.value if is_method and not node.args else node.args[0] if node.args else None
    if isinstance(node, (ast.GeneratorExp, ast.ListComp)):
        return node.generators[0].iter
    if isinstance(node, ast.BoolOp):
        return node.values[0]
    if isinstance(node, ast.Subscript):
        return node.value
    return node.left if isinstance(node, ast.BinOp) else None
