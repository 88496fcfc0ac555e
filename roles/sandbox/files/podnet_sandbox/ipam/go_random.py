# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers of Go's `math/rand`, with which Calico scatters the hosts over a pool.

The generator adds: each number is the sum, modulo 2**64, of those 273 and 607 before it. A seed is mixed into a state that is the
same in every Go program: `go_random_state.txt`, which `tests/sandbox/test_go_random.py` computes anew from how it came to be.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

LENGTH, TAP = 607, 273
_WORD, _INT31 = (1 << 64) - 1, (1 << 31) - 1
_STATE = Path(__file__).with_name("go_random_state.txt")


def spread(seed: int, shift: int) -> list[int]:
    """As many words as the state has: three numbers each of Park and Miller's generator, ``shift`` bits apart, after the first twenty."""
    number, found = seed, []
    for place in range(-20, 3 * LENGTH):
        number = number * 48271 % _INT31
        if place >= 0:
            found.append(number)
    return [(one << 2 * shift ^ two << shift ^ three) & _WORD for one, two, three in zip(*[iter(found)] * 3, strict=True)]


def words(seed: int) -> Iterator[int]:
    """The 64-bit numbers of a source with this ``seed``, from the first on."""
    vector = [word ^ constant for word, constant in zip(spread(seed % _INT31 or 89482311, 20), _state(), strict=True)]
    tap, feed = 0, LENGTH - TAP
    while True:
        tap, feed = (tap - 1) % LENGTH, (feed - 1) % LENGTH
        vector[feed] = (vector[feed] + vector[tap]) & _WORD
        yield vector[feed]


@functools.lru_cache(maxsize=8192)
def below(limit: int, seed: int) -> int:
    """What `big.Int.Rand` draws first from a source with this ``seed``: 0 <= number < ``limit``.

    Of each number of the source 32 bits are used, the highest but one; what is not below the limit is drawn again.
    """
    halves = ((number & _WORD >> 1) >> 31 for number in words(seed))
    bits = limit.bit_length()
    while True:
        drawn = sum(next(halves) << 32 * place for place in range((bits + 63) // 64 * 2)) & (1 << bits) - 1
        if drawn < limit:
            return drawn


@functools.cache
def _state() -> tuple[int, ...]:
    return tuple(int(line, 16) for line in _STATE.read_text(encoding="ascii").split())
