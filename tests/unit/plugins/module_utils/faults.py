# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults as edits of a recording: each leaves the state that the recordings of faults show (faults.md)."""

from __future__ import annotations

from ansible_collections.podnet.calico.plugins.module_utils import _names
from ansible_collections.podnet.calico.plugins.module_utils._model import Affinity, Allocation, BirdRoute, Route, Rule
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    changed_route,
    with_facts,
    with_pod,
)

WORKER, WORKER2, CONTROL = "pod-routing-worker", "pod-routing-worker2", "pod-routing-control-plane"
BLOCK, BLOCK2 = "192.168.93.192/26", "192.168.112.192/26"
VXLAN, NONE = "calico-v3.30.7/vxlan", "calico-v3.30.7/none"
POD = "multitool-1-knjt9"  # on the worker, 192.168.93.194
DEVICE = _names.pod_device("default", POD)


def with_link(snapshot, node, name, **fields):
    return with_facts(snapshot, node, links=lambda links: tuple(x._replace(**fields) if x.name == name else x for x in links))


def without_link(snapshot, node, name):
    return with_facts(
        snapshot, node,
        links=lambda links: tuple(x for x in links if x.name != name),
        routes=lambda routes: tuple(r for r in routes if r.dev != name),
        addresses=lambda rows: tuple(a for a in rows if a.dev != name),
        neighbours=lambda rows: tuple(x for x in rows if x.dev != name),
        fdb=lambda rows: tuple(x for x in rows if x.dev != name),
    )  # fmt: skip


def with_sysctl(snapshot, node, name, value):
    return with_facts(snapshot, node, sysctls=lambda old: dict(old, **{name: value}))


def with_route(snapshot, node, route):
    return with_facts(snapshot, node, routes=lambda routes: routes + (route,))


def with_block(snapshot, cidr, **fields):
    return snapshot._replace(blocks=tuple(b._replace(**fields) if b.cidr == cidr else b for b in snapshot.blocks))


def with_session(snapshot, node, peer, info):
    def change(bird):
        return bird._replace(sessions=tuple(s._replace(state="start", info=info) if s.peer == peer else s for s in bird.sessions))

    return with_facts(snapshot, node, bird=change)


def held_back(snapshot):
    route = BirdRoute(BLOCK, "172.18.0.3", "eth0", "Mesh_172_18_0_3", "!")
    bad = changed_route(snapshot, CONTROL, BLOCK, gateway="172.18.0.4", protocol="boot")
    return with_facts(bad, CONTROL, bird=lambda bird: bird._replace(routes=tuple(r for r in bird.routes if r.dst != BLOCK) + (route,)))


def policy_rule(snapshot):
    table = with_route(snapshot, WORKER, Route("192.168.0.0/16", gateway="172.18.0.1", dev="eth0", table="100"))
    return with_facts(table, WORKER, rules=lambda rules: rules + (Rule(100, "from all", "lookup 100"),))


def leaked_address(snapshot):
    block = next(b for b in snapshot.blocks if b.cidr == BLOCK)
    held = Allocation("192.168.93.250", "k8s-pod-network.gone", WORKER, "default", "gone")
    return with_block(snapshot, BLOCK, allocations=block.allocations + (held,))


def pod_elsewhere(snapshot):
    return with_pod(snapshot, POD, lambda p: p._replace(address="10.9.9.9", addresses=("10.9.9.9",), calico_address="10.9.9.9"))


def second_affinity(snapshot):
    return snapshot._replace(affinities=snapshot.affinities + (Affinity("x", BLOCK, WORKER2),))


def with_gateway(snapshot, states):
    def change(pod):
        rows = tuple(n._replace(mac=None, states=states) if n.address == "169.254.1.1" else n for n in pod.facts.neighbours)
        return pod._replace(facts=pod.facts._replace(neighbours=rows))

    return with_pod(snapshot, POD, change)


def with_pod_facts(snapshot, **fields):
    def change(pod):
        new = {key: value(getattr(pod.facts, key)) for key, value in fields.items()}
        return pod._replace(facts=pod.facts._replace(**new))

    return with_pod(snapshot, POD, change)
