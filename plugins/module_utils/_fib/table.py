# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One routing table, found by destination and by longest prefix (private).

Filed under the destination's text, for the kernel prints a prefix in one way only. A thousand nodes have a million routes: a table is
made without a look at each of them.
"""

from __future__ import annotations

import socket
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Dict, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Tuple

from .._model import Route
from .._prefix import prefix

_destination, _table, _metric = attrgetter("dst"), attrgetter("table"), attrgetter("metric")
#: The end of a prefix, in which its length is: `/26`, `/128`.
_END = itemgetter(slice(-4, None))


class RouteTable:
    """The routes of a table; of several to one destination the one in effect, which has the lowest metric, is the first."""

    #: The table that this one is told by, if it is, and the destinations in which the two differ: ``routes`` are then to these alone.
    like: Optional["RouteTable"] = None
    apart: FrozenSet[str] = frozenset()

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = routes
        self._first: Dict[str, Route] = dict(zip(map(_destination, routes), routes))
        #: What has more than one route.
        self.several: Dict[str, List[Route]] = {}
        if len(self._first) < len(routes):
            found: Dict[str, List[Route]] = {}
            for route in routes:
                found.setdefault(route.dst, []).append(route)
            self.several = {dst: sorted(those, key=_metric) for dst, those in found.items() if len(those) > 1}
            self._first.update((dst, those[0]) for dst, those in self.several.items())
        self._lengths: Optional[FrozenSet[int]] = None
        #: Answers of ``lacks``, kept for the tables that are told by this one: all are asked for the same destinations.
        self.lacked: Dict[FrozenSet[str], FrozenSet[str]] = {}

    def __len__(self) -> int:
        """How many destinations it has."""
        return len(self._first)

    def __contains__(self, dst: str) -> bool:
        return dst in self._first

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def firsts(self, destinations: Iterable[str]) -> List[Optional[Route]]:
        """To each destination the route in effect, or None."""
        return list(map(self._first.get, destinations))

    def lacks(self, destinations: FrozenSet[str]) -> FrozenSet[str]:
        """Those that no route is to."""
        return destinations.difference(self._first)

    def to(self, dst: str) -> List[Route]:
        """Every route to exactly that destination."""
        if dst in self.several:
            return self.several[dst]
        return [self._first[dst]] if dst in self._first else []

    def matches(self, address: str) -> Iterator[Tuple[int, List[Route]]]:
        """(prefix length, routes) for each destination that holds ``address``, longest first."""
        bits, value, own_length = prefix(address)
        family, size = (socket.AF_INET6, 16) if bits == 128 else (socket.AF_INET, 4)
        for length in self._up_to(own_length):
            shift = bits - length
            network = socket.inet_ntop(family, (value >> shift << shift).to_bytes(size, "big"))
            found = self.to("%s/%d" % (network, length))
            if found:
                yield length, found

    def _up_to(self, longest: int) -> Iterator[int]:
        """That length, then the shorter ones there are, the longest first."""
        yield longest  # most that is asked for has a route of its own: the other lengths take a look at every route
        yield from sorted((length for length in self.lengths() if length < longest), reverse=True)

    def lengths(self) -> FrozenSet[int]:
        """The prefix lengths there are."""
        if self._lengths is None:
            ends = set(map(_END, self._first))
            self._lengths = frozenset(int(end.rpartition("/")[2]) for end in ends)
        return self._lengths


def by_table(routes: Sequence[Route]) -> Dict[str, RouteTable]:
    """The tables that the routes are in, by name."""
    found: Dict[str, List[Route]] = {}
    for name, run in groupby(routes, _table):
        found.setdefault(name, []).extend(run)
    return {name: RouteTable(those) for name, those in found.items()}
