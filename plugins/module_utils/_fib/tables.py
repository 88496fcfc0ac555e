# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forwarding decision of one node, from the routes and rules that were seen there (private, pure).

As the kernel does it: rules by priority; in the table a rule names, the longest prefix, and there the lowest metric;
``throw`` and a suppressed prefix go on to the next rule. A rule whose selector cannot be evaluated for a ping (uid,
user-defined marks on the packet are zero) makes the answer unknown rather than wrong.
"""

from __future__ import annotations

from itertools import chain
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from .._model import Address, NodeFacts, Route, Rule
from .._prefix import prefix
from .likeness import Tables
from .table import RouteTable

DEFAULT_RULES = (
    Rule(0, "from all", "lookup local"),
    Rule(32766, "from all", "lookup main"),
    Rule(32767, "from all", "lookup default"),
)
DROPS = ("blackhole", "unreachable", "prohibit")
_UNUSED = frozenset(("dead", "linkdown", "cache"))
_TABLES = {"255": "local", "254": "main", "253": "default"}


class Decision(NamedTuple):
    """What the node does with a packet: ``route`` None if there is none; ``unknown`` says why it cannot be told."""

    route: Optional[Route]
    rule: Optional[Rule] = None
    unknown: Optional[str] = None


class Fib:
    """The tables and rules of one node's network namespace; ``tables`` knows those of the nodes before it."""

    def __init__(self, facts: NodeFacts, tables: Optional[Tables] = None) -> None:
        self._tables = (tables or Tables()).of(facts.routes)
        if "local" not in self._tables:  # only the main table was asked for: the addresses say the same
            self._tables["local"] = RouteTable([_own(address) for address in facts.addresses])
        self.rules = tuple(sorted(facts.rules or DEFAULT_RULES, key=lambda rule: rule.priority))
        # With these alone the source and the incoming device of a packet decide nothing, so answers can be kept.
        self._plain = all(rule.selector == "from all" for rule in self.rules)
        self._known: Dict[str, Decision] = {}

    @property
    def main(self) -> RouteTable:
        """The main table, with the routes that the kernel does not use at present."""
        if "main" not in self._tables:
            self._tables["main"] = RouteTable(())
        return self._tables["main"]

    def besides_main(self) -> Iterator[Route]:
        """The routes of all other tables."""
        return chain.from_iterable(table.routes for name, table in self._tables.items() if name != "main")

    def decide(self, destination: str, source: Optional[str] = None, iif: Optional[str] = None) -> Decision:
        """The route for an unmarked ICMP packet."""
        if not self._plain:
            return self._decide(destination, source, iif)
        known = self._known.get(destination)
        if known is None:
            known = self._known[destination] = self._decide(destination, source, iif)
        return known

    def _decide(self, destination: str, source: Optional[str], iif: Optional[str]) -> Decision:
        skip_to = 0
        for rule in self.rules:
            if rule.priority < skip_to:
                continue
            matched = matches(rule, destination, source, iif)
            if matched is None:
                return Decision(None, rule, "whether rule %d (%s) matches cannot be told" % (rule.priority, rule.selector))
            if not matched:
                continue
            action = rule.action.split()
            if action[0] in DROPS:
                return Decision(Route(destination + ("/128" if ":" in destination else "/32"), action[0]), rule)
            if action[0] == "goto":
                skip_to = int(action[1])
            elif action[0] == "lookup":
                route = self._lookup(action, destination)
                if route is not None:
                    return Decision(route, rule)
        return Decision(None)

    def _lookup(self, action: List[str], destination: str) -> Optional[Route]:
        table = self._tables.get(_TABLES.get(action[1], action[1]))
        if table is None:
            return None
        suppressed = int(action[3]) if len(action) == 4 and action[2] == "suppress_prefixlength" else -1
        for length, routes in table.matches(destination):
            best = next((route for route in routes if not _UNUSED.intersection(route.flags)), None)
            if best is not None:
                return None if length <= suppressed or best.type == "throw" else best
        return None


def _own(address: Address) -> Route:
    """What the kernel has in table local for an address."""
    dst = "%s/%d" % (address.address, 128 if ":" in address.address else 32)
    return Route(dst, "local", dev=address.dev, table="local", scope="host")


def matches(rule: Rule, destination: str, source: Optional[str], iif: Optional[str]) -> Optional[bool]:
    """Whether the rule's selector fits an unmarked ICMP packet; None if that cannot be told."""
    words = rule.selector.split()
    negated = bool(words) and words[0] == "not"
    result: Optional[bool] = True
    position = 1 if negated else 0
    while position < len(words):
        key, value = words[position], words[position + 1] if position + 1 < len(words) else ""
        position += 2
        one = _selects(key, value, destination, source, iif)
        if one is False:
            result = False
            break
        if one is None:
            result = None
    if result is None:
        return None
    return result != negated


def _selects(key: str, value: str, destination: str, source: Optional[str], iif: Optional[str]) -> Optional[bool]:
    if key == "from":
        return True if value == "all" else None if source is None else prefix(value).covers(prefix(source))
    if key == "to":
        return value == "all" or prefix(value).covers(prefix(destination))
    if key == "fwmark":
        mark, _slash, mask = value.partition("/")
        return int(mark, 0) & int(mask or "0xffffffff", 0) == 0
    if key == "iif":
        return None if iif is None else value == iif
    if key == "oif":
        return False  # only packets that a local process bound to that device
    if key == "ipproto":
        return value in ("icmp", "1")
    if key in ("sport", "dport"):
        return False
    if key == "tos":
        return value in ("0", "0x0", "0x00")
    return None


def legs(route: Route) -> Tuple[Tuple[Optional[str], Optional[str]], ...]:
    """(gateway, device) of each leg: one, or all of a multipath route."""
    if route.nexthops:
        return tuple((leg.gateway, leg.dev) for leg in route.nexthops)
    return ((route.gateway, route.dev),)
