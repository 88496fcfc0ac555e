# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several snapshots of one cluster → one (private, pure): as if all of it had been collected at once.

The objects are those of the latest. A node's or pod's own facts come from the one that looked into it; where its view of
the objects differs from the latest in what touches the nodes it looked into, that changed while it was read, and is in doubt.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _changes, _evidence
from ansible_collections.podnet.calico.plugins.module_utils._cut import shard_of
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    NOT_KNOWN,
    NOT_SELECTED,
    OF_ANOTHER_SHARD,
    Changed,
    Node,
    Snapshot,
)

EVIDENCE = ("api", "nodes", "pods", "probes")
#: What is said of a node or pod that is nobody's, with the shard to blame where it is known: «…: shard-3 is missing».
NOBODY = "no shard looked into it"
CHANGED_BETWEEN = "it changed between the shards"
#: What is held against the latest view: lists by plural, and the snapshot's fields.
COMPARED = {
    "nodes": "nodes",
    "pods": "pods",
    "ippools": "pools",
    "ipamblocks": "blocks",
    "blockaffinities": "affinities",
    "ipamhandles": "handles",
}
_Key = Tuple[Optional[str], ...]


class Merged(NamedTuple):
    """The whole; the nodes that no shard looked into, though none is absent; those that several did, with their names."""

    snapshot: Snapshot
    unassigned: Tuple[str, ...] = ()
    overlapping: Mapping[str, Tuple[str, ...]] = {}


def merge(snapshots: Iterable[Snapshot], absent: Optional[Mapping[str, str]] = None) -> Merged:
    """One snapshot of at least one. ``absent``: the shards that are not among them, with what is the matter with each."""
    shards = sorted(snapshots, key=lambda one: (one.header.collected_at, _name(one)))
    latest = shards[-1]
    if len(shards) == 1 and latest.header.shard is None:
        return Merged(latest)
    missing = _Missing(shards, absent or {})
    header = latest.header._replace(
        unobserved=tuple(dict.fromkeys(gap for shard in shards for gap in shard.header.unobserved)),
        evidence=tuple(sorted({one for shard in shards for one in shard.header.evidence}, key=EVIDENCE.index)),
        changed=_changed(shards),
        shard=None,
    )
    snapshot = latest._replace(
        header=header,
        nodes=_restored(shards, "nodes", lambda node: ("", node.name), missing.node),
        pods=_restored(shards, "pods", lambda pod: (pod.namespace, pod.name, pod.container_id), missing.pod),
        probes=tuple(probe for shard in shards for probe in shard.probes),
    )
    return Merged(snapshot, tuple(sorted(missing.unassigned)), _overlapping(shards))


def _name(snapshot: Snapshot) -> str:
    return snapshot.header.shard.name if snapshot.header.shard else ""


def _restored(
    shards: Sequence[Snapshot], field: str, key: Callable[[Any], _Key], nothing: Callable[[Any], Any]
) -> Tuple[Any, ...]:
    """The objects of the latest, each with the latest facts that any has of it; and ``nothing`` if it was nobody's."""
    facts: Dict[_Key, Any] = {}
    unknown: Dict[_Key, str] = {}
    for shard in shards:
        for item in getattr(shard, field):
            if item.facts is not None:
                facts[key(item)] = item.facts
            elif (item.skipped or "").startswith(NOT_KNOWN):
                unknown[key(item)] = item.skipped

    # Without shards, what was left out by a selector here may have been looked into there.
    open_to_all = (NOT_KNOWN, OF_ANOTHER_SHARD) + (() if shards[-1].header.shard else (NOT_SELECTED,))

    def restored(item: Any) -> Any:
        one = key(item)
        if item.skipped is not None and not item.skipped.startswith(open_to_all):
            return item
        if one in facts:
            return item._replace(facts=facts[one], skipped=None)
        if item.skipped != OF_ANOTHER_SHARD:
            return item
        if one in unknown:
            return item._replace(skipped=unknown[one])
        return item._replace(facts=nothing(item), skipped=None)

    return tuple(map(restored, getattr(shards[-1], field)))


class _Missing:
    """What is to be said of nodes and pods that were nobody's."""

    def __init__(self, shards: Sequence[Snapshot], absent: Mapping[str, str]) -> None:
        self._absent = absent
        self._cuts = [shard.header.shard for shard in shards if shard.header.shard]
        self._of = self._cuts[-1].of if self._cuts else ()
        self._listed = Counter(node.name for shard in shards for node in shard.nodes)
        self.unassigned: Set[str] = set()

    def node(self, node: Node) -> Any:
        """Facts in which each piece says why it is not there."""
        return _evidence.node_facts({}, self._reason(node.name))

    def pod(self, pod: Any) -> Any:
        """Facts in which each piece says why it is not there."""
        return _evidence.pod_facts({}, self._reason(pod.node or ""))

    def _reason(self, node: str) -> str:
        owner = shard_of(node, self._of)
        by_hash = not any(cut.node_selector for cut in self._cuts)
        to_blame = [owner] if owner in self._absent and by_hash else [] if by_hash else sorted(self._absent)
        if to_blame:
            return "%s: %s" % (NOBODY, ", ".join("%s is %s" % (name, self._absent[name]) for name in to_blame))
        if by_hash or self._listed[node] < len(self._cuts):
            return "%s: %s" % (NOBODY, CHANGED_BETWEEN)
        self.unassigned.add(node)
        return NOBODY


def _overlapping(shards: Sequence[Snapshot]) -> Dict[str, Tuple[str, ...]]:
    """Nodes that several shards looked into, or into whose pods they did, with the names of these."""
    found: Dict[str, List[str]] = {}
    for shard in shards:
        if shard.header.shard is not None:
            for node in _own(shard):
                found.setdefault(node, []).append(shard.header.shard.name)
    return {node: tuple(sorted(names)) for node, names in sorted(found.items()) if len(names) > 1}


def _own(shard: Snapshot) -> Set[str]:
    """The nodes that it looked into, or into whose pods it did."""
    own = {node.name for node in shard.nodes if node.facts is not None}
    return own | {pod.node for pod in shard.pods if pod.node and pod.facts is not None}


def _changed(shards: Sequence[Snapshot]) -> Tuple[Changed, ...]:
    """What would not keep still while one shard read it, and what changed from one to the latest in what touches its nodes."""
    found = [change for shard in shards for change in shard.header.changed]
    latest = shards[-1]
    for shard in shards[:-1]:
        own = _own(shard) | {name for probe in shard.probes for name in (probe.source_node, probe.destination_node)}
        unread = {gap.what for one in (shard, latest) for gap in one.header.unobserved}
        before, after = (
            {plural: () if plural in unread else getattr(one, field) for plural, field in COMPARED.items()} for one in (shard, latest)
        )
        moved = _changes.changes(before, after, (shard.header.settings, latest.header.settings))
        found += [change for change in moved if own and (change.nodes is None or own & set(change.nodes))]
    return _changes.in_order(found)
