# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operators that each make one thing wrong in the snapshot of a healthy cluster; the verdict must speak of it.

An operator gets a source of chance and a snapshot, and gives the node it is about (None: the cluster) and the mutant, or
None where the snapshot has nothing of the kind. It knows nothing of checks: what a check would overlook it must not leave out.
"""

from __future__ import annotations

import ipaddress
from random import Random
from typing import Callable, Dict, Iterator, Optional, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._model import (
    Affinity,
    Allocation,
    Pod,
    Route,
    Rule,
    Snapshot,
    Verdict,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    with_facts,
    with_node,
    with_pod,
)

Mutant = Optional[Tuple[Optional[str], Snapshot]]
Mutation = Callable[[Random, Snapshot], Mutant]
MUTATIONS: Dict[str, Mutation] = {}


def mutants(name: str, count: int) -> Iterator[Tuple[Plan, Optional[str], Snapshot]]:
    """``count`` clusters by chance, the same each time, that the operator could make something wrong in: plan, node, mutant."""
    chance = Random(name)
    while count:
        plan = Plan.random(chance)
        made = MUTATIONS[name](chance, plan.snapshot())
        if made is not None:
            count -= 1
            yield (plan, *made)


def speaks_of(verdict: Verdict, node: Optional[str]) -> bool:
    """Whether any finding is on the node, or names it."""
    return any(node is None or finding.node == node or node in finding.message for finding in verdict.findings)


def mutation(operator: Mutation) -> Mutation:
    MUTATIONS[operator.__name__.replace("_", "-")] = operator
    return operator


def _any(chance, items):
    return chance.choice(list(items) or [None])


def _inside(snapshot, dst):
    if ":" in dst:
        return False
    return any(ipaddress.ip_network(dst).subnet_of(ipaddress.ip_network(pool.cidr)) for pool in snapshot.pools)


def _routes(chance, snapshot, kind):
    """A node and one of its routes inside a pool: kind ``block`` (to another node), ``blackhole`` or ``pod``."""
    kinds = {
        "block": lambda route: route.gateway and not route.dst.endswith("/32"),
        "blackhole": lambda route: route.type == "blackhole",
        "pod": lambda route: (route.dev or "").startswith("cali"),
    }
    found = [
        (node.name, route)
        for node in snapshot.nodes
        for route in node.facts.routes
        if route.table == "main" and _inside(snapshot, route.dst) and kinds[kind](route)
    ]
    return _any(chance, found)


def _replace_route(snapshot, node, old, *new):
    return node, with_facts(snapshot, node, routes=lambda routes: tuple(r for r in routes if r != old) + new)


def _route_operator(name, kind, *change):
    """``change``: the route as it is to be, from the one that is; none is no route."""

    def operator(chance, snapshot):
        found = _routes(chance, snapshot, kind)
        if not found:
            return None
        new = [one(found[1]) for one in change]
        return None if None in new else _replace_route(snapshot, found[0], found[1], *new)

    operator.__name__ = name
    mutation(operator)


def _is_recursive(route):
    """Behind a router the next hop is the router's business: any may be right."""
    return route.protocol == "bird" and route.gateway.endswith(".0.1")


_route_operator("block_route_missing", "block")
_route_operator("block_route_gateway", "block", lambda r: None if _is_recursive(r) else r._replace(gateway="10.255.255.1"))
_route_operator("block_route_device", "block", lambda r: None if _is_recursive(r) else r._replace(dev="eth9"))
_route_operator("block_route_protocol", "block", lambda r: r._replace(protocol="static"))
_route_operator("block_route_unreachable", "block", lambda r: r._replace(type="unreachable", gateway=None, dev=None))
_route_operator("block_route_doubled", "block", lambda r: r, lambda r: r._replace(metric=r.metric + 5, gateway="172.18.0.77"))
_route_operator("blackhole_missing", "blackhole")
_route_operator("blackhole_unreachable", "blackhole", lambda r: r._replace(type="unreachable"))
_route_operator("pod_route_missing", "pod")
_route_operator("pod_route_device", "pod", lambda r: r._replace(dev="eth0"))
_route_operator("pod_route_gateway", "pod", lambda r: r._replace(gateway="172.18.0.77", dev="eth0", scope="global"))
_route_operator("pod_route_metric", "pod", lambda r: r._replace(metric=r.metric + 7))
_route_operator("pod_route_blackhole", "pod", lambda r: Route(r.dst, "blackhole"))


