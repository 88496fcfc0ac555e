# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a module's snapshot comes from (private): a cluster, or files that were collected before."""

from __future__ import annotations

import os
from typing import Any, Dict, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils import _probe, _recording, _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._arguments import (
    cluster_arguments,
    selection_arguments,
    selectors_of,
)
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, EVIDENCE, NODES, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import Snapshot

PROBES = "probes"


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
    if PROBES not in params["evidence"]:
        return snapshot
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


def saved_snapshot(paths: Sequence[str]) -> Snapshot:
    """The snapshot in a file or in a folder of raw outputs, or the shards in several as one."""
    try:
        return _snapshot.merge([_recording.load(path) if os.path.isdir(path) else _snapshot.read(path) for path in paths])
    except _snapshot.SnapshotError as error:
        raise PodnetError(str(error))


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
