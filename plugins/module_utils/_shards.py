# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the shards of a collection are all there, and the whole that they make (private, pure).

Each is there once, whole, of this collection and cluster, and cut as the others. One that is not is left out and becomes an
entry of ``unobserved``, by its name and what is the matter; the check api.shards tells it, also when the whole is judged again.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._changes import KINDS
from ansible_collections.podnet.calico.plugins.module_utils._cut import refusal
from ansible_collections.podnet.calico.plugins.module_utils._merge import COMPARED, EVIDENCE, merge
from ansible_collections.podnet.calico.plugins.module_utils._model import Header, Shard, Snapshot, Unobserved
from ansible_collections.podnet.calico.plugins.module_utils._snapshot import SCHEMA_VERSION, SnapshotError

#: How the ``what`` of a gap begins that is a shard; its reason begins with one of the words below, and a colon.
SHARD = "shard "
UNASSIGNED = SHARD + "(none)"
MISSING, LATE, TWICE, DAMAGED = "missing", "late", "there twice", "damaged"
OTHER_CLUSTER, OTHER_COLLECTION, OTHER_CUT = "of another cluster", "of another collection", "cut otherwise"
COLLECTED_OTHERWISE, OVERLAPPING, UNEXPECTED, NOBODYS = "collected otherwise", "overlapping", "not one of them", "nobody's"
WORDS = (
    MISSING, LATE, TWICE, DAMAGED, OTHER_CLUSTER, OTHER_COLLECTION, OTHER_CUT, COLLECTED_OTHERWISE, OVERLAPPING, UNEXPECTED, NOBODYS,
)  # fmt: skip
NONE_THERE = "no shard is there"
_TOLD = 5


class Expected(NamedTuple):
    """What the whole is made of. ``max_apart`` in seconds; ``refused``: by shard, why its file could not be had."""

    names: Tuple[str, ...]
    collection: Optional[str] = None
    max_apart: float = 3600
    refused: Mapping[str, str] = {}


class File(NamedTuple):
    """A shard's file: the name that the file's own says, and the snapshot in it, or why there is none (``damaged: …``)."""

    name: str
    path: str
    snapshot: Optional[Snapshot] = None
    reason: str = ""


def whole(files: Sequence[File], expected: Optional[Expected] = None) -> Snapshot:
    """What all files make; SnapshotError for those that do not belong together, where no shards are expected."""
    snapshots = [file.snapshot for file in files if file.snapshot is not None]
    cuts = [one.header.shard for one in snapshots if one.header.shard is not None]
    if expected is None and not cuts:
        if not snapshots:
            raise SnapshotError("No snapshot to merge.")
        for one in snapshots[1:]:
            _same_cluster(snapshots[0].header, one.header)
        return merge(snapshots).snapshot
    return _Roll(files, expected or Expected(_prevailing(cuts, lambda cut: cut.of))).whole()


def _same_cluster(one: Header, other: Header) -> None:
    difference = _of_clusters(one, other)
    if difference:
        raise SnapshotError("These are not shards of one collection: %s and %s." % difference)


def _of_clusters(one: Header, other: Header) -> Optional[Tuple[str, str]]:
    """What tells that the two are not of one cluster, of the one and of the other."""
    for what, field in (("cluster id", "cluster_id"), ("Calico version", "calico_version")):
        if getattr(one, field) != getattr(other, field):
            return "%s %s" % (what, getattr(one, field)), str(getattr(other, field))
    if not one.cluster_id and one.server != other.server:
        return "without a cluster id, server %s" % one.server, str(other.server)
    return None


def _prevailing(items: Sequence[Any], trait: Callable[[Any], Any]) -> Any:
    """What most of them have; of as many, the greatest."""
    counts = Counter(map(trait, items))
    return max(counts, key=lambda one: (counts[one], repr(one))) if counts else None


