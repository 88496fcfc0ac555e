# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcap's filter language, as much of it as the capture stand-in knows: words, `and`, `or`, `not`, parentheses. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: A frame (`tcpdump.Frame`) → whether it is wanted.
Match = Callable[[Any], bool]
_TOKEN = re.compile(r"\(|\)|&&|\|\||!|[^\s()!&|]+")
_SPELLINGS = {"&&": "and", "||": "or", "!": "not"}
_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
_ETHERTYPES = {"ip": 0x0800, "arp": 0x0806}


class FilterError(ValueError):
    """An expression that is not understood."""


def parse(text: str) -> Match:
    """The predicate for ``text``; nothing written means everything. Raises `FilterError`."""
    tokens = [_SPELLINGS.get(token, token) for token in _TOKEN.findall(text)]
    if not tokens:
        return lambda frame: True
    match = _alternatives(tokens)
    if tokens:
        raise FilterError(f"syntax error in filter expression at {tokens[0]!r}")
    return match


def _alternatives(tokens: list[str]) -> Match:
    parts = [_conjunction(tokens)]
    while tokens[:1] == ["or"]:
        tokens.pop(0)
        parts.append(_conjunction(tokens))
    return lambda frame: any(part(frame) for part in parts)


def _conjunction(tokens: list[str]) -> Match:
    parts = [_term(tokens)]
    while tokens and tokens[0] not in ("or", ")"):
        if tokens[0] == "and":
            tokens.pop(0)
        parts.append(_term(tokens))
    return lambda frame: all(part(frame) for part in parts)


def _term(tokens: list[str]) -> Match:
    word = _next(tokens)
    if word == "not":
        inner = _term(tokens)
        return lambda frame: not inner(frame)
    if word == "(":
        inner = _alternatives(tokens)
        if _next(tokens) != ")":
            raise FilterError("syntax error in filter expression: ')' expected")
        return inner
    if word in _PROTOCOLS:
        return lambda frame, number=_PROTOCOLS[word]: frame.protocol == number
    if word in _ETHERTYPES:
        return lambda frame, number=_ETHERTYPES[word]: frame.ethertype == number
    return _address_or_port(word, tokens)


def _address_or_port(word: str, tokens: list[str]) -> Match:
    side = word if word in ("src", "dst") else ""
    if side:
        word = _next(tokens)
    value = _next(tokens) if word in ("host", "port") else word
    if word == "port":
        return lambda frame: _ends(frame.ports, side, int(value))
    if word != "host" and not side:
        raise FilterError(f"syntax error in filter expression at {word!r}")
    return lambda frame: _ends((frame.source, frame.destination), side, value)


def _ends(pair: tuple[object, object] | None, side: str, wanted: object) -> bool:
    if pair is None:
        return False
    return wanted in (pair[:1] if side == "src" else pair[1:] if side == "dst" else pair)


def _next(tokens: list[str]) -> str:
    if not tokens:
        raise FilterError("syntax error in filter expression: it ends too early")
    return tokens.pop(0)
