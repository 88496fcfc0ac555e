# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables that are told by how they differ from another node's (private).

A thousand nodes have the same thousand routes, each without the one to itself and with those to its own pods. Equal routes of a
snapshot are one object, and the kernel lists them in one order: what two nodes have alike is passed over in steps of C's, and
nothing is filed for the second.
"""

from __future__ import annotations

from itertools import compress, count
from operator import is_not
from typing import Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .._model import Route
from .table import RouteTable, by_table

_FEWEST = 64  # routes: of fewer, filing is as quick
_MOST_APART = 64, 8  # so many, and one in so many: with more that is not alike, too
_BASES = 8  # as many sorts of nodes: of subnets, mostly
_MAIN = "main"


class Variant(RouteTable):
    """The table ``like``, without the destinations ``gone`` and with routes of its ``own`` to others that it does not have."""

    def __init__(self, like: RouteTable, own: Sequence[Route], gone: FrozenSet[str]) -> None:
        super().__init__(own)
        self.like = like
        self.apart = gone.union(self._first)
        self._gone = gone

    def __len__(self) -> int:
        return len(self.like) - len(self._gone) + len(self._first)

    def __contains__(self, dst: str) -> bool:
        return dst in (self._first if dst in self.apart else self.like)

    def __iter__(self) -> Iterator[str]:
        yield from (dst for dst in self.like if dst not in self._gone)
        yield from self._first

    def firsts(self, destinations: Iterable[str]) -> List[Optional[Route]]:
        return [found[0] if found else None for found in map(self.to, destinations)]

    def lacks(self, destinations: FrozenSet[str]) -> FrozenSet[str]:
        known = self.like.lacked
        if destinations not in known:
            known[destinations] = self.like.lacks(destinations)
        return known[destinations].union(self._gone & destinations).difference(self._first)

    def to(self, dst: str) -> List[Route]:
        return super().to(dst) if dst in self.apart else self.like.to(dst)

    def lengths(self) -> FrozenSet[int]:
        return self.like.lengths() | super().lengths()


class Split(NamedTuple):
    """A node's routes: those of table main, and what is listed before and behind them."""

    main: Sequence[Route]
    others: Sequence[Route]


def _split(routes: Sequence[Route]) -> Split:
    first, end = 0, len(routes)
    while first < end and routes[first].table != _MAIN:
        first += 1
    while first < end and routes[end - 1].table != _MAIN:
        end -= 1
    return Split(routes[first:end], [*routes[:first], *routes[end:]])


class Base:
    """The main table of a node, in its order."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.table = RouteTable(routes)
        self._places = {id(route): place for place, route in enumerate(routes)}
        self._most = _MOST_APART[0] + len(routes) // _MOST_APART[1]

    def variant(self, routes: Sequence[Route]) -> Optional[Variant]:
        """Those routes, if they are mostly the base's and to each destination there is one of the two."""
        apart = self._apart(routes)
        if apart is None or self.table.several:
            return None
        own, gone = apart[0], frozenset(route.dst for route in apart[1])
        if any(route.table != _MAIN or (route.dst in self.table and route.dst not in gone) for route in own):
            return None
        return Variant(self.table, own, gone)

    def _apart(self, routes: Sequence[Route]) -> Optional[Tuple[List[Route], List[Route]]]:
        """The routes that the base has not, and the base's that are not there; None where that is much, or the order another."""
        base = self.table.routes
        own: List[Route] = []
        gone: List[Route] = []
        at = passed = 0
        while at < len(routes):
            place = self._places.get(id(routes[at]))
            if place is None:
                own.append(routes[at])
                at += 1
            elif place < passed:
                return None
            else:
                gone.extend(base[passed:place])
                alike = _alike(routes[at:], base[place:])
                at, passed = at + alike, place + alike
            if len(own) + len(gone) > self._most:
                return None
        gone.extend(base[passed:])
        return (own, gone) if len(own) + len(gone) <= self._most else None


def _alike(some: Sequence[Route], others: Sequence[Route]) -> int:
    """With how many objects that are the same the two begin."""
    return next(compress(count(), map(is_not, some, others)), min(len(some), len(others)))


class Tables:
    """The tables of node after node."""

    def __init__(self) -> None:
        self._bases: List[Base] = []

    def of(self, routes: Sequence[Route]) -> Dict[str, RouteTable]:
        """By name, the tables that a node's routes are in."""
        main, others = _split(routes)
        if len(main) < _FEWEST:
            return by_table(routes)
        for base in self._bases:
            variant = base.variant(main)
            if variant is not None:
                return {**by_table(others), _MAIN: variant}
        tables = by_table(routes)
        if len(self._bases) < _BASES and len(tables[_MAIN].routes) == len(main):
            self._bases.append(Base(main))
            tables[_MAIN] = self._bases[-1].table
        return tables
