# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which walks end well without being walked (private).

A walk from a node is one decision there, and one where the pod is. On a tidy node the first needs no look: its rules are the
kernel's own, and whatever it has inside a pool is exactly what is expected, so what decides for a pod's address is the longest
expected route that holds it. A thousand nodes have a million pairs, and a healthy cluster has tidy nodes alone.

What is not proved here is walked as ever: this says yes too seldom, never too often.
"""

from __future__ import annotations

from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from .._expected import BORROWED, OWN, POD, REMOTE, address_of
from .._fib import DEFAULT_RULES
from .._model import Node, NodeFacts, Pod, Route
from .._names import VXLAN_DEVICE
from .._prefix import PrefixTable, prefix
from .._shape import ExpectedRoute
from .case import Case
from .towards import LIVE, unlike


class View(NamedTuple):
    """What nodes of one network and uplink share: by target what decides for it, and what all of them must have for that."""

    addresses: FrozenSet[str]  # of the targets
    decides: Dict[str, str]  # a target's address → the destination of the route
    routes: FrozenSet[str]  # all these destinations
    tunnelled: Tuple[ExpectedRoute, ...]  # the routes to them that go by vxlan.calico
    devices: FrozenSet[str]  # what the routes to them leave by
    ranges: FrozenSet[str]  # the destinations of every route that could have decided


class Tidy:
    """Answers for one case and the pods that are walked to, by node. ``arrived``: those that their own node delivers to.

    It is asked of nodes whose routes, rules and links were observed; other evidence that lacks makes it say less.
    """

    def __init__(self, case: Case, targets: Dict[str, List[Pod]], arrived: FrozenSet[str]) -> None:
        self.case = case
        self.targets = [pod for pods in targets.values() for pod in pods]
        self.arrived = arrived
        self._views: Dict[int, View] = {}

    def sure(self, node: Node, source: Pod) -> FrozenSet[str]:
        """The addresses of targets on other nodes that a packet of ``source``, on ``node``, reaches in two hops."""
        facts, routes, view = node.facts, self.case.routes(node), self._view(node)
        if facts is None or not self._is_plain(node, facts, view.devices) or not _leaves(source):
            return frozenset()
        if any(found for one in self.case.compared(node).values() for _expected, found, _wrong in one.others):
            return frozenset()
        local = self.case.expectation.local_routes_of(node)
        if any(unlike(found[0], one) for one in local[POD] for found in [routes.to(one.dst)] if found):
            return frozenset()
        if any(one.dst not in view.ranges for one in local[OWN]):
            return frozenset()
        is_explained = self.case.explained(node)
        for dst, found in self.case.unsettled(node).items():
            if self.case.in_pool(dst) and (not is_explained(dst) or found[0].flags not in LIVE):
                return frozenset()
        lacking = routes.lacks(view.routes)
        if view.tunnelled:
            misled = self.case.tunnels.misled(node, facts)
            lacking |= {one.dst for one in view.tunnelled if one.owner in misled}
        if not lacking:
            return view.addresses
        return frozenset(address for address, dst in view.decides.items() if dst not in lacking)

    def _is_plain(self, node: Node, facts: NodeFacts, devices: FrozenSet[str]) -> bool:
        """Whether nothing but the routes of the main table decides, and the node forwards, by devices that are up."""
        if not has_kernels_rules(facts) or facts.sysctls.get("net.ipv4.ip_forward") == "0":
            return False
        for device in devices:
            link = self.case.network.link(node.name, device)
            if link is None or not link.admin_up:
                return False
        fib = self.case.network.fib(node.name)
        return fib is not None and not any(map(self._takes, fib.besides_main()))

    def _takes(self, route: Route) -> bool:
        """Whether a route of another table could decide for a target's address."""
        if ":" in route.dst:
            return False
        if route.dst.endswith("/32"):
            return route.dst[:-3] in self.case.pods_by_address
        return any(prefix(route.dst).overlaps(pool) for pool in self.case.pool_prefixes)

    def _view(self, node: Node) -> View:
        routes = self.case.expectation.view_of(node)
        known = self._views.get(id(routes))
        if known is None:
            known = self._views[id(routes)] = self._see(routes)
        return known

    def _see(self, routes: Dict[str, List[ExpectedRoute]]) -> View:
        table: PrefixTable[ExpectedRoute] = PrefixTable()
        for one in (*routes[REMOTE], *routes[BORROWED]):
            table.add(one.dst, one)
        decides: Dict[str, ExpectedRoute] = {}
        for pod in self.targets:
            address = address_of(pod)
            route = table.longest(address)
            alone = len(self.case.pods_by_address.get(address, ())) == 1
            if alone and address in self.arrived and route is not None and route.owner == pod.node and self._leads(route):
                decides[address] = route
        tunnelled = tuple({one.dst: one for one in decides.values() if one.shapes[0].dev == VXLAN_DEVICE}.values())
        return View(
            frozenset(decides),
            {address: one.dst for address, one in decides.items()},
            frozenset(one.dst for one in decides.values()),
            tunnelled,
            frozenset(one.shapes[0].dev or "" for one in decides.values()),
            frozenset(one.dst for one in (*routes[REMOTE], *routes[BORROWED])),
        )

    def _leads(self, expected: ExpectedRoute) -> bool:
        """Whether a route of exactly that shape leads to its owner; of a tunnelled one, each node's entries say it."""
        shape = expected.shapes[0]
        if len(expected.shapes) > 1 or shape.free_gateway or shape.free_dev or not shape.gateway:
            return False
        end = self._underlay(expected.owner) if shape.dev == VXLAN_DEVICE else shape.gateway
        return end is not None and self.case.network.node_of(end) == expected.owner

    def _underlay(self, name: Optional[str]) -> Optional[str]:
        node = self.case.nodes.get(name or "")
        return self.case.expectation.host_address(node) if node else None


def has_kernels_rules(facts: NodeFacts) -> bool:
    """Whether no policy rule was added or taken away: then source and incoming device decide nothing."""
    return (facts.rules or DEFAULT_RULES) == DEFAULT_RULES


def _leaves(source: Pod) -> bool:
    """Whether every packet leaves the pod, as far as its routes were seen."""
    facts = source.facts
    return facts is None or not facts.routes or any(route.dst == "0.0.0.0/0" and route.flags in LIVE for route in facts.routes)
