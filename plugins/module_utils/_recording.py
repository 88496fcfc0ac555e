# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of raw outputs → Snapshot (private): what somebody recorded by hand with kubectl, judged like a live cluster.

Layout: ``api/<resource>.json`` (``kubectl get … -o json``), ``nodes/<node>/`` and ``pods/<namespace>.<pod>/`` with one file
per command. Of several files that say the same the fullest is read; what has no file is unobserved. The script
``roles/pod_routing/files/record-cluster`` makes such a folder with nothing but kubectl.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, Optional, Tuple

from . import _objects, _settings
from ._bird import parse_bird, parse_bird_routes
from ._iproute import parse_addresses, parse_fdb, parse_links, parse_neighbours, parse_routes, parse_rules
from ._recorded_files import NO_SUCH_FILE, Files, Recorded
from ._model import Bird, Header, Masquerade, Node, NodeFacts, Pod, PodFacts, Snapshot, Unobserved
from ._snapshot import SCHEMA_VERSION, SnapshotError

Sources = Dict[str, Tuple[Tuple[str, str], ...]]
# What each fact is read from, best first, with the command that made the file.
_NODE_FILES: Sources = {
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
_POD_FILES: Sources = {
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
# An empty neighbour table is one; a namespace without devices, addresses, routes or rules is a file that was not written.
_MAY_BE_EMPTY = ("neighbours", "fdb")
_LISTS = ("nodes", "pods", "ippools", "ipamblocks", "blockaffinities", "ipamhandles")
# What may be left out of a recording: then Calico has its defaults, or there are no such objects.
_DEFAULTS = (
    "daemonsets", "deployments", "installations", "ipamconfigs", "bgpconfigurations", "bgppeers", "felixconfigurations",
    "clusterinformations",
)  # fmt: skip
Item = Dict[str, Any]


def load(folder: str) -> Snapshot:
    """The snapshot that the folder's files make. SnapshotError if none of the lists is in it."""
    files = Files(folder)
    objects, gaps = _lists(files)
    if not any(plural in objects for plural in _LISTS):
        said = "; ".join(gap.reason for gap in gaps if gap.reason != NO_SUCH_FILE)
        raise SnapshotError(
            "%s holds no recording: it has no list in api/ (nodes.json, pods.json …)%s. Make one with record-cluster, or name a "
            "snapshot's file." % (folder, ": " + said if said else "")
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
        api_group="crd.projectcalico.org",
        kubernetes_version=_server_version(files),
        evidence=("api",) + tuple(name for name in ("nodes", "pods") if files.has(name)),
        settings=_settings.settings(objects, kubeadm.text),
        unobserved=tuple(gaps),
    )
    return Snapshot(
        header,
        nodes=tuple(sorted(_node(files, item, doors) for item in objects.get("nodes", ()))),
        pods=tuple(sorted((_pod(files, pod) for pod in pods), key=lambda pod: (pod.namespace, pod.name))),
        pools=tuple(_objects.pool(item) for item in objects.get("ippools", ())),
        blocks=tuple(_objects.block(item) for item in objects.get("ipamblocks", ())),
        affinities=tuple(_objects.affinity(item) for item in objects.get("blockaffinities", ())),
        handles=tuple(_objects.handle(item) for item in objects.get("ipamhandles", ())),
        workloads=tuple(_objects.daemonset(item) for item in objects.get("daemonsets", ()))
        + tuple(_objects.deployment(item) for item in objects.get("deployments", ())),
    )


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


def _items(text: str, name: str) -> Tuple[Optional[List[Item]], str]:
    """The objects of a list, or what else the file holds."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return None, "%s is no JSON: %s" % (name, error)
    items = document.get("items") if isinstance(document, dict) else None
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


def _facts(files: Files, own: Tuple[str, str], sources_of: Sources) -> Tuple[Dict[str, tuple], List[Unobserved]]:
    facts: Dict[str, tuple] = {}
    gaps: List[Unobserved] = []
    for what, sources in sources_of.items():
        reasons: List[str] = []
        for name, _command in sources:
            found = files.read(*own, name, may_be_empty=what in _MAY_BE_EMPTY)
            if found.text is None:
                reasons += [found.reason] if found.told else []
                continue
            try:
                facts[what] = _PARSERS[what](found.text)
                break
            except ValueError as error:
                reasons.append(str(error))
        else:
            gaps.append(Unobserved(what, sources[0][1], reasons[0] if reasons else NO_SUCH_FILE))
    return facts, gaps


def _node(files: Files, item: Item, doors: Dict[Optional[str], Pod]) -> Node:
    node = _objects.node(item)
    door = doors.get(node.name)
    if door is not None:
        node = node._replace(calico_node_pod="%s/%s" % (door.namespace, door.name), calico_node_ready=door.ready)
    own = ("nodes", node.name)
    if not files.has(*own):
        return node._replace(facts=None)
    facts, gaps = _facts(files, own, _NODE_FILES)
    bird = _bird(files, own, gaps)
    sysctls = files.read(*own, "sysctls.txt", may_be_empty=False)
    if sysctls.text is None:
        gaps.append(Unobserved("sysctls", "cat /proc/sys/net/…", sysctls.reason))
    masquerade = _masquerade(files, own, gaps)
    return node._replace(
        facts=NodeFacts(sysctls=_sysctls(sysctls.text or ""), bird=bird, masquerade=masquerade, unobserved=tuple(gaps), **facts)
    )


def _bird(files: Files, own: Tuple[str, str], gaps: List[Unobserved]) -> Optional[Bird]:
    protocols = files.read(*own, "birdcl-show-protocols.txt", may_be_empty=False)
    if protocols.text is None:
        gaps.append(Unobserved("bird", "birdcl show protocols", protocols.reason))
        return None
    bird = parse_bird(protocols.text)
    if not bird.running:
        return bird
    routes = files.read(*own, "birdcl-show-route.txt")
    try:
        return bird._replace(routes=parse_bird_routes(routes.text or ""))
    except ValueError as error:
        gaps.append(Unobserved("bird.routes", "birdcl show route", routes.reason or str(error)))
        return bird


def _pod(files: Files, pod: Pod) -> Pod:
    own = ("pods", "%s.%s" % (pod.namespace, pod.name))
    if pod.host_network or not files.has(*own):
        return pod._replace(skipped="on the host's network" if pod.host_network else "not recorded")
    facts, gaps = _facts(files, own, _POD_FILES)
    return pod._replace(facts=PodFacts(unobserved=tuple(gaps), **facts))


def _sysctls(text: str) -> Dict[str, str]:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            values[name.strip().replace("/", ".")] = value.strip()
    return values


def _masquerade(files: Files, own: Tuple[str, str], gaps: List[Unobserved]) -> Masquerade:
    """With nftables there are no sets of ipset, and their file is empty; a recording may do without either file."""
    listed, saved = files.read(*own, "ipset-list.txt"), files.read(*own, "iptables-nft-save-c.txt")
    for found, command in ((listed, "ipset list"), (saved, "iptables-nft-save -t nat")):
        if found.told:
            gaps.append(Unobserved("masquerade", command, found.reason))
    sets = _ipsets(listed.text or "")
    lines = None if saved.text is None else saved.text.splitlines()
    present = None if lines is None else any("cali40masq-ipam-pools" in line and "MASQ" in line for line in lines)
    return Masquerade(sets.get("cali40all-ipam-pools"), sets.get("cali40masq-ipam-pools"), present)


def _ipsets(text: str) -> Dict[str, Tuple[str, ...]]:
    found: Dict[str, Tuple[str, ...]] = {}
    for part in text.split("Name: ")[1:]:
        name, _newline, rest = part.partition("\n")
        members = rest.partition("Members:\n")[2].split("\n\n")[0]
        found[name.strip()] = tuple(sorted(line.split()[0] for line in members.splitlines() if line.strip()))
    return found
