# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's selector language, as IPPool.spec.nodeSelector and BGPPeer.spec.nodeSelector use it.

Grammar: ``all()``, ``global()``, ``has(k)``, ``k == 'v'``, ``k != 'v'``, ``k in {'a', 'b'}``, ``k not in {…}``,
``k contains 'v'``, ``k starts with 'v'``, ``k ends with 'v'``, ``!``, ``&&``, ``||``, parentheses. ``&&`` binds tighter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<op>&&|\|\||==|!=|!|\(|\)|\{|\}|,)
      | (?P<text>"[^"]*"|'[^']*')
      | (?P<word>[A-Za-z0-9_./-]+)
    )""",
    re.VERBOSE,
)


class SelectorError(ValueError):
    """A selector that is not in Calico's language; the text says where."""


def selects(selector: str | None, labels: Mapping[str, str]) -> bool:
    """Whether ``selector`` matches ``labels``. An empty selector matches everything, as in an IPPool."""
    if not (selector or "").strip():
        return True
    parser = _Parser(selector or "", labels)
    result = parser.either()
    parser.end()
    return result


class _Parser:
    """Recursive descent that evaluates while it reads; both sides of an operator are always read."""

    def __init__(self, text: str, labels: Mapping[str, str]) -> None:
        self.text, self.labels = text, labels
        self.tokens = self._split(text)
        self.position = 0

    def either(self) -> bool:
        result = self._both()
        while self._take("||"):
            other = self._both()
            result = result or other
        return result

    def end(self) -> None:
        if self.position < len(self.tokens):
            raise self._error(f"unexpected {self.tokens[self.position]!r}")

    def _both(self) -> bool:
        result = self._single()
        while self._take("&&"):
            other = self._single()
            result = result and other
        return result

    def _single(self) -> bool:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            result = self.either()
            self._need(")")
            return result
        word = self._next("a label or a function")
        if word in ("all", "global", "has") and self._take("("):
            key = self._next("a label") if word == "has" else None
            self._need(")")
            return key is None or key in self.labels
        return self._comparison(word)

    def _comparison(self, key: str) -> bool:
        value = self.labels.get(key)
        operator = self._next("an operator")
        if operator in ("==", "!="):
            same = value == self._string()
            return same if operator == "==" else not same
        if operator == "in":
            return value in self._strings()
        if operator == "not":
            self._need("in")
            return value not in self._strings()
        return self._text_comparison(operator, value)

    def _text_comparison(self, operator: str, value: str | None) -> bool:
        if operator in ("starts", "ends"):
            self._need("with")
        elif operator != "contains":
            raise self._error(f"unknown operator {operator!r}")
        wanted = self._string()
        if value is None:
            return False
        return {
            "contains": wanted in value,
            "starts": value.startswith(wanted),
            "ends": value.endswith(wanted),
        }[operator]

    def _strings(self) -> set[str]:
        self._need("{")
        found: set[str] = set()
        while not self._take("}"):
            found.add(self._string())
            self._take(",")
        return found

    def _string(self) -> str:
        token = self._next("a quoted text")
        if token[0] not in "'\"":
            raise self._error(f"expected a quoted text, found {token!r}")
        return token[1:-1]

    def _next(self, wanted: str) -> str:
        if self.position >= len(self.tokens):
            raise self._error(f"expected {wanted} at the end")
        self.position += 1
        return self.tokens[self.position - 1]

    def _take(self, token: str) -> bool:
        if self.position < len(self.tokens) and self.tokens[self.position] == token:
            self.position += 1
            return True
        return False

    def _need(self, token: str) -> None:
        if not self._take(token):
            raise self._error(f"expected {token!r}")

    def _error(self, problem: str) -> SelectorError:
        return SelectorError(f"selector {self.text!r}: {problem}")

    def _split(self, text: str) -> list[str]:
        tokens, position = [], 0
        while text[position:].strip():
            match = _TOKEN.match(text, position)
            if not match:
                raise SelectorError(f"selector {text!r}: cannot read from {text[position:].strip()!r}")
            tokens.append(match.group(match.lastgroup or 0))
            position = match.end()
        return tokens
