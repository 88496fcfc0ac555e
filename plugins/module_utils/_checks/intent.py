# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Intent: the live cluster is the one that the person asked for.

Without it a verdict proves only that a cluster agrees with itself. Each part of ``intent`` that is given is judged, each
that is left out is skipped. Forms are those of ``routing_assert``'s documentation.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional

from .._iproute import route_text
from .._model import Evidence, Pool, Route, Subject
from .case import Case
from .record import Check, Recorder, node_evidence

_MODES = {
    "None": ("Never", "Never"),
    "VXLAN": ("Always", "Never"),
    "VXLANCrossSubnet": ("CrossSubnet", "Never"),
    "IPIP": ("Never", "Always"),
    "IPIPCrossSubnet": ("Never", "CrossSubnet"),
}


def encapsulation_of(pool: Pool) -> str:
    """The operator's name for a pool's two modes."""
    modes = (pool.vxlan_mode, pool.ipip_mode)
    return next((name for name, one in _MODES.items() if one == modes), "vxlanMode %s, ipipMode %s" % modes)


def _given(case: Case, record: Recorder, part: str) -> Any:
    value = case.intent.get(part)
    if value in (None, [], {}):
        record.skipped(None, "intent says nothing of %s" % part)
        return None
    return value


def _compare(record: Recorder, node: Optional[str], subject: Subject, what: str, wanted: Any, actual: Any, command: str) -> None:
    if wanted == actual:
        record.passed(node)
        return
    record.failed(
        node, subject, "%s: %s" % (what, wanted), "%s: %s" % (what, actual),
        "%s %s: %s is %s, asked for was %s" % (subject.kind, subject.name, what, actual, wanted),
        Evidence("cluster", command, "%s: %s" % (what, actual)),
    )  # fmt: skip


def _nodes(case: Case, record: Recorder) -> None:
    wanted = _given(case, record, "nodes")
    if wanted is None or not record.lists("nodes"):
        return
    asked: Dict[str, Mapping[str, Any]] = {}
    for entry in wanted:
        one = {"name": entry} if isinstance(entry, str) else dict(entry)
        asked[one["name"]] = one
    for name in sorted(set(asked) | set(case.nodes)):
        node = case.nodes.get(name)
        if node is None or name not in asked:
            _compare(record, name, Subject("Node", name=name), "the node", "present" if name in asked else "absent",
                     "absent" if node is None else "present", "kubectl get nodes")  # fmt: skip
            continue
        record.passed(name)
        address = asked[name].get("address")
        if address:
            _compare(record, name, Subject("Node", name=name), "address", address, node.internal_ip, "kubectl get nodes -o wide")


def _pools(case: Case, record: Recorder) -> None:
    wanted = _given(case, record, "pools")
    if wanted is None or not record.lists("ippools"):
        return
    command = "kubectl get ippools.crd.projectcalico.org -o yaml"
    live = {pool.cidr: pool for pool in case.snapshot.pools}
    for entry in wanted:
        pool = live.pop(entry["cidr"], None)
        subject = Subject("IPPool", name=entry.get("name") or (pool.name if pool else entry["cidr"]), prefix=entry["cidr"])
        if pool is None:
            _compare(record, None, subject, "the pool", "present", "absent", command)
            continue
        actual = {
            "name": pool.name,
            "block_size": pool.block_size,
            "encapsulation": encapsulation_of(pool),
            "nat_outgoing": pool.nat_outgoing,
            "node_selector": pool.node_selector,
        }
        for key, value in actual.items():
            if entry.get(key) is not None:
                _compare(record, None, subject, key, _normal(entry[key], value), value, command)
    for pool in live.values():
        _compare(record, None, Subject("IPPool", name=pool.name, prefix=pool.cidr), "the pool", "absent", "present", command)


def _normal(wanted: Any, actual: Any) -> Any:
    """What was asked for, in the type of what is: Ansible hands over numbers and booleans as text, too."""
    if isinstance(actual, bool):
        return wanted if isinstance(wanted, bool) else str(wanted).lower() in ("true", "yes", "on", "enabled", "1")
    return int(wanted) if isinstance(actual, int) else str(wanted)


