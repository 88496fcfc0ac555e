# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes' quantities: `100m`, `64Mi`, `1e3`."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from fractions import Fraction

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))([eE][+-]?\d+|[numkMGTPE]|[KMGTPE]i)?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


@dataclass(frozen=True, order=True)
class Quantity:
    """A number that is written as Kubernetes writes it: in powers of 1024 where it came so (``binary``)."""

    value: Fraction = Fraction(0)
    binary: bool = False

    @classmethod
    def read(cls, text: str | float | None) -> Quantity:
        """Raises ValueError for a text that is none."""
        return cls(value_of(text), str(text).endswith("i"))

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.value, self.binary if self.value else other.binary)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(self.value - other.value, self.binary if self.value else other.binary)

    def __str__(self) -> str:
        """The largest suffix with which it is a whole number, as Go's `Quantity.String`."""
        whole = self.value.denominator == 1
        if self.binary and whole and abs(self.value) >= 1024:
            suffix = next((name for name, power in reversed(_BINARY.items()) if self.value % 1024**power == 0), "")
            return f"{self.value / 1024 ** _BINARY.get(suffix, 0)}{suffix}"
        for suffix, exponent in sorted({**_DECIMAL, "": 0}.items(), key=lambda item: -item[1]):
            number = self.value / Fraction(10) ** exponent
            if number.denominator == 1 and (number or not exponent):
                return f"{number}{suffix}"
        return f"{-(-self.value * 10**9 // 1)}n"


@functools.lru_cache(maxsize=4096)
def value_of(quantity: str | float | None) -> Fraction:
    """The number a quantity means; of null, as in Go, 0. Raises ValueError for a text that is none."""
    match = _FORM.fullmatch("0" if quantity is None else str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is not a quantity")
    number, suffix = Fraction(match[1]), match[2] or ""
    if suffix in _BINARY:
        return number * 1024 ** _BINARY[suffix]
    exponent = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:] or 0)
    return number * Fraction(10) ** exponent


def bytes_of(quantity: str | float) -> int:
    """A quantity in whole bytes, rounded up."""
    return -int(-value_of(quantity) // 1)
