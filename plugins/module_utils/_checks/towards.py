# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes towards other nodes, held against what each node has (private)."""

from __future__ import annotations

from itertools import compress, repeat
from operator import is_not, not_
from typing import Dict, List, NamedTuple, Optional, Set, Tuple

from .._fib import RouteTable
from .._model import Route
from .._shape import ExpectedRoute, differences
from .alike import Alike

LIVE = ((), ("onlink",))  # of other flags (dead, linkdown) the kernel uses no such route


class Compared(NamedTuple):
    """The expected routes of a role on a node: how many are there as expected, and the others with what is there and wrong.

    A route that is not there and need not be is neither.
    """

    right: int
    others: List[Tuple[ExpectedRoute, List[Route], List[str]]]


def unlike(route: Route, expected: ExpectedRoute) -> List[str]:
    """The differences to the nearest of the forms that the route may have."""
    return min((differences(route, shape) for shape in expected.shapes), key=len)


def compare(table: RouteTable, expected: List[ExpectedRoute]) -> Compared:
    """The expected routes, one by one."""
    right = 0
    others: List[Tuple[ExpectedRoute, List[Route], List[str]]] = []
    for one in expected:
        found = table.to(one.dst)
        wrong = unlike(found[0], one) if found else []
        if wrong or (one.required and not found):
            others.append((one, found, wrong))
        elif found:
            right += 1
    return Compared(right, others)


class Towards:
    """What all nodes of a view must or may have towards every node."""

    def __init__(self, view: Dict[str, List[ExpectedRoute]], interface_prefix: str) -> None:
        self._interface_prefix = interface_prefix
        #: Routes that were seen, are right and in use: nothing else is to be said of them on a node that has no second to there.
        self._settled: Set[int] = set()
        self._roles = {role: (Alike(routes, self._fits), [one.dst for one in routes]) for role, routes in view.items()}
        self._places: Dict[str, Dict[str, List[int]]] = {role: {} for role in view}
        #: Of tables that others are told by: by role, what is not as expected and how many routes there are; what is not settled.
        self._differing: Dict[Tuple[str, RouteTable], Tuple[Set[int], int]] = {}
        self._unknown: Dict[RouteTable, Set[str]] = {}
        self._own_places: Dict[Tuple[str, Optional[str]], List[int]] = {}  # of the routes of a role those to a node itself
        self._owners: Dict[str, Set[Optional[str]]] = {}
        self._own: Dict[Optional[str], Set[str]] = {}
        for role, routes in view.items():
            for place, one in enumerate(routes):
                self._places[role].setdefault(one.dst, []).append(place)
                self._own_places.setdefault((role, one.owner), []).append(place)
                self._owners.setdefault(one.dst, set()).add(one.owner)
                self._own.setdefault(one.owner, set()).add(one.dst)

    def _fits(self, route: Optional[Route], expected: ExpectedRoute) -> bool:
        if route is None:
            return not expected.required
        if unlike(route, expected):
            return False
        if route.flags in LIVE and not (route.dev or "").startswith(self._interface_prefix):
            self._settled.add(id(route))
        return True

    def compared(self, node: str, table: RouteTable) -> Dict[str, Compared]:
        """By role, how the node's table stands against what it must or may have towards the others."""
        found = {}
        for role, (alike, destinations) in self._roles.items():
            odd, there = self._differs(role, table)
            own = self._own_places.get((role, node), [])
            elsewhere = [alike.expected[place] for place in sorted(odd) if place not in own]
            right = there - sum(1 for place in {*odd, *own} if destinations[place] in table)
            found[role] = Compared(right, compare(table, elsewhere).others)
        return found

    def _differs(self, role: str, table: RouteTable) -> Tuple[Set[int], int]:
        """The places of a role in which the table is not as expected, and how many of its destinations there is a route to."""
        alike, destinations = self._roles[role]
        if table.like is None:
            observed = table.firsts(destinations)
            return set(alike.others(observed)), sum(map(is_not, observed, repeat(None)))
        if (role, table.like) not in self._differing:
            self._differing[role, table.like] = self._differs(role, table.like)
        odd, there = self._differing[role, table.like]
        apart = [place for dst in table.apart for place in self._places[role].get(dst, ())]
        routes = table.firsts([destinations[place] for place in apart])
        wrong = {place for place, route in zip(apart, routes) if not self._fits(route, alike.expected[place])}
        more = sum(route is not None for route in routes) - sum(destinations[place] in table.like for place in apart)
        return odd.difference(apart) | wrong, there + more

    def explains(self, node: str, dst: str) -> bool:
        """Whether the node must or may have a route to there, towards another node."""
        owners = self._owners.get(dst)
        return owners is not None and owners != {node}

    def unsettled(self, node: str, table: RouteTable) -> Dict[str, List[Route]]:
        """By destination, what the node has besides single routes that are right. The node has been compared before."""
        odd = self._unsettled(table)
        if table.like is not None:
            if table.like not in self._unknown:
                self._unknown[table.like] = self._unsettled(table.like)
            odd |= self._unknown[table.like].difference(table.apart)
        odd.update(table.several, (dst for dst in self._own.get(node, ()) if dst in table))
        return {dst: table.to(dst) for dst in odd}

    def _unsettled(self, table: RouteTable) -> Set[str]:
        """Where the table's routes lead that are not known to be right."""
        unknown = map(not_, map(self._settled.__contains__, map(id, table.routes)))
        return {route.dst for route in compress(table.routes, unknown)}
