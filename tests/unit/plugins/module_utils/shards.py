# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot cut into shards, as each of them would have been collected."""

from __future__ import annotations

from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cut import shard_of
from ansible_collections.podnet.calico.plugins.module_utils._model import OF_ANOTHER_SHARD, Shard
from ansible_collections.podnet.calico.plugins.module_utils._shards import Expected, File, whole
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording

COLLECTION = "41"
NODES = ("pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2")
CONTROL, WORKER, WORKER2 = NODES


def names(number):
    return tuple(f"shard-{one}" for one in range(1, number + 1))


def shard(snapshot, name, of, collection=COLLECTION):
    """What the shard called ``name`` would have looked into."""

    def own(item, node):
        if item.skipped is not None or shard_of(node, of) == name:
            return item
        return item._replace(facts=None, skipped=OF_ANOTHER_SHARD)

    first = name == of[0]
    evidence = tuple(one for one in snapshot.header.evidence if first or one != "probes")
    return snapshot._replace(
        header=snapshot.header._replace(shard=Shard(name, of, collection), evidence=evidence),
        nodes=tuple(own(node, node.name) for node in snapshot.nodes),
        pods=tuple(own(pod, pod.node) for pod in snapshot.pods),
        probes=snapshot.probes if first else (),
    )


def cut(snapshot, number):
    """All shards by name."""
    return {name: shard(snapshot, name, names(number)) for name in names(number)}


def files(shards):
    """Their files, called after them."""
    return [File(name, f"/shards/{name}.jsonl.gz", one) for name, one in shards.items()]


def together(shards, **expected):
    """The whole that is judged, of those that are there, where all of ``names`` are expected."""
    expected.setdefault("names", names(4))
    return whole(shards if isinstance(shards, list) else files(shards), Expected(**expected))


def timed(snapshot, seconds=0):
    """A recording has no time of its own that all shards could have."""
    return snapshot._replace(header=snapshot.header._replace(collected_at="2030-01-01T02:%02d:%02dZ" % divmod(seconds, 60)))


def cluster():
    return timed(recording())


def headed(snapshot, **fields):
    return snapshot._replace(header=snapshot.header._replace(**fields))


def told(snapshot):
    """What the shards' check says: shard, and the words before the colon."""
    return {(one.subject.name, one.actual.partition(":")[0]) for one in judge(snapshot).findings if one.id == "shards.whole"}


def changed_by(change):
    shards = cut(cluster(), 4)
    return {**shards, "shard-2": change(shards["shard-2"])}
