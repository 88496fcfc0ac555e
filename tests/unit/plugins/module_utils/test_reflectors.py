# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Without a mesh, routes come by route reflectors: what is lost with one session, or with a reflector, is one headline.

Clusters of BGP routes; each fault leaves what BGP leaves: a node has the blocks that a session still leads to, by a reflector
where it has none with their owner (RFC 4456). The end that waits for its peer says Passive, the other one tries (FINDINGS A13).
"""

from __future__ import annotations

import functools

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import BgpSession, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    with_facts,
    with_node,
    without_route,
)

NODES = [f"node-{number}" for number in range(8)]
ADDRESS = {name: f"172.18.0.{number + 2}" for number, name in enumerate(NODES)}
ROUTER = "10.0.0.1"
CLIENT, OTHER, THIRD = "node-2", "node-5", "node-6"
ONE, TWO = "node-3", "node-7"  # reflectors


class Cluster:
    """Nodes of one subnet, and who peers with whom: a set of pairs. A router that is no node has its address for a name."""

    def __init__(self, reflectors, sessions):
        self.reflectors, self.sessions = set(reflectors), {frozenset(pair) for pair in sessions}
        self.lost, self.stopped, self.gone, self.unread = set(), set(), set(), set()

    def without(self, *pairs):
        """Sessions that do not stand."""
        self.lost |= {frozenset(pair) for pair in pairs}
        return self

    def without_all_of(self, end):
        """None of the sessions of an end stands."""
        return self.without(*[pair for pair in self.sessions if end in pair])

    def stop_bird(self, *nodes):
        """BIRD does not run, and the node keeps the routes that it had."""
        self.stopped |= set(nodes)
        return functools.reduce(Cluster.without_all_of, nodes, self)

    def lose(self, *nodes):
        """The machine is gone."""
        self.gone |= set(nodes)
        return functools.reduce(Cluster.without_all_of, nodes, self)

    def not_read(self, *nodes):
        """The exec into calico-node was refused."""
        self.unread |= set(nodes)
        return self

    def heard_of(self, node):
        """Whose blocks are still announced to the node."""
        heard, edge = set(), {node}
        while edge:
            reached = {end for pair in self.sessions - self.lost if pair & edge for end in pair} - heard - {node}
            heard |= reached
            edge = {end for end in reached if end in self.reflectors or end == ROUTER}
        return heard

    def snapshot(self):
        """What is seen of it."""
        healthy = plain()
        settings = healthy.header.settings._replace(mesh_enabled=False, bgp_peers=("peers",))
        snapshot = healthy._replace(header=healthy.header._replace(settings=settings))
        blocks = {block.owner: block.cidr for block in snapshot.blocks}
        for node in NODES:
            snapshot = self.seen(snapshot, node)
            if node in self.stopped or node in self.gone:
                continue
            for other in set(NODES) - {node} - self.heard_of(node):
                snapshot = without_route(snapshot, node, blocks[other])
        return functools.reduce(machine_gone, self.gone, functools.reduce(not_read, self.unread, snapshot))

    def seen(self, snapshot, node):
        """BIRD's sessions on a node; whether it is a reflector."""
        sessions = tuple(self.session(node, end) for pair in sorted(map(sorted, self.sessions)) if node in pair for end in pair if end != node)
        if node in self.reflectors:
            snapshot = with_node(snapshot, node, lambda one: one._replace(route_reflector_cluster_id="244.0.0.1"))
        if node in self.stopped:
            return with_facts(snapshot, node, bird=lambda bird: bird._replace(running=False, message="Connection refused", sessions=(), routes=()))
        return with_facts(snapshot, node, bird=lambda bird: bird._replace(sessions=sessions))

    def session(self, node, peer):
        """A node waits for the peer whose address is the higher one, as text."""
        address = ADDRESS.get(peer, peer)
        name = "%s_%s" % ("Node" if peer in ADDRESS else "Global", address.replace(".", "_"))
        if frozenset((node, peer)) not in self.lost:
            return BgpSession(name, address, "up", "Established")
        return BgpSession(name, address, "start", "Passive" if peer in ADDRESS and address > ADDRESS[node] else "Connect")


@functools.lru_cache(maxsize=None)
def plain():
    """Eight nodes of one subnet without encapsulation, two pods on each."""
    return Plan("None", [0] * len(NODES), [2] * len(NODES), "v3.30.7", False, 26, 0).snapshot()


