# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as the scheduler sees it in one round: its nodes, the pods placed on them, and what these use."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from ...api.quantities import value_of
from .affinity import repelling
from .resources import requested

Object = Mapping[str, Any]


class ClusterView:
    """Read once a round, and kept up with what the round decides."""

    def __init__(self, nodes: Iterable[Object], placed: Iterable[Object]) -> None:
        self.nodes = {node["metadata"]["name"]: node for node in nodes}
        self.placed: list[Object] = []
        self.by_node: dict[str, list[Object]] = defaultdict(list)
        self.used: dict[str, Counter[str]] = defaultdict(Counter)
        #: Placed pods that keep others away: few, and asked for every node.
        self.repelling: list[Object] = []
        self._siblings: dict[str, Counter[str]] = defaultdict(Counter)
        for pod in placed:
            self.place(pod, pod["spec"]["nodeName"])

    def place(self, pod: Object, node: str) -> None:
        """``pod`` is on ``node`` from now on."""
        there = pod if pod["spec"].get("nodeName") == node else {**pod, "spec": {**pod["spec"], "nodeName": node}}
        self.placed.append(there)
        self.by_node[node].append(there)
        self.used[node].update(requested(pod))
        if repelling(pod):
            self.repelling.append(there)
        for reference in pod["metadata"].get("ownerReferences") or ():
            self._siblings[reference["uid"]][node] += 1

    def room(self, node: Object) -> dict[str, Fraction]:
        """What is left of the node's allocatable amounts."""
        used = self.used[node["metadata"]["name"]]
        allocatable = (node.get("status") or {}).get("allocatable") or {}
        return {name: value_of(amount) - used[name] for name, amount in allocatable.items()}

    def best(self, pod: Object, fitting: Iterable[str]) -> str:
        """Fewest pods of the same controller, then fewest pods, then by name: the same choice every time."""
        owners = [reference["uid"] for reference in pod["metadata"].get("ownerReferences") or ()]
        return min(fitting, key=lambda name: (sum(self._siblings[uid][name] for uid in owners), len(self.by_node[name]), name))
