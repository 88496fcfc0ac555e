# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's label selectors (private, pure), as an IPPool's ``nodeSelector`` is written: ``rack == 'a' && !has(edge)``.

A label that is not there is unlike every value: ``rack != 'a'`` and ``rack not in {'a'}`` select a node without it.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional

_TOKEN = re.compile(
    r"\s*(?:(?P<every>all\(\s*\)|global\(\s*\))|has\(\s*(?P<has>[\w./-]+)\s*\)|(?P<sign>&&|\|\||!|\(|\))"
    r"|(?P<key>[\w./-]+)\s*(?P<test>==|!=|not\s+in|in|contains|starts\s+with|ends\s+with)\s*"
    r"(?P<value>'[^']*'|\"[^\"]*\"|\{[^}]*\}))"
)
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_TESTS: Dict[str, Callable[[Optional[str], List[str]], bool]] = {
    "==": lambda label, values: label in values,
    "in": lambda label, values: label in values,
    "!=": lambda label, values: label not in values,
    "not in": lambda label, values: label not in values,
    "contains": lambda label, values: label is not None and values[0] in label,
    "starts with": lambda label, values: label is not None and label.startswith(values[0]),
    "ends with": lambda label, values: label is not None and label.endswith(values[0]),
}


class _Token(NamedTuple):
    sign: str  # empty: a test, with its answer
    answer: bool = False


def selects(selector: str, labels: Mapping[str, str]) -> Optional[bool]:
    """Whether something with these labels is selected; an empty selector selects all. None: it cannot be read."""
    if not selector.strip():
        return True
    try:
        tokens = _tokens(selector, labels)
        answer = _any(tokens)
        return None if tokens else answer
    except (ValueError, IndexError):
        return None


def _tokens(selector: str, labels: Mapping[str, str]) -> List[_Token]:
    tokens, position = [], 0
    while selector[position:].strip():
        found = _TOKEN.match(selector, position)
        if found is None:
            raise ValueError(selector[position:])
        position = found.end()
        if found.group("sign"):
            tokens.append(_Token(found.group("sign")))
        elif found.group("every"):
            tokens.append(_Token("", True))
        elif found.group("has"):
            tokens.append(_Token("", found.group("has") in labels))
        else:
            values = [single or double for single, double in _QUOTED.findall(found.group("value"))]
            test = _TESTS[" ".join(found.group("test").split())]
            tokens.append(_Token("", test(labels.get(found.group("key")), values)))
    return tokens


def _any(tokens: List[_Token]) -> bool:
    answer = _all(tokens)
    while tokens and tokens[0].sign == "||":
        tokens.pop(0)
        answer = _all(tokens) or answer
    return answer


def _all(tokens: List[_Token]) -> bool:
    answer = _one(tokens)
    while tokens and tokens[0].sign == "&&":
        tokens.pop(0)
        answer = _one(tokens) and answer
    return answer


def _one(tokens: List[_Token]) -> bool:
    token = tokens.pop(0)
    if token.sign == "!":
        return not _one(tokens)
    if token.sign == "(":
        answer = _any(tokens)
        if tokens.pop(0).sign != ")":
            raise ValueError("a parenthesis that is not closed")
        return answer
    if token.sign:
        raise ValueError(token.sign)
    return token.answer
