# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a module's snapshot comes from (private): a cluster, or files that were collected before."""

from __future__ import annotations

import json
import os
import zlib
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _objects, _probe, _recording, _shards, _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._arguments import (
    cluster_arguments,
    selection_arguments,
    selectors_of,
)
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, EVIDENCE, NODES, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._memory import uncollected
from ansible_collections.podnet.calico.plugins.module_utils._model import Snapshot

PROBES = "probes"
#: What a file can raise that holds something else than it should.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, zlib.error)
_OBJECTS: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "nodes": _objects.node,
    "pods": _objects.pod,
    "ippools": _objects.pool,
    "ipamblocks": _objects.block,
    "blockaffinities": _objects.affinity,
    "ipamhandles": _objects.handle,
    "daemonsets": _objects.daemonset,
    "deployments": _objects.deployment,
}
_SETTINGS = (
    "installations", "ipamconfigs", "ipamconfigurations", "bgpconfigurations", "bgppeers", "felixconfigurations", "clusterinformations",
)  # fmt: skip
_OBJECTS.update(dict.fromkeys(_SETTINGS, lambda item: item["metadata"]["name"]))


def live_arguments() -> Dict[str, Any]:
    """Cluster access, selection, and the doc fragment podnet.calico.cluster.evidence."""
    return dict(
        cluster_arguments(),
        evidence=dict(type="list", elements="str", choices=list(EVIDENCE) + [PROBES], default=[API, NODES]),
        ping_count=dict(type="int", default=4),
        **selection_arguments()
    )


def live_snapshot(module: Any, cluster: Cluster) -> Snapshot:
    """Collect what the module's ``evidence`` asks for; with ``probes``, ping one pair on a node and one across nodes."""
    params = module.params
    snapshot = collect(cluster, params["evidence"], selectors_of(module))
    shard = snapshot.header.shard
    if PROBES not in params["evidence"] or (shard is not None and shard.name != shard.of[0]):
        return snapshot  # of shards, the first sends the packets: those that one collection would send
    return with_probes(cluster, snapshot, _probe.Ping(count=params["ping_count"]))


def with_probes(
    cluster: Cluster, snapshot: Snapshot, ping: _probe.Ping, pairs: Sequence[_probe.Pair] = ()
) -> Snapshot:
    """The snapshot with what packets told, between ``pairs`` or one pair of each sort."""
    if ping.count < 1:
        raise PodnetError("The number of pings is %d and must be at least 1" % ping.count)
    chosen, missing = (pairs, []) if pairs else _probe.choose_pairs(snapshot)
    header = snapshot.header._replace(
        evidence=snapshot.header.evidence + (PROBES,), unobserved=snapshot.header.unobserved + tuple(missing)
    )
    return snapshot._replace(header=header, probes=_probe.run(cluster, snapshot, chosen, ping))


@uncollected()
def saved_snapshot(paths: Sequence[str], expected: Optional[_shards.Expected] = None) -> Snapshot:
    """The snapshot in a file or in a folder of raw outputs, or the shards in several as one.

    Of the shards that are ``expected``, one whose file is missing or damaged is a gap of the whole, and no error.
    """
    try:
        if expected is None:
            return _shards.whole([_shards.File(path, path, _load(path)) for path in paths])
        return _shards.whole([_shard_file(path) for path in paths], expected)
    except _snapshot.SnapshotError as error:
        raise PodnetError(str(error))


def _shard_file(path: str) -> _shards.File:
    """The file of a shard, called after it."""
    name = os.path.basename(path).partition(".jsonl")[0]
    if not os.path.lexists(path):
        return _shards.File(name, path, reason="%s: there is no file %s" % (_shards.MISSING, path))
    try:
        return _shards.File(name, path, _load(path))
    except _snapshot.SnapshotError as error:
        return _shards.File(name, path, reason="%s: %s" % (_shards.DAMAGED, error))


def _load(path: str) -> Snapshot:
    folder = os.path.isdir(path)
    try:
        return _recording.load(path) if folder else _snapshot.read(path)
    except _snapshot.SnapshotError:
        raise
    except _DAMAGE as error:
        if folder:
            file, reason = _damaged(path) or (path, _reason(error))
            raise _snapshot.SnapshotError("%s is damaged (%s). Record it again with record-cluster." % (file, reason))
        raise _snapshot.SnapshotError(
            "%s is no snapshot of podnet.calico, or is damaged (%s). Collect it again with routing_snapshot."
            % (path, _reason(error))
        )


def _damaged(folder: str) -> Optional[Tuple[str, str]]:
    """The first list of a recorded folder that holds something else than its objects, and what is wrong with it."""
    api = os.path.join(folder, "api")
    for name in sorted(os.listdir(api)):
        read = _OBJECTS.get(name.partition(".")[0])
        if read is None or not name.endswith(".json"):
            continue
        try:
            with open(os.path.join(api, name), encoding="utf-8") as file:
                document = json.load(file)
        except (OSError, ValueError):
            continue  # the recording takes such a list for one that is missing, and says so
        if not isinstance(document, dict):
            return os.path.join(api, name), "no list of objects, as kubectl get --output json makes it"
        for number, item in enumerate(document.get("items") or (), 1):
            try:
                read(item)
            except _DAMAGE as error:
                return os.path.join(api, name), "object %d: %s" % (number, _reason(error))
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it holds no text"
    return "it has no %s" % error if isinstance(error, KeyError) else str(error)


def save_snapshot(module: Any, path: Optional[str], snapshot: Snapshot) -> Optional[str]:
    """Write the snapshot where the module was asked to, and return where; check mode writes nothing."""
    if not path or module.check_mode:
        return None
    try:
        _snapshot.write(path, snapshot)
    except OSError as error:
        raise PodnetError(
            "The snapshot %s cannot be written (%s)" % (path, error.strerror), "Its folder must exist and be writable."
        )
    return path