@mutation
def more_specific_route(chance, snapshot):
    found = _routes(chance, snapshot, "block")
    if not found:
        return None
    node, route = found
    half = str(next(ipaddress.ip_network(route.dst).subnets()))
    return node, with_facts(snapshot, node, routes=lambda routes: routes + (Route(half, gateway="172.18.0.77", dev="eth0"),))


@mutation
def rule_in_front(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    table = Route(snapshot.pools[0].cidr, gateway="172.18.0.1", dev="eth0", table="100")
    return node, with_facts(
        snapshot, node, routes=lambda routes: routes + (table,), rules=lambda rules: rules + (Rule(100, "from all", "lookup 100"),)
    )


@mutation
def rule_of_main_missing(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_facts(snapshot, node, rules=lambda rules: tuple(rule for rule in rules if rule.action != "lookup main"))


@mutation
def no_way_to_the_gateway(chance, snapshot):
    """Nothing covers 169.254.1.1, so that the kernel answers no pod's ARP."""
    node = _any(chance, sorted({pod.node for pod in snapshot.pods if _wired(pod)}))
    if node is None:
        return None
    return node, with_facts(snapshot, node, routes=lambda routes: tuple(route for route in routes if route.dst != "0.0.0.0/0"))


# -- devices and parameters -------------------------------------------------------------------------------------------


def _link_operator(name, wanted, change):
    """``change``: the link as it is to be, or None for none."""

    def operator(chance, snapshot):
        found = _any(chance, [(node.name, link) for node in snapshot.nodes for link in node.facts.links if wanted(link)])
        if found is None:
            return None
        node, link = found
        new = change(link)
        return node, with_facts(
            snapshot, node, links=lambda links: tuple(x for x in links if x != link) + ((new,) if new is not None else ())
        )

    operator.__name__ = name
    mutation(operator)


def _is_pods(link):
    return link.name.startswith("cali")


def _is_tunnel(link):
    return link.name == "vxlan.calico"


_link_operator("pod_device_missing", _is_pods, lambda link: None)
_link_operator("pod_device_down", _is_pods, lambda link: link._replace(admin_up=False, carrier=False))
_link_operator("pod_device_mtu", _is_pods, lambda link: link._replace(mtu=link.mtu - 100))
_link_operator("vxlan_missing", _is_tunnel, lambda link: None)
_link_operator("vxlan_down", _is_tunnel, lambda link: link._replace(admin_up=False))
_link_operator("vxlan_mac", _is_tunnel, lambda link: link._replace(mac="66:00:00:00:00:00"))
_link_operator("vxlan_vni", _is_tunnel, lambda link: link._replace(vxlan=link.vxlan._replace(vni=4097)))
_link_operator("vxlan_port", _is_tunnel, lambda link: link._replace(vxlan=link.vxlan._replace(port=8472)))
_link_operator("vxlan_local", _is_tunnel, lambda link: link._replace(vxlan=link.vxlan._replace(local="172.18.0.77")))


def _carries(key):
    """Whether packets of pods arrive at the switch's device."""
    return key.split(".", 3)[3].startswith(("cali", "eth0.", "vxlan.calico.", "tunl0."))


def _sysctl_operator(name, wanted, value):
    def operator(chance, snapshot):
        found = _any(chance, [(node.name, key) for node in snapshot.nodes for key in sorted(node.facts.sysctls) if wanted(key)])
        if found is None:
            return None
        return found[0], with_facts(snapshot, found[0], sysctls=lambda old: dict(old, **{found[1]: value}))

    operator.__name__ = name
    mutation(operator)


_sysctl_operator("ip_forward_off", lambda key: key == "net.ipv4.ip_forward", "0")
_sysctl_operator("proxy_arp_off", lambda key: ".cali" in key and key.endswith(".proxy_arp"), "0")
_sysctl_operator("forwarding_off", lambda key: key.startswith("net.ipv4.conf.") and key.endswith(".forwarding") and _carries(key), "0")


def _row_operator(name, field, wanted, change):
    """One row of a node's table altered, or gone where ``change`` gives None."""

    def operator(chance, snapshot):
        rows = [(node.name, row) for node in snapshot.nodes for row in getattr(node.facts, field) if wanted(row)]
        if not rows:
            return None
        node, row = chance.choice(rows)
        new = change(row)
        return node, with_facts(
            snapshot, node, **{field: lambda old: tuple(x for x in old if x != row) + ((new,) if new is not None else ())}
        )

    operator.__name__ = name
    mutation(operator)


def _is_vtep(row):
    return row.dev == "vxlan.calico" and "PERMANENT" in [state.upper() for state in row.states] and ":" not in getattr(row, "address", "")


_row_operator("vxlan_neighbour_missing", "neighbours", _is_vtep, lambda row: None)
_row_operator("vxlan_neighbour_mac", "neighbours", _is_vtep, lambda row: row._replace(mac="66:00:00:00:00:00"))
_row_operator("vxlan_fdb_missing", "fdb", _is_vtep, lambda row: None)
_row_operator("vxlan_fdb_address", "fdb", _is_vtep, lambda row: row._replace(dst="172.18.0.77"))
_row_operator("vxlan_address_missing", "addresses", lambda row: row.dev == "vxlan.calico" and row.family == "inet", lambda row: None)


# -- BGP and NAT ------------------------------------------------------------------------------------------------------


@mutation
def session_down(chance, snapshot):
    found = _any(chance, [(node.name, one) for node in snapshot.nodes for one in node.facts.bird.sessions])
    if found is None:
        return None
    node, session = found
    down = session._replace(state="start", info="Connect")
    return node, with_facts(
        snapshot, node,
        bird=lambda bird: bird._replace(sessions=tuple(down if one == session else one for one in bird.sessions)),
    )  # fmt: skip


@mutation
def session_missing(chance, snapshot):
    found = _any(chance, [(node.name, one) for node in snapshot.nodes for one in node.facts.bird.sessions])
    if found is None:
        return None
    node, session = found
    return node, with_facts(
        snapshot, node, bird=lambda bird: bird._replace(sessions=tuple(one for one in bird.sessions if one != session))
    )


@mutation
def bird_stopped(chance, snapshot):
    node = _any(chance, [node.name for node in snapshot.nodes if node.facts.bird and node.facts.bird.running])
    if node is None:
        return None
    return node, with_facts(
        snapshot, node, bird=lambda bird: bird._replace(running=False, message="Connection refused", sessions=(), routes=())
    )


@mutation
def pool_not_masqueraded(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_facts(snapshot, node, masquerade=lambda old: old._replace(masquerade_pools=()))


@mutation
def masquerade_rule_missing(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_facts(snapshot, node, masquerade=lambda old: old._replace(rule_present=False))


# -- objects ----------------------------------------------------------------------------------------------------------


def _with_block(snapshot, block, **fields):
    return snapshot._replace(blocks=tuple(block._replace(**fields) if b == block else b for b in snapshot.blocks))


@mutation
def affinity_missing(chance, snapshot):
    lost = _any(chance, snapshot.affinities)
    return None, snapshot._replace(affinities=tuple(one for one in snapshot.affinities if one != lost))


@mutation
def affinity_doubled(chance, snapshot):
    if len(snapshot.nodes) < 2:
        return None
    one = _any(chance, snapshot.affinities)
    other = _any(chance, [node.name for node in snapshot.nodes if node.name != one.node])
    return None, snapshot._replace(affinities=snapshot.affinities + (Affinity(other + "-x", one.cidr, other),))


@mutation
def block_of_another_node(chance, snapshot):
    block = _any(chance, snapshot.blocks)
    other = _any(chance, [node.name for node in snapshot.nodes if "host:" + node.name != block.affinity])
    return None if other is None else (None, _with_block(snapshot, block, affinity="host:" + other))


@mutation
def block_missing(chance, snapshot):
    lost = _any(chance, [block for block in snapshot.blocks if block.allocations])
    return None if lost is None else (None, snapshot._replace(blocks=tuple(one for one in snapshot.blocks if one != lost)))


@mutation
def block_of_no_node(chance, snapshot):
    block = _any(chance, snapshot.blocks)
    mutant = _with_block(snapshot, block, affinity="host:gone")
    affinities = tuple(one._replace(node="gone") if one.cidr == block.cidr else one for one in mutant.affinities)
    return None, mutant._replace(affinities=affinities)


def _held(chance, snapshot):
    return _any(chance, [(block, one) for block in snapshot.blocks for one in block.allocations if one.pod])


@mutation
def allocation_missing(chance, snapshot):
    found = _held(chance, snapshot)
    if found is None:
        return None
    block, lost = found
    return lost.node, _with_block(snapshot, block, allocations=tuple(one for one in block.allocations if one != lost))


@mutation
def allocation_without_pod(chance, snapshot):
    block = _any(chance, snapshot.blocks)
    held = {one.address for one in block.allocations}
    free = _any(chance, [str(address) for address in ipaddress.ip_network(block.cidr) if str(address) not in held])
    if free is None:
        return None
    leaked = Allocation(free, "k8s-pod-network.gone", (block.affinity or "host:").partition(":")[2], "default", "gone")
    return None, _with_block(snapshot, block, allocations=block.allocations + (leaked,))


@mutation
def allocation_of_another_pod(chance, snapshot):
    found = _held(chance, snapshot)
    if found is None:
        return None
    block, one = found
    renamed = tuple(x._replace(pod="somebody-else") if x == one else x for x in block.allocations)
    return one.node, _with_block(snapshot, block, allocations=renamed)


@mutation
def tunnel_address_not_announced(chance, snapshot):
    node = _any(chance, [node.name for node in snapshot.nodes if node.vxlan_tunnel_address])
    return None if node is None else (node, with_node(snapshot, node, lambda old: old._replace(vxlan_tunnel_address=None)))


@mutation
def node_address_of_nobody(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_node(snapshot, node, lambda old: old._replace(calico_address="172.18.0.77/16"))


@mutation
def node_not_ready(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_node(snapshot, node, lambda old: old._replace(ready=False, not_ready_reason="KubeletNotReady: no"))


@mutation
def calico_node_missing(chance, snapshot):
    node = _any(chance, snapshot.nodes).name
    return node, with_node(snapshot, node, lambda old: old._replace(calico_node_pod=None, calico_node_ready=None))


# -- inside a pod -----------------------------------------------------------------------------------------------------


def _wired(pod: Pod) -> bool:
    return bool(pod.node) and not pod.host_network and pod.facts is not None and bool(pod.facts.links)


def _pod_operator(name, change):
    """``change``: the pod as it is to be."""

    def operator(chance, snapshot):
        pod = _any(chance, [pod for pod in snapshot.pods if _wired(pod)])
        return None if pod is None else (pod.node, with_pod(snapshot, pod.name, change))

    operator.__name__ = name
    mutation(operator)


def _inner(**fields):
    """The pod with fields of its facts changed by functions."""
    return lambda pod: pod._replace(facts=pod.facts._replace(**{key: change(getattr(pod.facts, key)) for key, change in fields.items()}))


_ELSEWHERE = "198.51.100.9"
_pod_operator("pod_address_elsewhere", lambda pod: pod._replace(address=_ELSEWHERE, addresses=(_ELSEWHERE,), calico_address=_ELSEWHERE))
_pod_operator("pod_annotation_elsewhere", lambda pod: pod._replace(calico_address=_ELSEWHERE))
_pod_operator("pod_inner_address", _inner(addresses=lambda rows: tuple(
    row._replace(address=_ELSEWHERE) if row.dev == "eth0" and row.family == "inet" else row for row in rows)))
_pod_operator("pod_default_route_missing", _inner(routes=lambda rows: tuple(row for row in rows if row.dst != "0.0.0.0/0")))
_pod_operator("pod_default_route_gateway", _inner(routes=lambda rows: tuple(
    row._replace(gateway="10.0.0.1") if row.dst == "0.0.0.0/0" else row for row in rows)))
_pod_operator("pod_gateway_route_missing", _inner(routes=lambda rows: tuple(row for row in rows if row.dst != "169.254.1.1/32")))
_pod_operator("pod_inner_mtu", _inner(links=lambda rows: tuple(
    row._replace(mtu=row.mtu - 100) if row.name == "eth0" else row for row in rows)))
_pod_operator("pod_inner_device_down", _inner(links=lambda rows: tuple(
    row._replace(admin_up=False, carrier=False) if row.name == "eth0" else row for row in rows)))
_pod_operator("pod_extra_route", _inner(routes=lambda rows: rows + (Route("192.0.2.0/24", gateway="10.0.0.1", dev="eth0"),)))
