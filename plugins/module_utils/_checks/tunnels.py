# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of the VXLAN tunnels, held against what each node knows of them (private)."""

from __future__ import annotations

from itertools import compress
from operator import attrgetter
from typing import Any, Callable, Dict, FrozenSet, List, NamedTuple, Optional, Sequence, Tuple

from .._expected import Expectation
from .._model import FdbEntry, Neighbour, Node, NodeFacts
from .._names import VXLAN_DEVICE, vtep_mac
from .alike import Alike


class End(NamedTuple):
    """The end of the tunnels to ``node``: the device's address and MAC, and the address that packets to it are wrapped for."""

    node: Node
    address: str
    mac: str
    underlay: Optional[str]


def mac_of(node: Node) -> str:
    """The MAC of the node's vxlan.calico, as annotated, else as Felix makes it from the name."""
    return node.vxlan_tunnel_mac or vtep_mac(node.name)


def _of_the_tunnel(entries: Sequence[Any], key: Callable[[Any], str]) -> Dict[str, Any]:
    """The entries of the tunnel device by a key of theirs, without a step of Python's own for each."""
    its_own = list(compress(entries, map(VXLAN_DEVICE.__eq__, map(attrgetter("dev"), entries))))
    return dict(zip(map(key, its_own), its_own))


class Tunnels:
    """What every node must know of all the others' ends."""

    def __init__(self, expectation: Expectation) -> None:
        self.ends = [
            End(node, node.vxlan_tunnel_address, mac_of(node), expectation.host_address(node))
            for node in expectation.snapshot.nodes
            if node.vxlan_tunnel_address
        ]
        self._addresses, self._macs = [end.address for end in self.ends], [end.mac for end in self.ends]
        self._neighbours: Alike[End, Neighbour] = Alike(self.ends, lambda entry, end: entry is not None and entry.mac == end.mac)
        self._fdb: Alike[End, FdbEntry] = Alike(self.ends, lambda entry, end: entry is not None and entry.dst == end.underlay)
        self._misled: Dict[str, FrozenSet[str]] = {}

    def neighbours(self, node: Node, facts: NodeFacts) -> List[Tuple[End, Optional[Neighbour]]]:
        """The ends whose MAC the node does not know, or knows wrongly, each with the entry it has."""
        known = _of_the_tunnel(facts.neighbours, attrgetter("address"))
        found = list(map(known.get, self._addresses))
        return [(self.ends[at], found[at]) for at in self._neighbours.others(found) if self.ends[at].node is not node]

    def fdb(self, node: Node, facts: NodeFacts) -> List[Tuple[End, Optional[FdbEntry]]]:
        """The ends that the node does not know behind which address they are, or knows wrongly, each with the entry it has."""
        known = _of_the_tunnel(facts.fdb, attrgetter("mac"))
        found = list(map(known.get, self._macs))
        return [(self.ends[at], found[at]) for at in self._fdb.others(found) if self.ends[at].node is not node]

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
