# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of the VXLAN tunnels, held against what each node knows of them (private)."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import Callable, Dict, FrozenSet, Generic, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from .._expected import Expectation
from .._model import FdbEntry, Neighbour, Node, NodeFacts
from .._names import VXLAN_DEVICE, vtep_mac
from .alike import Alike

Entry = TypeVar("Entry", Neighbour, FdbEntry)


class End(NamedTuple):
    """The end of the tunnels to ``node``: the device's address and MAC, and the address that packets to it are wrapped for."""

    node: Node
    address: str
    mac: str
    underlay: Optional[str]


def mac_of(node: Node) -> str:
    """The MAC of the node's vxlan.calico, as annotated, else as Felix makes it from the name."""
    return node.vxlan_tunnel_mac or vtep_mac(node.name)


class Known(Generic[Entry]):
    """What every node must know of all the others' ends, in one of its tables.

    ``key`` is what an entry is found by, in the table and, as ``keys``, of each end. Tables are collected in its order.
    """

    def __init__(self, ends: Sequence[End], keys: Sequence[str], key: str, fits: Callable[[Entry, End], bool]) -> None:
        self._keys, self._ends = zip(*sorted(zip(keys, ends), key=itemgetter(0))) if ends else ((), ())
        self._key = attrgetter(key)
        self._alike: Alike[End, Entry] = Alike(self._ends, lambda entry, end: entry is not None and fits(entry, end))
        self._own = {end.node.name: place for place, end in enumerate(self._ends)}
        self._wrong: Dict[str, List[Tuple[End, Optional[Entry]]]] = {}

    def wrong(self, node: Node, table: Sequence[Entry]) -> List[Tuple[End, Optional[Entry]]]:
        """The ends of which the node knows nothing, or something wrong, each with the entry it has."""
        if node.name not in self._wrong:
            self._wrong[node.name] = self._compared(node, table)
        return self._wrong[node.name]

    def _compared(self, node: Node, table: Sequence[Entry]) -> List[Tuple[End, Optional[Entry]]]:
        own, entries = self._own.get(node.name), _from_the_tunnels_on(table)
        if self._alike.is_all(entries, own):
            return []
        known = {self._key(entry): entry for entry in entries if entry.dev == VXLAN_DEVICE}
        found = [known.get(key) for key in self._keys]
        return [(self._ends[at], found[at]) for at in self._alike.others(found) if at != own]


def _from_the_tunnels_on(table: Sequence[Entry]) -> List[Entry]:
    """The table from the first to the last entry of the tunnel's device; those of others are few, and before or behind."""
    first, end = 0, len(table)
    while first < end and table[first].dev != VXLAN_DEVICE:
        first += 1
    while first < end and table[end - 1].dev != VXLAN_DEVICE:
        end -= 1
    return list(table[first:end])


class Tunnels:
    """What every node must know of all the others' ends."""

    def __init__(self, expectation: Expectation) -> None:
        self.ends = [
            End(node, node.vxlan_tunnel_address, mac_of(node), expectation.host_address(node))
            for node in expectation.snapshot.nodes
            if node.vxlan_tunnel_address
        ]
        addresses, macs = [end.address for end in self.ends], [end.mac for end in self.ends]
        self._neighbours: Known[Neighbour] = Known(self.ends, addresses, "address", lambda entry, end: entry.mac == end.mac)
        self._fdb: Known[FdbEntry] = Known(self.ends, macs, "mac", lambda entry, end: entry.dst == end.underlay)
        self._misled: Dict[str, FrozenSet[str]] = {}

    def neighbours(self, node: Node, facts: NodeFacts) -> List[Tuple[End, Optional[Neighbour]]]:
        """The ends whose MAC the node does not know, or knows wrongly, each with the entry it has."""
        return self._neighbours.wrong(node, facts.neighbours)

    def fdb(self, node: Node, facts: NodeFacts) -> List[Tuple[End, Optional[FdbEntry]]]:
        """The ends that the node does not know behind which address they are, or knows wrongly, each with the entry it has."""
        return self._fdb.wrong(node, facts.fdb)

    def others(self, node: Node) -> int:
        """How many ends the node must know."""
        return len(self.ends) - bool(node.vxlan_tunnel_address)

    def misled(self, node: Node, facts: NodeFacts) -> FrozenSet[str]:
        """The nodes that this one does not tunnel to rightly, or of which that was not seen."""
        known = self._misled.get(node.name)
        if known is None:
            if any(gap.what in ("neighbours", "fdb") for gap in facts.unobserved):
                ends = [end for end in self.ends if end.node is not node]
            else:
                ends = [end for end, _entry in (*self.neighbours(node, facts), *self.fdb(node, facts))]
            known = self._misled[node.name] = frozenset(end.node.name for end in ends)
        return known