def machine_gone(snapshot, node):
    """Its kubelet is silent and nothing can be read there."""
    return with_node(
        snapshot, node, lambda one: one._replace(ready=False, not_ready_reason="NodeStatusUnknown", calico_node_ready=False, facts=None)
    )


def not_read(snapshot, node):
    """Nothing is known of its BIRD."""
    return with_facts(snapshot, node, bird=lambda bird: None, unobserved=(Unobserved("bird", "birdcl", "exec refused"),))


def one_reflector():
    """All peer with it, and it with all."""
    return Cluster([ONE], [(ONE, node) for node in NODES if node != ONE])


def two_reflectors():
    """Each client peers with both, and they with each other."""
    clients = [(reflector, node) for reflector in (ONE, TWO) for node in NODES if node not in (ONE, TWO)]
    return Cluster([ONE, TWO], [*clients, (ONE, TWO)])


def a_reflector_each():
    """Two racks, each with its reflector."""
    racks = {ONE: NODES[:3], TWO: NODES[4:7]}
    return Cluster([ONE, TWO], [*[(reflector, node) for reflector, rack in racks.items() for node in rack], (ONE, TWO)])


def a_router():
    """All peer with a router outside of the cluster."""
    return Cluster([], [(ROUTER, node) for node in NODES])


def headlines(cluster):
    """What a person reads: check and node."""
    return sorted((finding.id, finding.node) for finding in judge(cluster.snapshot()).findings if finding.cause is None)


@pytest.mark.parametrize("shape", [one_reflector, two_reflectors, a_reflector_each, a_router])
def test_a_healthy_cluster_has_no_finding(shape):
    assert headlines(shape()) == []


# a cluster and what is wrong with it · check and node of the headline · how many findings follow from it at least
CAUSES = {
    "a client of one": (lambda: one_reflector().without((CLIENT, ONE)), ("bgp.sessions", CLIENT), 15),
    "a client after the reflector by name": (lambda: one_reflector().without((THIRD, ONE)), ("bgp.sessions", THIRD), 15),
    "a client of two": (lambda: two_reflectors().without_all_of(CLIENT), ("bgp.sessions", CLIENT), 15),
    "one of two sessions": (lambda: two_reflectors().without((CLIENT, ONE)), ("bgp.sessions", CLIENT), 1),
    "one of two sessions, after the reflector by name": (
        lambda: two_reflectors().without((OTHER, ONE)), ("bgp.sessions", OTHER), 1
    ),
    "all sessions of the only reflector": (lambda: one_reflector().without_all_of(ONE), ("bgp.sessions", ONE), 60),
    "all sessions of one of two": (lambda: two_reflectors().without_all_of(ONE), ("bgp.sessions", ONE), 13),
    "BIRD of the only reflector": (lambda: one_reflector().stop_bird(ONE), ("bgp.running", ONE), 50),
    "BIRD of one of two": (lambda: two_reflectors().stop_bird(TWO), ("bgp.running", TWO), 7),
    "BIRD of a client": (lambda: two_reflectors().stop_bird(CLIENT), ("bgp.running", CLIENT), 9),
    "the machine of the only reflector": (lambda: one_reflector().lose(ONE), ("nodes.ready", ONE), 50),
    "the machine of one of two": (lambda: two_reflectors().lose(TWO), ("nodes.ready", TWO), 7),
    "the machine of a client": (lambda: two_reflectors().lose(CLIENT), ("nodes.ready", CLIENT), 9),
    "between two racks": (lambda: a_reflector_each().without((ONE, TWO)), ("bgp.sessions", ONE), 30),
    "a client of a rack": (lambda: a_reflector_each().without((OTHER, TWO)), ("bgp.sessions", OTHER), 15),
    "the reflector of a rack": (lambda: a_reflector_each().stop_bird(TWO), ("bgp.running", TWO), 30),
    "a router": (lambda: a_router().without_all_of(ROUTER), ("bgp.sessions", NODES[0]), 60),
    "a client of a router": (lambda: a_router().without((CLIENT, ROUTER)), ("bgp.sessions", CLIENT), 14),
    "BIRD of a client of a router": (lambda: a_router().stop_bird(CLIENT), ("bgp.running", CLIENT), 7),
    "the machine of a client of a router": (lambda: a_router().lose(CLIENT), ("nodes.ready", CLIENT), 7),
}  # fmt: skip


