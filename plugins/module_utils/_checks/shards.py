# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shards: what several jobs collected is one cluster, whole. Of a snapshot that was collected at once there is nothing to say."""

from __future__ import annotations

from .. import _shards
from .._model import INCONCLUSIVE, Evidence, Subject
from .case import Case
from .record import Check, Recorder

_AGAIN = "Collect this shard again (podnet.calico.snapshot), with the podnet_collection of the others, and judge again."
_ALL = "Collect all shards again, with one podnet_collection, and judge."
_SELECTORS = "Correct the selectors (podnet_shard_node_selector), so that each node is one shard's. " + _ALL
_REMEDIES = {
    _shards.MISSING: "See whether its job has run, and why it failed. " + _AGAIN,
    _shards.LATE: "Let the shards be collected side by side. " + _ALL,
    _shards.TWICE: "Remove the file that is not of this collection, and judge again; use a podnet_collection once.",
    _shards.OTHER_CLUSTER: "Let its job use the kubeconfig or credential of the others. " + _AGAIN,
    _shards.OTHER_COLLECTION: "Name the collection that is to be judged with podnet_collection. Or: " + _AGAIN,
    _shards.OTHER_CUT: "Give all shards the same podnet_shards. " + _ALL,
    _shards.COLLECTED_OTHERWISE: "Give all shards the same evidence and selectors (pod_routing_*). " + _ALL,
    _shards.OVERLAPPING: _SELECTORS,
    _shards.UNEXPECTED: "Name it in podnet_shards, for all shards and for the judgement, or leave its file out.",
    _shards.NOBODYS: _SELECTORS,
}


def _there(case: Case, record: Recorder) -> None:
    for gap in case.snapshot.header.unobserved:
        if not gap.what.startswith(_shards.SHARD):
            continue
        name = gap.what[len(_shards.SHARD) :]
        remedy = _REMEDIES.get(gap.reason.partition(":")[0], _AGAIN)
        record.failed(
            None, Subject("Shard", name=name), "there once, whole, and of this collection", gap.reason,
            "shard %s is %s" % (name, gap.reason), Evidence("shard " + name, gap.command, gap.reason), remedy, outcome=INCONCLUSIVE,
        )  # fmt: skip


CHECKS = (
    Check(
        "shards.whole", "The shards make a whole cluster",
        "Nodes that nobody looked into prove nothing by their silence, and what is of another time or cluster proves nothing of this one.",
        _AGAIN, _there, guard=True,
    ),
)  # fmt: skip
