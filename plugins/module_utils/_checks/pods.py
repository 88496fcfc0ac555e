# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods: the address the API names is the one IPAM gave and the pod has; two routes, one gateway, the right MTU."""

from __future__ import annotations

from typing import Sequence

from .._expected import address_of
from .._iproute import address_text, neighbour_text, route_text
from .._model import Evidence, Pod, Route
from .._names import HOST_SIDE_MAC, POD_DEVICE, POD_GATEWAY
from . import mtu
from .case import Case
from .record import Check, Recorder, pod_subject

_ROUTES = (
    Route("0.0.0.0/0", gateway=POD_GATEWAY, dev=POD_DEVICE),
    Route(POD_GATEWAY + "/32", dev=POD_DEVICE, scope="link"),
)


def _name(pod: Pod) -> str:
    return "%s/%s" % (pod.namespace, pod.name)


def _said(pod: Pod, command: str, output: Sequence[str]) -> Evidence:
    return Evidence("pod " + _name(pod), command, "\n".join(output)[:2000] or "(nothing)")


def _allocation(case: Case, record: Recorder) -> None:
    if not record.lists("pods", "ipamblocks"):
        return
    for pod in case.pods:
        address = address_of(pod)
        problem = _allocation_problem(case, pod, address)
        if problem is None:
            record.passed(pod.node)
            continue
        expected, actual = problem
        record.failed(
            pod.node, pod_subject(pod), expected, actual, "%s: its address %s %s" % (_name(pod), address, actual),
            Evidence("cluster", "calicoctl ipam show --ip=%s" % address, actual),
        )  # fmt: skip


def _allocation_problem(case: Case, pod: Pod, address: str):
    if pod.calico_address and pod.calico_address != address and ":" not in pod.calico_address:
        where = ", which is in no block" if case.expectation.blocks.longest(pod.calico_address) is None else ""
        return "podIP %s" % pod.calico_address, "is not what the CNI plugin wired it with: %s%s" % (pod.calico_address, where)
    others = [other for other in case.pods_by_address.get(address, ()) if other != pod]
    if others:
        return "an address of its own", "is also the address of %s" % ", ".join(_name(other) for other in others)
    held = case.allocations.get(address)
    if not held:
        where = "in no block" if case.expectation.blocks.longest(address) is None else "free in its block"
        return "allocated to %s in IPAM" % _name(pod), "is %s" % where
    for _block, allocation in held:
        if (allocation.namespace, allocation.pod) == (pod.namespace, pod.name):
            if allocation.node not in (None, pod.node):
                return "allocated on %s" % pod.node, "is allocated to it on %s" % allocation.node
            return None
    holder = held[0][1]
    whose = "%s/%s" % (holder.namespace, holder.pod) if holder.pod else holder.use or holder.handle or "nobody"
    return "allocated to %s in IPAM" % _name(pod), "is allocated to %s" % whose


def _interface(case: Case, record: Recorder) -> None:
    for pod in case.pods:
        facts = record.pod_facts(pod, "addresses", "links")
        if facts is None:
            continue
        down = any(link.name == POD_DEVICE and not link.admin_up for link in facts.links)
        own = [entry for entry in facts.addresses if entry.family == "inet" and entry.scope != "host" and entry.dev != "lo"]
        wanted = "%s/32 on %s" % (address_of(pod), POD_DEVICE)
        if [(entry.address, entry.prefixlen, entry.dev) for entry in own] == [(address_of(pod), 32, POD_DEVICE)] and not down:
            record.passed(pod.node)
            continue
        actual = ", ".join("%s/%d on %s" % (entry.address, entry.prefixlen, entry.dev) for entry in own) or "none"
        actual += ", which is down" if down else ""
        record.failed(
            pod.node, pod_subject(pod), wanted, actual, "%s has %s instead of %s" % (_name(pod), actual, wanted),
            _said(pod, "ip addr", [address_text(entry).splitlines()[1].strip() for entry in own]),
        )  # fmt: skip


def _routes(case: Case, record: Recorder) -> None:
    for pod in case.pods:
        facts = record.pod_facts(pod, "routes")
        if facts is None:
            continue
        # Without carrier the kernel marks a route linkdown; it is the same route, and host.device speaks of the cable.
        own = [route._replace(flags=()) for route in facts.routes if route.table == "main" and ":" not in route.dst]
        if sorted(own) == sorted(_ROUTES):
            record.passed(pod.node)
            continue
        missing = [route_text(route) for route in _ROUTES if route not in own]
        extra = [route_text(route) for route in own if route not in _ROUTES]
        actual = "; ".join(["no «%s»" % text for text in missing] + ["also «%s»" % text for text in extra])
        if not missing and not extra:
            actual = "the same route twice"
        record.failed(
            pod.node, pod_subject(pod), "; ".join(route_text(route) for route in _ROUTES), actual,
            "%s has not exactly Calico's two routes: %s" % (_name(pod), actual),
            _said(pod, "ip route", [route_text(route) for route in own]),
        )  # fmt: skip


def _gateway(case: Case, record: Recorder) -> None:
    for pod in case.pods:
        facts = record.pod_facts(pod, "neighbours")
        if facts is None:
            continue
        entries = [entry for entry in facts.neighbours if entry.address == POD_GATEWAY]
        if not entries:
            record.skipped(pod.node, "a pod has not spoken to its gateway yet, so it has no neighbour entry to judge")
            continue
        entry = entries[0]
        if entry.mac == HOST_SIDE_MAC and "FAILED" not in entry.states:
            record.passed(pod.node)
            continue
        record.failed(
            pod.node, pod_subject(pod), "%s at %s" % (POD_GATEWAY, HOST_SIDE_MAC), neighbour_text(entry),
            "%s cannot resolve its gateway: %s" % (_name(pod), neighbour_text(entry)),
            _said(pod, "ip neigh", [neighbour_text(entry)]),
        )  # fmt: skip


CHECKS = (
    Check(
        "pods.allocation", "Each pod's address is its own, in IPAM too",
        "Routes follow IPAM's blocks: an address that IPAM gave to somebody else, or to nobody, is or will be unreachable.",
        "calicoctl ipam check; delete the pod so that it gets a new address.", _allocation, aspects=("ipam",),
    ),
    Check(
        "pods.interface", "Each pod has exactly its address, as a /32, on eth0",
        "A /32 has no neighbours: everything the pod sends goes to its host, which is what makes routing decide everything.",
        "Delete the pod so that the CNI plugin wires it anew; look for another CNI plugin in /etc/cni/net.d.", _interface,
        "critical", ("pods",),
    ),
    Check(
        "pods.routes", "Each pod has Calico's two routes and no other",
        "default via 169.254.1.1, and 169.254.1.1 on the link: the pod leaves every decision to its host.",
        "Delete the pod; find out who added the route (an init container, another CNI plugin).", _routes, "critical", ("pods",),
    ),
    Check(
        "pods.gateway", "The pod's gateway resolves to its host's side",
        "169.254.1.1 exists nowhere: the host answers for it by proxy ARP with ee:ee:ee:ee:ee:ee.",
        "Look at proxy_arp on the host side and at the host's default route (sysctls.pod-device, host.gateway-route).",
        _gateway, "critical", ("pods",),
    ),
    Check(
        "pods.mtu", "Each pod's MTU leaves room for the encapsulation",
        "A packet that does not fit the tunnel is dropped: small ones arrive, large ones hang.",
        "Correct the MTU in the Installation, then delete the pods so that they are wired anew.", mtu.judge, aspects=("pods",),
    ),
)  # fmt: skip
