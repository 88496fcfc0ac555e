# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Go's random numbers: the state that every source starts from is computed here, and hosts get the blocks that a real Calico gave them."""

from __future__ import annotations

import pytest
from podnet_sandbox.ipam import go_random
from podnet_sandbox.ipam.go_random import LENGTH, TAP
from podnet_sandbox.ipam.pools import blocks_for

#: How far the state was run before it was written down, by who wrote the generator.
STEPS = 7_800_000_000_000
_SLOT = 18  # bytes: a sum of 607 products of 64-bit numbers has at most 138 bits
_WORD = (1 << 64) - 1


def _packed(polynomial):
    return int.from_bytes(b"".join(item.to_bytes(_SLOT, "little") for item in polynomial), "little")


def _product(one, other):
    """Of two polynomials modulo x**607 = x**334 + 1, the coefficients modulo 2**64; they are multiplied as two long numbers."""
    text = (_packed(one) * _packed(other)).to_bytes(2 * LENGTH * _SLOT, "little")
    product = [int.from_bytes(text[at : at + _SLOT], "little") & _WORD for at in range(0, len(text), _SLOT)]
    for place in range(2 * LENGTH - 1, LENGTH - 1, -1):
        for lower in (place - LENGTH, place - TAP):
            product[lower] = (product[lower] + product[place]) & _WORD
    return product[:LENGTH]


def _ahead(steps):
    """x**steps: the number that comes ``steps`` later, as a sum of 607 that follow each other."""
    power, square = [1] + [0] * (LENGTH - 1), [0, 1] + [0] * (LENGTH - 2)
    while steps:
        if steps & 1:
            power = _product(power, square)
        square, steps = _product(square, square), steps >> 1
    return power


def test_the_state_is_what_comes_of_seed_one_after_so_many_steps():
    vector = go_random.spread(1, 10)
    # Step n, from 1 on, writes place 334 - n: in this order the places are the 607 numbers before the first step.
    numbers = [vector[(LENGTH - TAP - step) % LENGTH] for step in range(1, LENGTH + 1)]
    ahead = _ahead(STEPS)
    for _place in range(LENGTH):  # 607 more, so that each window gives one number of the new state
        numbers.append((numbers[-LENGTH] + numbers[-TAP]) & _WORD)
    new = [sum(map(int.__mul__, ahead, numbers[first : first + LENGTH])) & _WORD for first in range(LENGTH)]
    state = [0] * LENGTH
    for step, number in enumerate(new, 1):
        state[(LENGTH - TAP - (STEPS + step)) % LENGTH] = number
    assert tuple(state) == go_random._state()


@pytest.mark.parametrize(
    ("host", "block"),
    [
        ("pod-routing-control-plane", "192.168.116.0/26"),
        ("pod-routing-worker", "192.168.93.192/26"),
        ("pod-routing-worker2", "192.168.112.192/26"),
    ],
)
def test_a_host_begins_with_the_block_that_a_real_calico_gave_it(host, block):
    """calico-v3.30.7, whose three hosts got the same blocks after each complete wipe."""
    assert next(blocks_for(host, {"spec": {"cidr": "192.168.0.0/16", "blockSize": 26}})) == block


def test_what_is_not_below_the_limit_is_drawn_again():
    """What Go 1.26 says of `rand.NewSource(7)` and `new(big.Int).Rand` for these limits."""
    drawn = [go_random.below(limit, 7) for limit in (3, 1000, 1 << 10, (1 << 74) - 5)]
    assert drawn == [0, 60, 858, 15831576968836234904636]