@pytest.mark.parametrize("name", CAUSES)
def test_what_goes_wrong_in_one_place_is_one_headline(name):
    cluster, headline, least = CAUSES[name]
    found = [finding for finding in judge(cluster().snapshot()).findings if finding.cause is None]
    assert [(finding.id, finding.node) for finding in found] == [headline]
    assert len(found[0].consequences) >= least


def without_block(snapshot, node, other):
    """A route that is missing for a reason of its own."""
    return without_route(snapshot, node, next(block.cidr for block in snapshot.blocks if block.owner == other))


# a cluster and what is wrong with it · node and owner of a route that is missing beside · the headlines' nodes
BESIDE = {
    "a reflector is left": (lambda: two_reflectors().without((CLIENT, ONE)), (CLIENT, OTHER)),
    "another client's session": (lambda: one_reflector().without((CLIENT, ONE)), (THIRD, OTHER)),
    "the reflector's own block": (lambda: one_reflector().without((CLIENT, ONE)), (THIRD, ONE)),
    "within a rack": (lambda: a_reflector_each().without((ONE, TWO)), (OTHER, THIRD)),
    "BIRD of another client": (lambda: two_reflectors().stop_bird(CLIENT), (THIRD, OTHER)),
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_route_that_a_standing_way_should_have_brought_is_not_explained_by_another_session(name):
    cluster, (node, owner) = BESIDE[name]
    found = [finding for finding in judge(without_block(cluster().snapshot(), node, owner)).findings if finding.cause is None]
    assert len(found) == 2
    assert [(finding.node, finding.subject.name) for finding in found if finding.id == "blocks.remote-route"] == [(node, owner)]


TWO_CAUSES = {
    "two clients": (lambda: one_reflector().without((CLIENT, ONE), (OTHER, ONE)), [("bgp.sessions", CLIENT), ("bgp.sessions", OTHER)]),
    "both reflectors": (
        lambda: two_reflectors().without_all_of(ONE).without_all_of(TWO), [("bgp.sessions", ONE), ("bgp.sessions", TWO)]
    ),
    "BIRD of both": (lambda: two_reflectors().stop_bird(ONE, TWO), [("bgp.running", ONE), ("bgp.running", TWO)]),
    "BIRD of a client, and a session": (
        lambda: two_reflectors().stop_bird(CLIENT).without((OTHER, ONE)), [("bgp.running", CLIENT), ("bgp.sessions", OTHER)]
    ),
    "a reflector that is silent and was not read": (
        lambda: one_reflector().without_all_of(ONE).not_read(ONE), [("bgp.sessions", NODES[0]), ("nodes.observed", ONE)]
    ),
    "a client that is silent and was not read": (
        lambda: two_reflectors().without_all_of(CLIENT).not_read(CLIENT), [("bgp.sessions", ONE), ("nodes.observed", CLIENT)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TWO_CAUSES)
def test_what_goes_wrong_in_two_places_is_two_headlines(name):
    cluster, expected = TWO_CAUSES[name]
    assert headlines(cluster()) == sorted(expected)


def test_a_node_that_peers_with_nobody_is_one_headline_that_leads_to_its_peers():
    cluster = Cluster([ONE], [(ONE, node) for node in NODES if node not in (ONE, CLIENT)])
    (finding,) = [finding for finding in judge(cluster.snapshot()).findings if finding.cause is None]
    assert (finding.id, finding.node, finding.actual) == ("bgp.sessions", CLIENT, "none")
    assert "BGPPeer" in finding.remedy and len(finding.consequences) >= 14


def test_where_no_route_needs_it_a_node_may_peer_with_nobody():
    felix = Plan("VXLAN", [0] * 3, [1] * 3, "v3.30.7", False, 26, 0).snapshot()
    alone = with_facts(felix, "node-1", bird=lambda bird: bird._replace(sessions=()))
    settings = alone.header.settings._replace(mesh_enabled=False)
    assert judge(alone._replace(header=alone.header._replace(settings=settings))).findings == ()


def test_the_end_that_waits_is_named_as_such():
    (finding,) = [finding for finding in judge(one_reflector().without((CLIENT, ONE)).snapshot()).findings if finding.cause is None]
    assert finding.message.startswith(f"{CLIENT}: the BGP session to {ONE} ({ADDRESS[ONE]}) is start Passive")
