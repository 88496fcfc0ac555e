# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The host's side of each pod: one /32 route, to the right device, which is up; and nothing left of pods that are gone."""

from __future__ import annotations

from typing import Dict, List, Optional, Set

from .._expected import POD, address_of
from .._iproute import route_text
from .._model import Link, Node, Pod, Route, Subject
from .._names import HOST_SIDE_MAC, POD_GATEWAY, pod_device
from .._shape import ExpectedRoute, describe, differences
from .case import Case
from .record import Check, Recorder, node_evidence, node_subject, pod_subject
from .remedies import delete_pod, delete_route, on_node, restore_route


def _pods_of(case: Case, node: Node) -> List[Pod]:
    return case.expectation.live_pods.get(node.name, [])


def _device_of(case: Case, pod: Pod) -> str:
    return pod_device(pod.namespace, pod.name, case.settings.interface_prefix)


def _route(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        if record.facts(node, "routes") is None:
            continue
        routes = case.routes(node)
        for pod, expected in zip(_pods_of(case, node), case.expectation.local_routes_of(node)[POD]):
            _judge_route(record, node, pod, expected, routes.to(expected.dst))


def _judge_route(record: Recorder, node: Node, pod: Pod, expected: ExpectedRoute, found: List[Route]) -> None:
    if len(found) == 1 and not differences(found[0], expected.shapes[0]):
        record.passed(node.name)
        return
    name, address = "%s/%s" % (pod.namespace, pod.name), address_of(pod)
    if not found:
        if pod.terminating:
            record.skipped(node.name, "a pod is being deleted")
            return
        actual, message = "no route", "%s has no route to its own pod %s (%s)" % (node.name, name, address)
    else:
        actual = "; ".join(route_text(route) for route in found)
        wrong = differences(found[0], expected.shapes[0])
        how = "is doubled" if len(found) > 1 else "differs in " + ", ".join(wrong)
        message = "%s: the route to pod %s (%s) %s: «%s»" % (node.name, name, address, how, actual)
    record.failed(
        node.name, pod_subject(pod)._replace(prefix=expected.dst), describe(expected), actual, message,
        node_evidence(node, "ip route show %s" % address, [route_text(route) for route in found]),
        _restore(node, expected, found),
    )  # fmt: skip


def _restore(node: Node, expected: ExpectedRoute, found: List[Route]) -> str:
    if len(found) > 1:
        other = next((route for route in found if differences(route, expected.shapes[0])), found[-1])
        return "Nobody removes it. Find who adds it, and: %s" % delete_route(node, other)
    return restore_route(node, expected, *((found[0], differences(found[0], expected.shapes[0])) if found else ()))


def _device(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        if record.facts(node, "links") is None:
            continue
        links = case.links(node)
        for pod in _pods_of(case, node):
            device = _device_of(case, pod)
            wrong = _device_problem(links.get(device))
            if wrong is None:
                record.passed(node.name)
                continue
            if pod.terminating:
                record.skipped(node.name, "a pod is being deleted")
                continue
            record.failed(
                node.name, pod_subject(pod), "%s, up, MAC %s" % (device, HOST_SIDE_MAC), wrong,
                "%s: %s of pod %s/%s is %s" % (node.name, device, pod.namespace, pod.name, wrong),
                node_evidence(node, "ip link show %s" % device, [wrong]),
                _restore_device(node, pod, device, wrong),
            )  # fmt: skip


def _restore_device(node: Node, pod: Pod, device: str, wrong: str) -> str:
    if wrong == "down":
        up = on_node(node, "ip", "link", "set", device, "up")
        return "Nobody sets it up again; Felix puts the pod's route back as soon as it is: %s" % up
    return "Only wiring the pod anew makes the cable; its owner makes another: " + delete_pod(pod.namespace, pod.name)


def _device_problem(link: Optional[Link]) -> Optional[str]:
    if link is None:
        return "missing"
    if not link.admin_up:
        return "down"
    if not link.carrier:
        return "without carrier: the pod's end is down"
    if link.mac and link.mac != HOST_SIDE_MAC:
        return "up with MAC %s instead of %s" % (link.mac, HOST_SIDE_MAC)
    return None


def _stray(case: Case, record: Recorder) -> None:
    if not record.lists("pods"):
        return
    # A pod on its way in or out has no address in the API, and already or still a device.
    devices_of: Dict[Optional[str], Set[str]] = {}
    for pod in case.snapshot.pods:
        if not pod.host_network:
            devices_of.setdefault(pod.node, set()).add(_device_of(case, pod))
    for node in case.snapshot.nodes:
        if record.facts(node, "routes", "links") is None:
            continue
        known = devices_of.get(node.name, set())
        prefix = case.settings.interface_prefix
        devices = [name for name in case.links(node) if name.startswith(prefix) and name not in known]
        routes = [route for routes in case.unsettled(node).values() for route in routes if (route.dev or "").startswith(prefix)]
        record.passed(node.name, len(known))
        for device in devices:
            record.warning(
                node.name, Subject("Device", name=device), "only devices of pods of this node", device,
                "%s: %s belongs to no pod that the API knows" % (node.name, device),
                node_evidence(node, "ip link show %s" % device, [device]),
                "Felix leaves it: %s" % on_node(node, "ip", "link", "del", device),
            )  # fmt: skip
        _stray_routes(case, record, node, routes, known)


def _stray_routes(case: Case, record: Recorder, node: Node, routes: List[Route], known: Set[str]) -> None:
    addresses = {address_of(pod) + "/32" for pod in _pods_of(case, node)}
    for route in routes:
        if ":" in route.dst or route.dst in addresses or route.dev in known:
            continue
        record.failed(
            node.name, Subject("Route", prefix=route.dst, name=route.dev), "no such route", route_text(route),
            "%s sends %s to %s, which belongs to no pod that the API knows" % (node.name, route.dst, route.dev),
            node_evidence(node, "ip route show %s" % route.dst, [route_text(route)]),
            "Felix leaves it: %s" % delete_route(node, route), "minor",
        )  # fmt: skip


def _gateway_route(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        if record.facts(node, "routes", "rules") is None or not _pods_of(case, node):
            continue
        fib = case.network.fib(node.name)
        decision = fib.decide(POD_GATEWAY, iif=None) if fib else None
        if decision is not None and decision.unknown:
            record.inconclusive(node.name, node_subject(node), decision.unknown, "ip rule", "the route to %s" % POD_GATEWAY)
        elif decision is None or decision.route is None or decision.route.type != "unicast":
            record.failed(
                node.name, node_subject(node)._replace(prefix=POD_GATEWAY + "/32"), "a route that covers %s" % POD_GATEWAY, "none",
                "%s has no route that covers %s (a default route): it answers no pod's ARP for its gateway"
                % (node.name, POD_GATEWAY),
                node_evidence(node, "ip route get %s" % POD_GATEWAY, []), _restore_default(case, node),
            )  # fmt: skip
        else:
            record.passed(node.name)


def _restore_default(case: Case, node: Node) -> str:
    """By the router of another node in the same subnet, if one is known."""
    routers = sorted({
        route.gateway for other in case.snapshot.nodes if case.expectation.same_subnet(node, other)
        for route in case.routes(other).to("0.0.0.0/0") if route.gateway
    })  # fmt: skip
    router = routers[0] if len(routers) == 1 else "ROUTER"
    return "Nobody repairs it. Restore the node's default route: %s" % on_node(node, "ip", "route", "add", "default", "via", router)


CHECKS = (
    Check(
        "host.route", "Each pod has exactly one route on its host, to its own device",
        "This /32 is how a packet that reached the node reaches the pod; without it the block's blackhole takes it.",
        "Felix puts a deleted one back within about 100 s; a changed one after a restart of calico-node on that node.",
        _route, "critical", ("routes",),
    ),
    Check(
        "host.device", "Each pod's device on the host exists and is up",
        "The cali device is the host's end of the pod's cable; its name follows from namespace and pod.",
        "ip link set DEVICE up (Felix restores the route, not the link); delete the pod if the device is gone.",
        _device, "critical", ("pods",),
    ),
    Check(
        "host.stray", "No device or route of a pod that is gone",
        "A route to a dead device takes the traffic of the next pod that gets the address.",
        "Restart calico-node on the node; remove what stays.", _stray, aspects=("routes",),
    ),
    Check(
        "host.gateway-route", "The host has a route that covers 169.254.1.1",
        "Linux answers a pod's ARP by proxy only for addresses it could itself route elsewhere: the default route does that.",
        "Restore the node's default route.", _gateway_route, "critical", ("pods",),
    ),
)  # fmt: skip
