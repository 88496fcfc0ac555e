# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot → what the info modules return (private, pure). Sorted, so that two runs can be compared."""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils import _checks, _iproute, _names
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    FAILED,
    Block,
    Link,
    Node,
    NodeFacts,
    Path,
    Pod,
    PodFacts,
    Pool,
    Route,
    Snapshot,
)
from ansible_collections.podnet.calico.plugins.module_utils._objects import CONTROL_PLANE, WORKER, node_roles
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._topology import LabContainer


def pod_routes(snapshot: Snapshot) -> List[Dict[str, Any]]:
    """Every pod that was selected: its own view, and its host's view of it."""
    nodes = {node.name: node for node in snapshot.nodes}
    prefix = snapshot.header.settings.interface_prefix
    return [_pod(pod, nodes.get(pod.node or ""), prefix) for pod in snapshot.pods if pod.facts is not None]


def _pod(pod: Pod, node: Optional[Node], prefix: str) -> Dict[str, Any]:
    facts = pod.facts or PodFacts()
    link = _by_name(facts.links, _names.POD_DEVICE)
    gateways = [entry for entry in facts.neighbours if entry.address == _names.POD_GATEWAY]
    return {
        "namespace": pod.namespace,
        "name": pod.name,
        "node": pod.node,
        "owner": pod.owner,
        "address": pod.address,
        "interface": link.name if link else None,
        "mtu": link.mtu if link else None,
        "addresses": plain([entry for entry in facts.addresses if entry.dev == _names.POD_DEVICE]),
        "routes": plain(facts.routes),
        "gateway_neighbour": plain(gateways[0]) if gateways else None,
        "neighbours": plain(facts.neighbours),
        "host": _host_side(pod, node, prefix),
        "unobserved": plain(facts.unobserved),
    }


def _host_side(pod: Pod, node: Optional[Node], prefix: str) -> Dict[str, Any]:
    """The node's end of the pod's veth, and every route of the node to exactly this pod's address."""
    facts = (node.facts if node else None) or NodeFacts()
    device = _names.pod_device(pod.namespace, pod.name, prefix)
    link = _by_name(facts.links, device)
    return {
        "interface": device,
        "mtu": link.mtu if link else None,
        "up": link.admin_up if link else None,
        "observed": bool(node and node.facts and not _lacks(node.facts, "links") and not _lacks(node.facts, "routes")),
        "routes": plain([route for route in _main(facts.routes) if route.dst == "%s/32" % pod.address]),
    }


def _lacks(facts: NodeFacts, what: str) -> bool:
    return any(gap.what == what for gap in facts.unobserved)


def _by_name(links: Sequence[Link], name: str) -> Optional[Link]:
    return next((link for link in links if link.name == name), None)


def _main(routes: Sequence[Route]) -> List[Route]:
    return [route for route in routes if route.table == "main"]


def node_routes(snapshot: Snapshot) -> List[Dict[str, Any]]:
    """Every node that was selected, with all that was read on it."""
    return [_node(node) for node in snapshot.nodes if node.skipped is None]


def _node(node: Node) -> Dict[str, Any]:
    facts = node.facts or NodeFacts()
    view = plain(facts)
    view["routes"] = plain(_main(facts.routes))
    view["other_tables"] = plain([route for route in facts.routes if route.table != "main"])
    return dict(
        view,
        name=node.name,
        ready=node.ready,
        internal_ip=node.internal_ip,
        calico_address=node.calico_address,
        vxlan_tunnel_address=node.vxlan_tunnel_address,
        calico_node_pod=node.calico_node_pod,
    )


