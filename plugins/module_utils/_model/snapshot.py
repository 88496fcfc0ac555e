# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that was collected in one pass (private)."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from .facts import Unobserved
from .objects import Affinity, Block, Handle, Node, Pod, Pool, Settings, Workload
from .probes import Probe


class Changed(NamedTuple):
    """A subject that changed while it was read, and again while it was read once more.

    ``nodes`` whose evidence is older than the change: None for all. ``prefixes``: what is routed otherwise since.
    """

    kind: str  # Pod, Node, Block, BlockAffinity, Address, IPAMHandle, IPPool, Settings
    namespace: Optional[str] = None
    name: Optional[str] = None
    nodes: Optional[Tuple[str, ...]] = None
    prefixes: Tuple[str, ...] = ()


class Shard(NamedTuple):
    """Which part of a cluster a snapshot looked into: the nodes that ``_cut`` gives it, and the pods on them.

    ``of``: the names of all shards, sorted. ``node_selector``: a label selector of its nodes, in place of the hash of their
    names. ``selection``: what is looked into at all, the same for all shards.
    """

    name: str
    of: Tuple[str, ...]
    collection: str
    node_selector: Optional[str] = None
    selection: Tuple[str, ...] = ()


class Header(NamedTuple):
    """First line of a snapshot. Times are RFC 3339 in UTC; ``evidence`` what was asked for."""

    schema_version: int
    collected_at: str
    cluster_id: Optional[str] = None
    server: Optional[str] = None
    calico_version: Optional[str] = None
    kubernetes_version: Optional[str] = None
    api_group: Optional[str] = None  # crd.projectcalico.org or projectcalico.org
    evidence: Tuple[str, ...] = ("api", "nodes")
    settings: Settings = Settings()
    unobserved: Tuple[Unobserved, ...] = ()  # API lists that could not be read
    changed: Tuple[Changed, ...] = ()
    shard: Optional[Shard] = None


class Snapshot(NamedTuple):
    """Everything that was collected in one pass."""

    header: Header
    nodes: Tuple[Node, ...] = ()
    pods: Tuple[Pod, ...] = ()
    pools: Tuple[Pool, ...] = ()
    blocks: Tuple[Block, ...] = ()
    affinities: Tuple[Affinity, ...] = ()
    handles: Tuple[Handle, ...] = ()
    workloads: Tuple[Workload, ...] = ()
    probes: Tuple[Probe, ...] = ()

    def in_order(self) -> "Snapshot":
        """The same by name, so that a verdict does not hang on where the objects came from; probes as they were made."""
        return self._replace(
            nodes=tuple(sorted(self.nodes, key=lambda node: node.name)),
            pods=tuple(sorted(self.pods, key=lambda pod: (pod.namespace, pod.name))),
            pools=tuple(sorted(self.pools, key=lambda pool: pool.name)),
            blocks=tuple(sorted(self.blocks, key=lambda block: block.cidr)),
            affinities=tuple(sorted(self.affinities, key=lambda affinity: affinity.name)),
            handles=tuple(sorted(self.handles, key=lambda handle: handle.id)),
            workloads=tuple(sorted(self.workloads, key=lambda one: (one.kind, one.namespace, one.name))),
        )
