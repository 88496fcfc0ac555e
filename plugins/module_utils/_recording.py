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
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import _objects, _settings
from ._bird import parse_bird, parse_bird_routes
from ._iproute import parse_addresses, parse_fdb, parse_links, parse_neighbours, parse_routes, parse_rules
from ._model import Bird, Header, Masquerade, Node, NodeFacts, Pod, PodFacts, Snapshot, Unobserved
from ._snapshot import SCHEMA_VERSION, SnapshotError

_FAILED = ("command terminated with exit code", "[exit status", "error:", "Error from server")
# What each fact is read from, best first, with the command that made the file.
_NODE_FILES: Dict[str, Tuple[Tuple[str, str], ...]] = {
    "links": (("ip-j-d-link.json", "ip -j -d link"), ("ip-link.txt", "ip link")),
    "addresses": (("ip-j-addr.json", "ip -j addr"), ("ip-addr.txt", "ip addr")),
    "routes": (
        ("ip-j-d-route-table-all.json", "ip -j -d route show table all"),
        ("ip-j-route.json", "ip -j route"),
        ("ip-route.txt", "ip route"),
    ),
    "rules": (("ip-j-rule.json", "ip -j rule"), ("ip-rule.txt", "ip rule")),
    "neighbours": (("ip-j-neigh.json", "ip -j neigh"), ("ip-neigh.txt", "ip neigh")),
    "fdb": (("bridge-j-fdb.json", "bridge -j fdb show"), ("bridge-fdb.txt", "bridge fdb show")),
}
_POD_FILES: Dict[str, Tuple[Tuple[str, str], ...]] = {
    "links": _NODE_FILES["links"],
    "addresses": _NODE_FILES["addresses"],
    "routes": (("ip-j-d-route.json", "ip -j -d route"), ("ip-j-route.json", "ip -j route"), ("ip-route.txt", "ip route")),
    "neighbours": _NODE_FILES["neighbours"],
}
_PARSERS: Dict[str, Callable[[str], tuple]] = {
    "links": parse_links,
    "addresses": parse_addresses,
    "routes": parse_routes,
    "rules": parse_rules,
    "neighbours": parse_neighbours,
    "fdb": parse_fdb,
}
_LISTS = ("nodes", "pods", "ippools", "ipamblocks", "blockaffinities", "ipamhandles", "daemonsets", "deployments")
_OPTIONAL = ("daemonsets", "deployments", "ipamhandles")


def load(folder: str) -> Snapshot:
    """The snapshot that the folder's files make. SnapshotError if none of the lists is in it."""
    objects = _objects_of(folder)
    if not any(plural in objects for plural in _LISTS):
        raise SnapshotError("%s holds no recording: it has no api/nodes.json, nor any other list" % folder)
    pods = [_objects.pod(item) for item in objects.get("pods", ())]
    doors = {pod.node: pod for pod in pods if _objects.is_calico_node(pod)}
    header = Header(
        SCHEMA_VERSION,
        collected_at=_newest(objects),
        cluster_id=_settings.cluster_id(objects),
        calico_version=_settings.calico_version(objects) or _installed_version(objects),
        api_group="crd.projectcalico.org",
        kubernetes_version=_server_version(folder),
        evidence=("api",) + tuple(name for name in ("nodes", "pods") if os.path.isdir(os.path.join(folder, name))),
        settings=_settings.settings(objects, _read(os.path.join(folder, "api", "kubeadm-config.yaml"))),
        unobserved=tuple(
            Unobserved(plural, "kubectl get %s -A -o json" % plural, "the recording has no such file")
            for plural in _LISTS
            if plural not in objects and plural not in _OPTIONAL
        ),
    )
    return Snapshot(
        header,
        nodes=tuple(sorted(_node(folder, item, doors) for item in objects.get("nodes", ()))),
        pods=tuple(sorted((_pod(folder, pod) for pod in pods), key=lambda pod: (pod.namespace, pod.name))),
        pools=tuple(_objects.pool(item) for item in objects.get("ippools", ())),
        blocks=tuple(_objects.block(item) for item in objects.get("ipamblocks", ())),
        affinities=tuple(_objects.affinity(item) for item in objects.get("blockaffinities", ())),
        handles=tuple(_objects.handle(item) for item in objects.get("ipamhandles", ())),
        workloads=tuple(_objects.daemonset(item) for item in objects.get("daemonsets", ()))
        + tuple(_objects.deployment(item) for item in objects.get("deployments", ())),
    )


def _objects_of(folder: str) -> Dict[str, List[Dict[str, Any]]]:
    """Raw items by plural; crd.projectcalico.org before the aggregated API's view of the same."""
    found: Dict[str, List[Dict[str, Any]]] = {}
    api = os.path.join(folder, "api")
    for name in sorted(os.listdir(api)) if os.path.isdir(api) else ():
        plural, _dot, group = name[: -len(".json")].partition(".")
        if not name.endswith(".json") or (group.startswith("v3.") and plural in found):
            continue
        try:
            with open(os.path.join(api, name), encoding="utf-8") as file:
                document = json.load(file)
        except ValueError:
            continue  # an error message where a list should be: the list is missing, and said to be
        if isinstance(document.get("items"), list):
            found[plural] = document["items"]
    return found