class _Roll:
    """The roll call: who is there, and what is the matter with each of the others."""

    def __init__(self, files: Sequence[File], expected: Expected) -> None:
        self.expected = expected
        self.names = tuple(sorted(expected.names))
        self.present: Dict[str, File] = {}
        self.matter: Dict[str, str] = dict(expected.refused)
        self._call(files)

    def _call(self, files: Sequence[File]) -> None:
        known: Dict[str, List[File]] = {}
        instead: Dict[str, str] = {}
        for file in sorted(files, key=lambda one: one.path):
            if file.snapshot is None:
                self.matter.setdefault(file.name, file.reason)
                continue
            strange = _strange(file.snapshot.header)
            if strange:
                self.matter.setdefault(file.name, "%s: %s" % (strange, file.path))
                continue
            name = file.snapshot.header.shard.name
            known.setdefault(name, []).append(file)
            instead.setdefault(file.name, "%s says that it is %s" % (file.path, name))
        for name, those in known.items():
            if len(those) > 1:
                self.matter[name] = "%s: in %s" % (TWICE, " and in ".join(file.path for file in those))
            elif name not in self.matter:
                self.present[name] = those[0]
        for find in (self._unexpected, self._cut, self._cluster, self._otherwise, self._late):
            for name, reason in sorted(find().items()):
                self.matter[name] = reason
                del self.present[name]
        for name in self.names:
            if name not in self.present:
                self.matter.setdefault(name, "%s: %s" % (MISSING, instead.get(name, "there is no file of it")))

    def _cuts(self) -> Dict[str, Shard]:
        return {name: file.snapshot.header.shard for name, file in self.present.items()}

    def _headers(self) -> Dict[str, Header]:
        return {name: file.snapshot.header for name, file in self.present.items()}

    def _unexpected(self) -> Dict[str, str]:
        told = _listed(self.names)
        return {name: "%s: there must be %s" % (UNEXPECTED, told) for name in self.present if name not in self.names}

    def _cut(self) -> Dict[str, str]:
        cuts = self._cuts()
        collection = self.expected.collection or _prevailing(list(cuts.values()), lambda cut: cut.collection)
        found = {}
        for name, cut in cuts.items():
            if cut.collection != collection:
                found[name] = "%s: %s, not %s" % (OTHER_COLLECTION, cut.collection, collection)
            elif cut.of != self.names:
                found[name] = "%s: it is one of %s, not of %s" % (OTHER_CUT, _listed(cut.of), _listed(self.names))
        return found

    def _cluster(self) -> Dict[str, str]:
        headers = self._headers()
        common = _prevailing(list(headers.values()), lambda one: (one.cluster_id, one.calico_version, "" if one.cluster_id else one.server))
        found = {}
        for name, header in headers.items():
            known = header._replace(cluster_id=common[0], calico_version=common[1], server=common[2])
            difference = _of_clusters(header, known)
            if difference:
                found[name] = "%s: %s, the others have %s" % ((OTHER_CLUSTER,) + difference)
        return found

    def _otherwise(self) -> Dict[str, str]:
        """Probes are one shard's, and no difference."""
        asked = {
            name: (tuple(one for one in header.evidence if one != EVIDENCE[-1]), header.shard.selection)
            for name, header in self._headers().items()
        }
        common = _prevailing(list(asked.values()), lambda one: one)
        told = {name: "evidence %s; selected %s" % (", ".join(one[0]), ", ".join(one[1]) or "all") for name, one in asked.items()}
        return {
            name: "%s: %s; the others: %s" % (COLLECTED_OTHERWISE, told[name], next(told[who] for who in told if asked[who] == common))
            for name in asked
            if asked[name] != common
        }

    def _late(self) -> Dict[str, str]:
        times = {name: _time(header.collected_at) for name, header in self._headers().items()}
        latest = max(times, key=lambda name: (times[name], name)) if times else ""
        found = {}
        for name, time in times.items():
            seconds = (times[latest] - time).total_seconds()
            if seconds > self.expected.max_apart:
                found[name] = "%s: collected %d s before %s, and at most %g s may lie between" % (
                    LATE, seconds, latest, self.expected.max_apart,
                )  # fmt: skip
        return found

    def whole(self) -> Snapshot:
        """What those that are there make, and the gaps that the others leave."""
        gaps = [Unobserved(SHARD + name, "", reason) for name, reason in sorted(self.matter.items())]
        if not self.present:
            unread = tuple(Unobserved(plural, "kubectl get %s --all-namespaces" % plural, NONE_THERE) for plural in COMPARED)
            return Snapshot(Header(SCHEMA_VERSION, collected_at="", unobserved=unread + tuple(gaps)))
        absent = {name: self.matter[name].partition(":")[0] for name in self.names if name not in self.present}
        merged = merge([file.snapshot for file in self.present.values()], absent)
        for node, names in merged.overlapping.items():
            gaps.append(Unobserved(SHARD + names[0], "", "%s: node %s is looked into by %s" % (OVERLAPPING, node, " and ".join(names))))
        if merged.unassigned:
            command = "kubectl get nodes --show-labels"
            gaps.append(Unobserved(UNASSIGNED, command, "%s: no shard looked into %s" % (NOBODYS, _listed(merged.unassigned))))
        header = merged.snapshot.header
        return merged.snapshot._replace(header=header._replace(unobserved=header.unobserved + tuple(gaps)))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _TOLD
    return ", ".join(names[:_TOLD]) + (" and %d more" % more if more > 0 else "")


def _time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")


def _strange(header: Header) -> Optional[str]:
    """What is the matter with a header that no shard of this collection can have; whoever wrote the file wrote this, too."""
    shard = header.shard
    if shard is None:
        return "%s: it is no shard" % OTHER_CUT
    try:
        _time(header.collected_at)
    except ValueError:
        return "%s: it was collected at %r" % (DAMAGED, header.collected_at)
    wrong = refusal((shard.name,)) or refusal((shard.collection,)) or refusal(shard.of)
    if wrong:
        return "%s: its header says %s" % (DAMAGED, wrong)
    if set(header.evidence) - set(EVIDENCE) or {one.kind for one in header.changed} - set(KINDS):
        return "%s: its header names evidence that there is not" % DAMAGED
    return None
