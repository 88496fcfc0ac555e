# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod as a whole asks for or is limited to (component-helpers/resource/helpers.go of v1.32). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

Amount = TypeVar("Amount", bound=Any)


def pod_sums(spec: Mapping[str, Any], part: str, read: Callable[[str], Amount]) -> dict[str, Amount]:
    """Amounts by resource, of ``part`` (requests, limits): all its containers and sidecars, or its greediest init container."""
    zero = read("0")
    total: dict[str, Amount] = {}
    sidecars: dict[str, Amount] = {}
    most: dict[str, Amount] = {}
    for container in spec.get("containers") or ():
        _add(total, amounts_of(container, part, read), zero)
    for container in spec.get("initContainers") or ():
        own, always = amounts_of(container, part, read), container.get("restartPolicy") == "Always"
        if always:
            _add(sidecars, own, zero)
            _add(total, own, zero)
        for name, amount in own.items():
            needed = sidecars[name] if always else amount + sidecars.get(name, zero)
            most[name] = max(most.get(name, zero), needed)
    sums = {name: max(total.get(name, zero), most.get(name, zero)) for name in total.keys() | most.keys()}
    _add(sums, {name: read(text) for name, text in (spec.get("overhead") or {}).items()}, zero)
    return sums


def amounts_of(container: Mapping[str, Any], part: str, read: Callable[[str], Amount]) -> dict[str, Amount]:
    """One container's."""
    return {name: read(text) for name, text in ((container.get("resources") or {}).get(part) or {}).items()}


def _add(total: dict[str, Amount], more: Mapping[str, Amount], zero: Amount) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, zero) + amount
