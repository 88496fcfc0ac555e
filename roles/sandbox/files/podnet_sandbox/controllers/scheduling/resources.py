# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does it fit: what pods ask for, against what a node has to give. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ..quantities import value_of

Object = Mapping[str, Any]
Amounts = dict[str, Fraction]


def requested(pod: Object) -> Amounts:
    """What the scheduler counts for a pod: all its containers, or its greediest init container; and the pod itself."""
    spec = pod["spec"]
    total: Counter[str] = Counter()
    sidecars: Counter[str] = Counter()
    most: Amounts = {}
    for container in spec.get("containers") or ():
        total.update(_of(container))
    for container in spec.get("initContainers") or ():
        own = _of(container)
        if container.get("restartPolicy") == "Always":
            sidecars.update(own)
            total.update(own)
        for name, amount in own.items():
            beside = sidecars[name] if container.get("restartPolicy") != "Always" else Fraction(0)
            most[name] = max(most.get(name, Fraction(0)), amount + beside)
    names = total.keys() | most.keys()
    amounts = {name: max(Fraction(total[name]), most.get(name, Fraction(0))) for name in names}
    return {**amounts, "pods": Fraction(1)}


def shortages(wanted: Amounts, room: Amounts) -> list[str]:
    """What a node with ``room`` has too little of, in the scheduler's words."""
    short = [name for name, amount in sorted(wanted.items()) if amount and amount > room.get(name, 0)]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]


def _of(container: Object) -> Amounts:
    requests = (container.get("resources") or {}).get("requests") or {}
    return {name: value_of(amount) for name, amount in requests.items()}
