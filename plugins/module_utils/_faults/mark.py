# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ConfigMap kube-system/podnet-lab: it says whether this is the lab, and an annotation of it remembers the faults made.

The roles write the ConfigMap when they build a lab; it is immutable, which its annotations are not. A fault is
remembered before the first change and forgotten after the last, so whoever is killed in between leaves nothing that
cannot be healed, from another machine too.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional

from .._cluster import Cluster
from .._errors import CONFLICT, NOT_FOUND, PodnetError
from .entry import Change, Entry, plain_changes

PATH = "/api/v1/namespaces/kube-system/configmaps/podnet-lab"
ANNOTATION = "podnet.calico/faults"
# All annotations of an object may have 256 KiB together.
_ROOM = 200 * 1024
_ATTEMPTS = 5


def guard(cluster: Cluster, uuid: str) -> None:
    """Raise PodnetError unless the cluster is the lab with this uuid."""
    try:
        found = (cluster.get(PATH).get("data") or {}).get("uuid")
    except PodnetError as error:
        if error.reason != NOT_FOUND:
            raise
        raise _refusal(cluster, "has no ConfigMap kube-system/podnet-lab, so it is not a lab of podnet.calico")
    if not uuid or found != uuid:
        raise _refusal(cluster, "is another lab: its ConfigMap kube-system/podnet-lab says uuid %s, lab_uuid is %r" % (found, uuid))


def _refusal(cluster: Cluster, why: str) -> PodnetError:
    return PodnetError(
        "Faults are for labs only, and the cluster at %s %s. Nothing was changed" % (cluster.server, why),
        "Give the kubeconfig of the lab, and as lab_uuid the lab.uuid of lab.json in the lab's folder.",
    )


def entries(cluster: Cluster) -> List[Entry]:
    """The faults that were made and not healed, the oldest first."""
    return _parse(cluster.get(PATH))


def remember(cluster: Cluster, entry: Entry) -> None:
    """Add the entry, in the place of one of the same target."""
    _edit(cluster, lambda known: _without(known, entry) + [entry])


def forget(cluster: Cluster, entry: Entry) -> None:
    """Remove the entry; with the last one the annotation goes."""
    _edit(cluster, lambda known: _without(known, entry))


def _without(known: List[Entry], entry: Entry) -> List[Entry]:
    return [one for one in known if one.target != entry.target]


def _edit(cluster: Cluster, change: Callable[[List[Entry]], List[Entry]]) -> None:
    for attempt in range(1, _ATTEMPTS + 1):
        item = cluster.get(PATH)
        text = _text(change(_parse(item)))
        metadata = {"resourceVersion": item["metadata"]["resourceVersion"], "annotations": {ANNOTATION: text}}
        try:
            cluster.write("patch", PATH, {"metadata": metadata})
            return
        except PodnetError as error:
            if error.reason != CONFLICT or attempt == _ATTEMPTS:
                raise


def _text(known: List[Entry]) -> Optional[str]:
    if not known:
        return None
    text = json.dumps([_plain(entry) for entry in known], separators=(",", ":"))
    if len(text) > _ROOM:
        raise PodnetError(
            "The lab's mark has no room to remember one more fault (%d bytes for %d faults); nothing was broken" % (len(text), len(known)),
            "Heal what was made: state: absent with fault: all.",
        )
    return text


def _plain(entry: Entry) -> Dict[str, Any]:
    return dict(entry._asdict(), changes=plain_changes(entry.changes))


def _parse(item: Dict[str, Any]) -> List[Entry]:
    text = (item["metadata"].get("annotations") or {}).get(ANNOTATION)
    try:
        return [
            Entry(one["fault"], one["node"], one["pod"], tuple(Change(**change) for change in one["changes"]))
            for one in json.loads(text or "[]")
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise PodnetError(
            "The annotation %s of ConfigMap kube-system/podnet-lab cannot be read (%s)" % (ANNOTATION, error),
            "Another version wrote it, or a hand did: heal with that version, or put right what it lists and remove it.",
        )