def topology(nodes: Sequence[Node], containers: Sequence[LabContainer] = ()) -> List[Dict[str, Any]]:
    """The nodes as `kubectl get nodes -o wide` shows them, with Calico's addresses beside Kubernetes'.

    kind's nodes have the names of their containers; ``container`` is None for a node that is none.
    """
    by_name = {container.name: container._asdict() for container in containers}
    return [
        {
            "name": node.name,
            "role": CONTROL_PLANE if CONTROL_PLANE in node_roles(node.labels) else WORKER,
            "ready": node.ready,
            "not_ready_reason": node.not_ready_reason,
            "internal_ip": node.internal_ip,
            "calico_address": node.calico_address,
            "vxlan_tunnel_address": node.vxlan_tunnel_address,
            "ipip_tunnel_address": node.ipip_tunnel_address,
            "kubelet_version": node.kubelet_version,
            "os": node.os,
            "container": by_name.get(node.name),
        }
        for node in nodes
    ]


def disagreements(nodes: Sequence[Node], containers: Sequence[LabContainer]) -> List[str]:
    """Where the cluster's nodes and the containers of the host are not the same thing, a sentence each."""
    by_name = {container.name: container for container in containers}
    found = ["%s is a node of the cluster and no container" % node.name for node in nodes if node.name not in by_name]
    for name in sorted(set(by_name) - {node.name for node in nodes}):
        found.append("%s is a container and no node of the cluster" % name)
    for node in nodes:
        container = by_name.get(node.name)
        if container and container.state != "running":
            found.append("the container of %s is %s" % (node.name, container.state or "in no state that is known"))
        elif container and node.internal_ip not in (container.ipv4, container.ipv6):
            wanted = container.ipv4 or container.ipv6 or "none"
            found.append("%s has the InternalIP %s, and its container the address %s" % (node.name, node.internal_ip, wanted))
    return found


def ipam(snapshot: Snapshot) -> Dict[str, Any]:
    """Pools, blocks and affinities with their use, by block and by node."""
    blocks = [block for block in snapshot.blocks if not block.deleted]
    by_node: Dict[str, List[str]] = {}
    for block in blocks:
        if block.owner:
            by_node.setdefault(block.owner, []).append(block.cidr)
    return {
        "pools": [_pool(pool, blocks) for pool in snapshot.pools],
        "blocks": [_block(block) for block in sorted(blocks, key=lambda block: _network(block.cidr))],
        "affinities": plain([entry for entry in snapshot.affinities if not entry.deleted]),
        "by_node": {node: sorted(cidrs, key=_network) for node, cidrs in sorted(by_node.items())},
    }


def _network(cidr: str) -> Any:
    network = ipaddress.ip_network(cidr, strict=False)
    return (network.version, network)


def _pool(pool: Pool, blocks: Sequence[Block]) -> Dict[str, Any]:
    network = ipaddress.ip_network(pool.cidr, strict=False)
    inside = [block for block in blocks if _inside(block.cidr, network)]
    return dict(plain(pool), blocks=len(inside), **_use(network.num_addresses, inside))


def _inside(cidr: str, pool: Any) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    return network.version == pool.version and network.subnet_of(pool)


def _block(block: Block) -> Dict[str, Any]:
    size = ipaddress.ip_network(block.cidr, strict=False).num_addresses
    return dict(plain(block), node=block.owner, **_use(size, [block]))


def _use(size: int, blocks: Sequence[Block]) -> Dict[str, int]:
    used = sum(len(block.allocations) for block in blocks)
    return {"addresses": size, "in_use": used, "free": size - used}


def contradictions(snapshot: Snapshot) -> List[str]:
    """What the checks of IPAM's own objects found, as sentences."""
    verdict = _checks.judge(snapshot, checks=["ipam.*"])
    return [finding.message for finding in verdict.findings if finding.outcome == FAILED]


def path_lines(path: Path) -> List[str]:
    """The path for a person: where, by which route, to whom; and how it ends."""
    lines = []
    for hop in path.hops:
        route = "no route seen" if hop.route is None else _iproute.route_text(hop.route)
        lines.append("%s %s: %s%s" % (hop.kind, hop.place, route, " -> %s" % hop.next if hop.next else ""))
    if path.outcome == "delivered":
        how = ", through a tunnel" if path.encapsulated else ""
        lines.append("delivered to %s with TTL %s%s" % (path.destination, path.ttl, how))
    else:
        lines.append("%s: %s" % (path.outcome, path.reason))
    return lines
