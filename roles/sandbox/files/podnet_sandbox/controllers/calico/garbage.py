# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What calico-kube-controllers frees when a Node is gone: its addresses, handles, blocks and affinities.

Seen 2-4 s after the deletion (FINDINGS A20; recording node-deleted). Nothing is freed while kube-controllers is not ready.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ...ipam import block as blocks
from ...ipam.allocator import AFFINITIES, BLOCKS, Ipam
from ..objects import is_ready

#: Seconds between a Node's disappearance and the release of what it held.
GRACE = 2.0


class IpamGarbage:
    """Releases what nodes hold that are no more."""

    watches = frozenset({"nodes", "pods", AFFINITIES, BLOCKS})

    def __init__(
        self, store: Any, ipam: Ipam, grace: float = GRACE, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._ipam = store, ipam
        self._grace, self._clock = grace, clock
        self._missing_since: dict[str, float] = {}

    def reconcile(self) -> float | None:
        present = {node["metadata"]["name"] for node in self._store.scan("nodes")}
        missing = self._holders() - present
        if not (missing and self._controllers_ready()):
            self._missing_since.clear()
            return None
        now = self._clock()
        self._missing_since = {node: self._missing_since.get(node, now) for node in missing}
        waits = {node: since + self._grace - now for node, since in self._missing_since.items()}
        for node, wait in waits.items():
            if wait <= 0:
                self._ipam.release_node(node)
        return min((wait for wait in waits.values() if wait > 0), default=None)

    def _controllers_ready(self) -> bool:
        return any(
            (pod["metadata"].get("labels") or {}).get("k8s-app") == "calico-kube-controllers" and is_ready(pod)
            for pod in self._store.scan("pods")
        )

    def _holders(self) -> set[str]:
        """Nodes that own an affinity or an address."""
        holders = {affinity["spec"]["node"] for affinity in self._store.scan(AFFINITIES)}
        for found in self._store.scan(BLOCKS):
            for allocation in blocks.allocations(found["spec"]):
                node = allocation.attributes.get("node")
                if node:
                    holders.add(node)
        return holders
