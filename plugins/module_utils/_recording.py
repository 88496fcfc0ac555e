# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of raw outputs → Snapshot (private): what somebody recorded by hand with kubectl, judged like a live cluster.

Layout: ``api/<resource>.json`` (``kubectl get … -o json``), ``nodes/<node>/`` and ``pods/<namespace>.<pod>/`` with one file
per command. Of several files that say the same the fullest is read; what has no file is unobserved. The script
``roles/pod_routing/files/record-cluster`` makes such a folder with nothing but kubectl.
"""

from __future__ import annotations

import json
import os
from glob import escape, glob
from typing import Any, Dict, List, Optional, Tuple

from . import _objects, _settings
from ._model import Header, Node, Pod, Snapshot, Unobserved
from ._recorded_facts import node_facts, pod_facts
from ._recorded_files import NO_SUCH_FILE, Files, Recorded
from ._snapshot import SCHEMA_VERSION, SnapshotError

_LISTS = ("nodes", "pods", "ippools", "ipamblocks", "blockaffinities", "ipamhandles")
# What may be left out of a recording: then Calico has its defaults, or there are no such objects.
_DEFAULTS = (
    "daemonsets", "deployments", "installations", "ipamconfigs", "bgpconfigurations", "bgppeers", "felixconfigurations",
    "clusterinformations",
)  # fmt: skip
Item = Dict[str, Any]


def _instead(folder: str) -> str:
    """What to do about a folder that is no recording."""
    below = sorted(path for path in glob(os.path.join(escape(folder), "*", "api")) if os.path.isdir(path))
    if not below:
        return "Make one with record-cluster, or name a snapshot's file."
    names = [os.path.dirname(path) for path in below]
    return "Name one of those below it: %s%s." % (", ".join(names[:5]), " …" if len(names) > 5 else "")


def load(folder: str) -> Snapshot:
    """The snapshot that the folder's files make. SnapshotError if none of the lists is in it."""
    files = Files(folder)
    objects, gaps = _lists(files)
    if not any(plural in objects for plural in _LISTS):
        said = "; ".join(gap.reason for gap in gaps if gap.reason != NO_SUCH_FILE)
        raise SnapshotError(
            "%s holds no recording: it has no list in api/ (nodes.json, pods.json …)%s. %s"
            % (folder, ": " + said if said else "", _instead(folder))
        )
    pods = [_objects.pod(item) for item in objects.get("pods", ())]
    doors = {pod.node: pod for pod in pods if _objects.is_calico_node(pod)}
    kubeadm = files.read("api", "kubeadm-config.yaml")
    if kubeadm.told and "(NotFound)" not in kubeadm.reason:
        gaps.append(Unobserved("kubeadm-config", "kubectl get configmap --namespace kube-system kubeadm-config", kubeadm.reason))
    header = Header(
        SCHEMA_VERSION,
        collected_at=_newest(objects),
        cluster_id=_settings.cluster_id(objects),
        calico_version=_settings.calico_version(objects) or _installed_version(objects),
        api_group="projectcalico.org" if _is_v3(files) else "crd.projectcalico.org",
        kubernetes_version=_server_version(files),
        evidence=("api",) + tuple(name for name in ("nodes", "pods") if files.has(name)),
        settings=_settings.settings(objects, kubeadm.text),
        unobserved=tuple(gaps),
    )
    return Snapshot(
        header,
        nodes=tuple(_node(files, item, doors) for item in objects.get("nodes", ())),
        pods=tuple(_pod(files, pod) for pod in pods),
        pools=tuple(_objects.pool(item) for item in objects.get("ippools", ())),
        blocks=tuple(_objects.block(item) for item in objects.get("ipamblocks", ())),
        affinities=tuple(_objects.affinity(item) for item in objects.get("blockaffinities", ())),
        handles=tuple(_objects.handle(item) for item in objects.get("ipamhandles", ())),
        workloads=tuple(_objects.daemonset(item) for item in objects.get("daemonsets", ()))
        + tuple(_objects.deployment(item) for item in objects.get("deployments", ())),
    ).in_order()


def _lists(files: Files) -> Tuple[Dict[str, List[Item]], List[Unobserved]]:
    """Raw items by plural, and the lists that are missing; crd.projectcalico.org before the aggregated API's view of the same."""
    objects: Dict[str, List[Item]] = {}
    gaps: List[Unobserved] = []
    for plural in _LISTS + _DEFAULTS:
        missing: List[Recorded] = []
        for name in files.named("api", plural):
            found = files.read("api", name)
            items, reason = _items(found.text, "api/" + name) if found.text is not None else (None, found.reason)
            if items is not None:
                objects[plural] = items
                break
            missing.append(Recorded(None, reason, told=True))
        else:
            if missing or plural in _LISTS:
                reason = missing[0].reason if missing else NO_SUCH_FILE
                gaps.append(Unobserved(plural, "kubectl get %s --all-namespaces --output json" % plural, reason))
    return objects, gaps


def _is_v3(files: Files) -> bool:
    """Whether Calico's data is in CRDs of projectcalico.org: the aggregated API server of that group has no blocks."""
    names = files.named("api", "ipamblocks")
    return bool(names) and ".crd." not in names[0] and ".projectcalico." in names[0]


def _items(text: str, name: str) -> Tuple[Optional[List[Item]], str]:
    """The objects of a list, or what else the file holds."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return None, "%s is no JSON: %s" % (name, error)
    items = document.get("items") if isinstance(document, dict) else None
    if isinstance(document, dict) and {"kind", "metadata", "spec"} <= set(document):
        return [document], ""  # asked for by its name
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        return None, "%s holds no list of objects: make it with kubectl get --output json" % name
    return items, ""


def _newest(objects: Dict[str, List[Dict[str, Any]]]) -> str:
    """The youngest creation time of any object: the best that a recording says of its own time."""
    times = [item.get("metadata", {}).get("creationTimestamp") or "" for items in objects.values() for item in items]
    return max(times or [""])


def _installed_version(objects: Dict[str, List[Dict[str, Any]]]) -> Optional[str]:
    for item in objects.get("installations", ()):
        return (item.get("status") or {}).get("calicoVersion")
    return None


def _server_version(files: Files) -> Optional[str]:
    """Of ``kubectl version -o json``."""
    try:
        return json.loads(files.read("api", "version.json").text or "")["serverVersion"]["gitVersion"]
    except (ValueError, KeyError, TypeError):
        return None


def _node(files: Files, item: Item, doors: Dict[Optional[str], Pod]) -> Node:
    node = _objects.node(item)
    door = doors.get(node.name)
    if door is not None:
        node = node._replace(calico_node_pod="%s/%s" % (door.namespace, door.name), calico_node_ready=door.ready)
    if node.os != "linux":
        return node._replace(skipped="not modelled (%s node)" % node.os)
    own = ("nodes", node.name)
    if not files.has(*own):
        return node._replace(facts=None)
    return node._replace(facts=node_facts(files, own))


def _pod(files: Files, pod: Pod) -> Pod:
    own = ("pods", "%s.%s" % (pod.namespace, pod.name))
    if pod.host_network or not files.has(*own):
        return pod._replace(skipped="on the host's network" if pod.host_network else "not recorded")
    return pod._replace(facts=pod_facts(files, own))