def _newest(objects: Dict[str, List[Dict[str, Any]]]) -> str:
    """The youngest creation time of any object: the best that a recording says of its own time."""
    times = [item.get("metadata", {}).get("creationTimestamp") or "" for items in objects.values() for item in items]
    return max(times or [""])


def _installed_version(objects: Dict[str, List[Dict[str, Any]]]) -> Optional[str]:
    for item in objects.get("installations", ()):
        return (item.get("status") or {}).get("calicoVersion")
    return None


def _server_version(folder: str) -> Optional[str]:
    """Of ``kubectl version -o json``."""
    try:
        return json.loads(_read(os.path.join(folder, "api", "version.json")) or "")["serverVersion"]["gitVersion"]
    except (ValueError, KeyError, TypeError):
        return None


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def _facts(folder: str, files: Dict[str, Tuple[Tuple[str, str], ...]]) -> Tuple[Dict[str, tuple], List[Unobserved]]:
    facts: Dict[str, tuple] = {}
    gaps: List[Unobserved] = []
    for what, sources in files.items():
        reason = "the recording has no such file"
        for name, _command in sources:
            text = _read(os.path.join(folder, name))
            if text is None or text.startswith(_FAILED):
                continue
            try:
                facts[what] = _PARSERS[what](text)
                break
            except ValueError as error:
                reason = str(error)
        else:
            gaps.append(Unobserved(what, sources[0][1], reason))
    return facts, gaps


def _node(folder: str, item: Dict[str, Any], doors: Dict[Optional[str], Pod]) -> Node:
    node = _objects.node(item)
    door = doors.get(node.name)
    if door is not None:
        node = node._replace(calico_node_pod="%s/%s" % (door.namespace, door.name), calico_node_ready=door.ready)
    own = os.path.join(folder, "nodes", node.name)
    if not os.path.isdir(own):
        return node._replace(facts=None)
    facts, gaps = _facts(own, _NODE_FILES)
    bird = _bird(own, gaps)
    sysctls = _read(os.path.join(own, "sysctls.txt"))
    if sysctls is None:
        gaps.append(Unobserved("sysctls", "cat /proc/sys/net/…", "the recording has no such file"))
    return node._replace(
        facts=NodeFacts(
            sysctls=_sysctls(sysctls or ""),
            bird=bird,
            masquerade=_masquerade(own),
            unobserved=tuple(gaps),
            **facts,
        )
    )


def _bird(own: str, gaps: List[Unobserved]) -> Optional[Bird]:
    protocols = _read(os.path.join(own, "birdcl-show-protocols.txt"))
    if protocols is None:
        gaps.append(Unobserved("bird", "birdcl show protocols", "the recording has no such file"))
        return None
    bird = parse_bird(protocols)
    if not bird.running:
        return bird
    routes = _read(os.path.join(own, "birdcl-show-route.txt"))
    try:
        return bird._replace(routes=parse_bird_routes(routes or ""))
    except ValueError as error:
        reason = "the recording has no such file" if routes is None else str(error)
        gaps.append(Unobserved("bird.routes", "birdcl show route", reason))
        return bird


def _pod(folder: str, pod: Pod) -> Pod:
    own = os.path.join(folder, "pods", "%s.%s" % (pod.namespace, pod.name))
    if pod.host_network or not os.path.isdir(own):
        return pod._replace(skipped="on the host's network" if pod.host_network else "not recorded")
    facts, gaps = _facts(own, _POD_FILES)
    return pod._replace(facts=PodFacts(unobserved=tuple(gaps), **facts))


def _sysctls(text: str) -> Dict[str, str]:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            values[name.strip().replace("/", ".")] = value.strip()
    return values


def _masquerade(folder: str) -> Masquerade:
    sets = _ipsets(_read(os.path.join(folder, "ipset-list.txt")) or "")
    rules = _read(os.path.join(folder, "iptables-nft-save-c.txt"))
    present = None if rules is None else any("cali40masq-ipam-pools" in line and "MASQ" in line for line in rules.splitlines())
    return Masquerade(sets.get("cali40all-ipam-pools"), sets.get("cali40masq-ipam-pools"), present)


def _ipsets(text: str) -> Dict[str, Tuple[str, ...]]:
    found: Dict[str, Tuple[str, ...]] = {}
    for part in text.split("Name: ")[1:]:
        name, _newline, rest = part.partition("\n")
        members = rest.partition("Members:\n")[2].split("\n\n")[0]
        found[name.strip()] = tuple(sorted(line.split()[0] for line in members.splitlines() if line.strip()))
    return found
