# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that stands for something else: quantities, times, bytes. What Kubernetes' decoders say of text that does not."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_QUANTITY = re.compile(r"([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)")
_SUFFIXES = frozenset({"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"})
_FACTORS = {
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), start=-3)},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}
_EXPONENT = re.compile(r"[eE][-+]?[0-9]+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_BASE64 = re.compile(r"[A-Za-z0-9+/]")


def wrong_literal(kind: str, value: Any) -> str:
    """Why ``value`` is no literal of that scalar kind, '' if it is one."""
    if kind == "quantity":
        return quantity_error(str(value))
    if kind in ("time", "microtime") and not _TIME.fullmatch(value):
        layout = "2006-01-02T15:04:05Z07:00" if kind == "time" else "2006-01-02T15:04:05.000000Z07:00"
        return f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"'
    if kind == "bytes":
        at = _corrupt_at(value)
        return "" if at is None else f"illegal base64 data at input byte {at}"
    return ""


def quantity_error(text: str) -> str:
    """Why ``text`` is no quantity (``100m``, ``1.5Gi``), '' if it is one."""
    found = _QUANTITY.fullmatch(text)
    if not found or not any(character.isdigit() for character in found[1]):
        return "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    if found[2] not in _SUFFIXES and not _EXPONENT.fullmatch(found[2]):
        return "unable to parse quantity's suffix"
    return ""


def quantity(text: Any) -> Decimal:
    """The number a quantity stands for; 0 for what is none."""
    found = _QUANTITY.fullmatch(str(text))
    if not found:
        return Decimal(0)
    if _EXPONENT.fullmatch(found[2]):
        return Decimal(found[1] + found[2])
    return Decimal(found[1]) * _FACTORS.get(found[2], Decimal(1))


def _corrupt_at(text: str) -> int | None:
    """Where Go's base64 decoder gives up, None if it does not."""
    text = text.replace("\n", "").replace("\r", "")
    body = text.rstrip("=")
    for index, character in enumerate(body):
        if not _BASE64.match(character):
            return index
    padding = len(text) - len(body)
    if len(body) % 4 == 1 or (len(text) % 4 and padding == 0):
        return len(body) - len(body) % 4
    return len(text) - padding if len(text) % 4 else None
