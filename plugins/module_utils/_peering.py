# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who peers with whom by BGP (private, pure): the sessions that BIRD has on every node, as one graph.

Its ends are nodes, and the addresses of peers that are none. Which sessions there ought to be, beside the mesh's, is said by
BGPPeer objects alone, of which a snapshot has the names: a session that was never configured is not known here.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import Deque, Dict, FrozenSet, List, Optional

from ._expected import Expectation
from ._model import Bird

End = Optional[str]
Session = FrozenSet[End]


class Peering:
    """The sessions of one snapshot. One that either of its two ends calls Established stands."""

    def __init__(self, expectation: Expectation) -> None:
        self._nodes = expectation.nodes
        self._names: Dict[str, str] = {}
        # Calico's word first; a session outlives for seconds the annotation it was made from.
        for has in (expectation.host_address, lambda node: node.internal_ip):
            for node in self._nodes.values():
                address = has(node)
                if address:
                    self._names.setdefault(address, node.name)
        self._partings: Dict[str, Dict[str, Optional[Session]]] = {}

    def whose(self, address: str) -> Optional[str]:
        """The node that has the address."""
        return self._names.get(address)

    @cached_property
    def _speakers(self) -> Dict[str, Bird]:
        """What BIRD says of itself, by the nodes where it was heard."""
        heard = {node.name: node.facts.bird for node in self._nodes.values() if node.facts and node.facts.bird}
        return {name: bird for name, bird in heard.items() if bird.running}

    @cached_property
    def _stands(self) -> Dict[str, Dict[str, bool]]:
        """By end and peer, in both directions, whether the session stands."""
        found: Dict[str, Dict[str, bool]] = {}
        for name, bird in self._speakers.items():
            for session in bird.sessions:
                address = session.peer or session.name
                peer, stands = self.whose(address) or address, session.info.startswith("Established")
                for end, other in ((name, peer), (peer, name)):
                    peers = found.setdefault(end, {})
                    peers[other] = stands or peers.get(other, False)
        return found

    @cached_property
    def _standing(self) -> Dict[End, int]:
        return {end: sum(peers.values()) for end, peers in self._stands.items()}

    def speaks(self, end: End) -> bool:
        """Whether it is a node that tells of its sessions itself."""
        return end in self._speakers

    def hears_nobody(self, node: End) -> bool:
        """Whether the node itself calls none of its sessions Established; a peer's hold timer may not have run out yet."""
        bird = self._speakers.get(node or "")
        return bird is not None and not any(session.info.startswith("Established") for session in bird.sessions)

    def standing(self, end: End) -> int:
        """How many of its sessions stand."""
        return self._standing.get(end, 0)

    def _lost(self, end: End) -> int:
        return len(self._stands.get(end or "", ())) - self.standing(end)

    def to_blame(self, one: End, other: End) -> List[End]:
        """Of the ends of a lost session the one to which no session is left; of two such ends the one that lost more, or both.

        Where sessions stand at both, the client of a reflector that others reach. Else neither: nothing tells them apart.
        """
        ends = ((one, other), (other, one))
        alone = [end for end, peer in ends if not self.standing(end) and (self._lost(end) > 1 or self.standing(peer))]
        if not alone:
            return [end for end, peer in ends if self.standing(peer) and self._passes_on(peer) and not self._passes_on(end)]
        most = max(map(self._lost, alone))
        return [end for end in alone if self._lost(end) == most]

    def parting(self, node: str, other: str) -> Optional[Session]:
        """The lost session by which the node would hear of the other's blocks; None if such a way stands, or none was ever there.

        A way leads on by route reflectors and by routers that are no nodes: no other peer passes on what it heard (RFC 4456).
        A node without any session is an end of a session with nobody.
        """
        for end in (node, other):
            if self.speaks(end) and end not in self._stands:
                return frozenset((end, None))
        if node not in self._partings:
            self._partings[node] = self._from(node)
        return self._partings[node].get(other)

    def _from(self, start: str) -> Dict[str, Optional[Session]]:
        """Every end that is reached, by as few lost sessions as can be, and the first of these."""
        first: Dict[str, Optional[Session]] = {}
        edge: Deque = deque([(start, None)])
        while edge:
            end, parted = edge.popleft()
            if end in first:
                continue
            first[end] = parted
            if end != start and not self._passes_on(end):
                continue
            for peer, stands in self._stands.get(end, {}).items():
                if stands:
                    edge.appendleft((peer, parted))
                else:
                    edge.append((peer, parted or frozenset((end, peer))))
        return first

    def _passes_on(self, end: End) -> bool:
        node = self._nodes.get(end or "")
        return node is None or bool(node.route_reflector_cluster_id)