def _bgp(case: Case, record: Recorder) -> None:
    wanted = _given(case, record, "bgp")
    if wanted is None:
        return
    enabled = _normal(wanted, True)
    actual = case.bgp_runs
    if actual is None:
        record.inconclusive(None, Subject("BGP", name="cluster"), "neither an Installation nor a node's BIRD was read", what="BGP")
        return
    words = {True: "Enabled", False: "Disabled"}
    _compare(record, None, Subject("BGP", name="cluster"), "bgp", words[enabled], words[actual],
             "kubectl get installation default -o yaml")  # fmt: skip


def _workloads(case: Case, record: Recorder) -> None:
    wanted = _given(case, record, "workloads")
    if wanted is None or not record.lists("pods"):
        return
    for entry in wanted:
        kind, namespace, name = entry.get("kind", "DaemonSet"), entry.get("namespace", "default"), entry["name"]
        pods = [pod for pod in case.workload_pods.get((kind, namespace, name), ()) if pod.ready and not pod.terminating]
        command = "kubectl get pods -n %s -o wide" % namespace
        if entry.get("per_node") is None:
            count = entry.get("replicas", 1)
            _compare(record, None, Subject(kind, namespace, name), "ready pods", int(count), len(pods), command)
            continue
        for node in sorted(case.nodes):
            own = sum(1 for pod in pods if pod.node == node)
            subject = Subject(kind, namespace, name)
            _compare(record, node, subject, "ready pods on %s" % node, int(entry["per_node"]), own, command)


def _routes(case: Case, record: Recorder) -> None:
    wanted = _given(case, record, "routes")
    if wanted is None:
        return
    for entry in wanted:
        node = case.nodes.get(entry["node"])
        subject = Subject("Route", name=entry.get("dev"), prefix=entry["dst"])
        if node is None:
            record.failed(
                entry["node"], subject, "a node of that name", "none",
                "intent.routes names node %s, which the cluster has not" % entry["node"],
            )  # fmt: skip
            continue
        if record.facts(node, "routes") is None:
            continue
        dst = {"default": "0.0.0.0/0"}.get(entry["dst"], entry["dst"])
        found = case.routes(node).to(dst if "/" in dst else dst + "/32")
        fitting = [route for route in found if _fits(route, entry)]
        if bool(fitting) != bool(entry.get("absent")):
            record.passed(node.name)
            continue
        asked = " ".join(["%s %s" % (key, entry[key]) for key in ("via", "dev") if entry.get(key)])
        text = ("no " if entry.get("absent") else "") + "route %s %s" % (entry["dst"], asked)
        actual = "; ".join(route_text(route) for route in found) or "no route"
        record.failed(
            node.name, subject, text.strip(), actual, "%s: asked for was %s, there is «%s»" % (node.name, text.strip(), actual),
            node_evidence(node, "ip route show %s" % entry["dst"], [route_text(route) for route in found]),
        )  # fmt: skip


def _fits(route: Route, entry: Mapping[str, Any]) -> bool:
    return (not entry.get("via") or route.gateway == entry["via"]) and (not entry.get("dev") or route.dev == entry["dev"])


_REMEDY = "Deploy again with the values that were asked for, or correct the intent."
CHECKS = (
    Check("intent.nodes", "The nodes are those that were asked for", "A missing node proves nothing by its silence.", _REMEDY, _nodes),
    Check(
        "intent.pools", "Each pool is as it was asked for",
        "Encapsulation, block size and masquerading decide every expected route: taken from the live cluster alone, a wrong "
        "setting would prove itself.", _REMEDY, _pools, "critical",
    ),
    Check("intent.bgp", "BGP is on or off as asked for", "It decides who programs the routes.", _REMEDY, _bgp),
    Check("intent.workloads", "The workloads run where they were asked for", "The proofs are made between them.", _REMEDY, _workloads),
    Check("intent.routes", "Further routes that were asked for are there, or not there", "They are the person's own.", _REMEDY, _routes),
)  # fmt: skip
