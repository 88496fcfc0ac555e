# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of a cluster as an inventory tells of them (private): few lists → Snapshot → plain mappings, ready for a cache.

What could not be listed is None wherever it would have been told of, and named in ``unobserved``: an empty list is only what
was seen to be empty.
"""

from __future__ import annotations

import ipaddress
import time
from typing import Any, Dict, List, Optional, Set, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _lists, _settings
from ansible_collections.podnet.calico.plugins.module_utils._checks.intent import encapsulation_of
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster
from ansible_collections.podnet.calico.plugins.module_utils._collect import API, SCHEMA_VERSION
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import Header, Node, Pool, Snapshot
from ansible_collections.podnet.calico.plugins.module_utils._names import vtep_mac
from ansible_collections.podnet.calico.plugins.module_utils._objects import CALICO_NODE_LABEL, node_roles
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.plugins.module_utils._prefix import prefix

#: What is listed, by plural; of the pods, those of calico-node alone.
_LISTED = frozenset("nodes pods ippools ipamblocks blockaffinities bgpconfigurations clusterinformations".split())
_TOPOLOGY = "topology.kubernetes.io/"


def observe(cluster: Cluster) -> Snapshot:
    """What an inventory needs of a cluster, and no more: no workload's pods, no handles, no exec."""
    group, version = _lists.ask(cluster, (_lists.calico_group, lambda asked: asked.get("/version")))
    kinds = [kind for kind in _lists.kinds_of(group) if kind.plural in _LISTED]
    doors = "k8s-app=" + CALICO_NODE_LABEL
    objects, missing = _lists.read(cluster, [kind._replace(selector=doors) if kind.plural == "pods" else kind for kind in kinds])
    header = Header(
        schema_version=SCHEMA_VERSION,
        collected_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        cluster_id=_settings.cluster_id(objects),
        server=cluster.server,
        calico_version=_settings.calico_version(objects),
        kubernetes_version=version.get("gitVersion"),
        api_group=group,
        evidence=(API,),
        settings=_settings.settings(objects),
        unobserved=tuple(missing),
    )
    return Snapshot(
        header,
        nodes=tuple(objects["nodes"]),
        pools=tuple(sorted(objects["ippools"])),
        blocks=tuple(objects["ipamblocks"]),
        affinities=tuple(objects["blockaffinities"]),
    )


def inventory(snapshot: Snapshot) -> Dict[str, Any]:
    """``cluster``: what is true of all nodes; ``nodes``: by name, what is true of each.

    Raises PodnetError where the nodes themselves were not seen: an inventory without them would be a lie.
    """
    header = snapshot.header
    gaps = {gap.what: gap for gap in header.unobserved if gap.what in _LISTED}
    if "nodes" in gaps:
        raise PodnetError("The nodes of %s were not seen (%s)" % (header.server or "the cluster", gaps["nodes"].reason))
    view = _View(snapshot, set(gaps))
    cluster = {name: getattr(header, name) for name in ("server", "cluster_id", "calico_version", "kubernetes_version", "api_group")}
    cluster.update(
        collected_at=header.collected_at,
        as_number=view.as_number,
        pools=None if "ippools" in gaps else [_pool(pool) for pool in snapshot.pools],
        unobserved=plain(list(gaps.values())),
    )
    return {"cluster": cluster, "nodes": {node.name: view.node(node) for node in snapshot.nodes}}


class _View:
    """A snapshot's nodes, ``gaps`` being the lists that are missing in it."""

    def __init__(self, snapshot: Snapshot, gaps: Set[str]) -> None:
        self.gaps = gaps
        self.pools = snapshot.pools
        self.as_number = None if "bgpconfigurations" in gaps else snapshot.header.settings.as_number
        self.blocks = _blocks(snapshot, gaps)

    def node(self, node: Node) -> Dict[str, Any]:
        """All that is told of one node; addresses as Calico announces them, ``calico_address`` with its mask."""
        blocks = None if self.blocks is None else self.blocks.get(node.name, [])
        pools = None if blocks is None or "ippools" in self.gaps else [pool for pool in self.pools if _holds_any(pool, blocks)]
        return {
            "name": node.name,
            "internal_ip": node.internal_ip,
            "calico_address": node.calico_address,
            "subnet": _subnet(node.calico_address),
            "vxlan_tunnel_address": node.vxlan_tunnel_address,
            "vxlan_tunnel_mac": node.vxlan_tunnel_mac or (vtep_mac(node.name) if node.vxlan_tunnel_address else None),
            "ipip_tunnel_address": node.ipip_tunnel_address,
            "wireguard_address": node.wireguard_address,
            "as_number": node.as_number or self.as_number,
            "route_reflector_cluster_id": node.route_reflector_cluster_id,
            "blocks": blocks,
            "pools": None if pools is None else [pool.name for pool in pools],
            "encapsulations": None if pools is None else sorted({encapsulation_of(pool) for pool in pools}),
            "ready": node.ready,
            "not_ready_reason": node.not_ready_reason,
            "roles": node_roles(node.labels),
            "zone": node.labels.get(_TOPOLOGY + "zone"),
            "region": node.labels.get(_TOPOLOGY + "region"),
            "os": node.os,
            "kubelet_version": node.kubelet_version,
            "calico_node_pod": node.calico_node_pod,
            "calico_node_ready": node.calico_node_ready,
            "labels": dict(node.labels),
        }


def _blocks(snapshot: Snapshot, gaps: Set[str]) -> Optional[Dict[str, List[str]]]:
    """The blocks of each node, by address: as the blocks say, and as the affinities do where blocks were not seen.

    The aggregated API of projectcalico.org/v3 serves affinities and no blocks.
    """
    if "ipamblocks" not in gaps:
        owned = [(block.owner, block.cidr) for block in snapshot.blocks if block.owner and not block.deleted]
    elif "blockaffinities" not in gaps:
        sure = [entry for entry in snapshot.affinities if entry.type == "host" and entry.state == "confirmed" and not entry.deleted]
        owned = [(entry.node, entry.cidr) for entry in sure]
    else:
        return None
    found: Dict[str, List[str]] = {}
    for owner, cidr in sorted(owned, key=_by_address):
        found.setdefault(owner, []).append(cidr)
    return found


def _by_address(owned: Tuple[str, str]) -> Any:
    return prefix(owned[1])


def _holds_any(pool: Pool, blocks: List[str]) -> bool:
    return any(prefix(pool.cidr).covers(prefix(block)) for block in blocks)


def _subnet(address: Optional[str]) -> Optional[str]:
    """The network of an address with its mask: nodes that share it reach each other unencapsulated where a pool is CrossSubnet."""
    try:
        return str(ipaddress.ip_interface(address).network) if address and "/" in address else None
    except ValueError:
        return None


def _pool(pool: Pool) -> Dict[str, Any]:
    return dict(plain(pool), encapsulation=encapsulation_of(pool))
