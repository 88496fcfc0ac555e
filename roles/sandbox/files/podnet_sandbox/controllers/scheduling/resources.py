# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does it fit: what pods ask for, against what a node has to give. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ...api.pod_resources import pod_sums
from ...api.quantities import value_of

Object = Mapping[str, Any]
Amounts = dict[str, Fraction]


def requested(pod: Object) -> Amounts:
    """What the scheduler counts for a pod: what it asks for, and itself."""
    return {**pod_sums(pod["spec"], "requests", value_of), "pods": Fraction(1)}


def shortages(wanted: Amounts, room: Amounts) -> list[str]:
    """What a node with ``room`` has too little of, in the scheduler's words."""
    short = [name for name, amount in sorted(wanted.items()) if amount and amount > room.get(name, 0)]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]
