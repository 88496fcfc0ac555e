# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calculation: API objects in, one node's network out (`NodeNetwork`). Pure, as Felix's calculation graph.

What is Felix's and what is BIRD's: calico-facts 3.1, with FINDINGS A1, A2 and D (v3.32) over it. Forms of the
routes are those of the recordings, held by tests/sandbox/test_felix.py.
IPIP: pods have its MTU; tunl0 is there where the kernel has it, and routes into it where they are Felix's (see `block_routes.py`).
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ipam.pools import encapsulates_vxlan, tunnels_ipip
from .bgp import bgp_of
from .block_routes import BOOT, VXLAN_OVERHEAD, Release, RoutedBlock, block_routes, ipip_mtu, routed_blocks
from .desired import IpipDevice, NodeNetwork, PodNetwork, Route, ServicePort, VtepPeer, VxlanDevice
from .felix_settings import settings_of
from .peerings import ADDRESS_ANNOTATION, Speaker, speakers_of

TUNNEL_ANNOTATION, IPIP_ANNOTATION = "projectcalico.org/IPv4VXLANTunnelAddr", "projectcalico.org/IPv4IPIPTunnelAddr"
POD_ANNOTATION = "cni.projectcalico.org/podIP"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Datastore:
    """The objects the calculation reads, and what is not an object; what all nodes share is worked out once."""

    nodes: Sequence[Object] = ()
    pools: Sequence[Object] = ()
    blocks: Sequence[Object] = ()
    affinities: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    services: Sequence[ServicePort] = ()
    bgp_configurations: Sequence[Object] = ()
    bgp_peers: Sequence[Object] = ()
    bgp_filters: Sequence[Object] = ()
    secrets: Sequence[Object] = ()  # of calico-node's own namespace
    felix_configurations: Sequence[Object] = ()
    calico_version: str = "v3.30.7"
    uplink_mtu: int = 1500
    configured_mtu: int = 0
    ipip: bool = False  # whether the kernel has tunl0

    @functools.cached_property
    def hosts(self) -> dict[str, Host]:
        return hosts_of(self.nodes)

    @functools.cached_property
    def speakers(self) -> tuple[Speaker, ...]:
        return speakers_of(self.nodes, self.bgp_configurations)

    @functools.cached_property
    def mtu(self) -> int:
        return pod_mtu(self.pools, self.uplink_mtu, self.configured_mtu)

    @functools.cached_property
    def pods_by_node(self) -> dict[str, tuple[PodNetwork, ...]]:
        found: dict[str, list[PodNetwork]] = {}
        for pod in self.pods:
            network = _pod_network(pod, self.mtu)
            if network:
                found.setdefault(pod["spec"]["nodeName"], []).append(network)
        return {node: tuple(networks) for node, networks in found.items()}

    @functools.cached_property
    def common(self) -> tuple[object, ...]:
        """All that a node's network follows from, but for its own pods: as long as this is equal, so is the network."""
        return (
            self.hosts,
            self.routed_blocks,
            self.speakers,
            [pool["spec"] for pool in self.pools],
            [affinity["spec"] for affinity in self.affinities],
            self.services,
            [
                (item["metadata"]["name"], item.get("spec"))
                for item in (*self.bgp_configurations, *self.bgp_peers, *self.bgp_filters, *self.felix_configurations)
            ],
            [(secret["metadata"]["name"], secret.get("data")) for secret in self.secrets],
            self.calico_version,
            self.configured_mtu,
            self.ipip,
        )

    @functools.cached_property
    def routed_blocks(self) -> tuple[RoutedBlock, ...]:
        return tuple(routed_blocks(self))


@dataclass(frozen=True)
class Host:
    """A node as its peers see it: ``interface`` is its address with its own mask (the CrossSubnet test)."""

    name: str
    interface: ipaddress.IPv4Interface
    tunnel: str | None
    ipip_tunnel: str | None = None

    @functools.cached_property
    def address(self) -> str:
        return str(self.interface.ip)


def network_of(name: str, data: Datastore, *, bgp: bool = True) -> NodeNetwork:
    """Everything of node ``name``'s network that follows from ``data``. Without a Node object: nothing but its name."""
    if name not in data.hosts:
        return NodeNetwork(name=name)
    local = data.hosts[name]
    remote = {peer: host for peer, host in data.hosts.items() if peer != name}
    pods = data.pods_by_node.get(name, ())
    vxlan = _vxlan_device(local, remote, data)
    felix = settings_of(data.felix_configurations, name)
    routes = _workload_routes(pods, data) | set(block_routes(local, remote, data, clusters=felix.program_cluster_routes))
    return NodeNetwork(
        name=name,
        routes=tuple(sorted(routes, key=_route_order)),
        vxlan=vxlan,
        ipip=_ipip_device(local, data),
        bgp=bgp_of(local, data) if bgp else None,
        all_pools=tuple(sorted(pool["spec"]["cidr"] for pool in data.pools)),
        masquerade_pools=tuple(sorted(p["spec"]["cidr"] for p in data.pools if p["spec"].get("natOutgoing"))),
        vxlan_hosts=tuple(sorted(host.address for host in remote.values())) if vxlan else (),
        services=tuple(data.services),
        pods=pods,
        felix=felix,
        network_pools_set=Release.of(data.calico_version).network_pools_set,
    )


def hosts_of(nodes: Iterable[Object]) -> dict[str, Host]:
    """Nodes with a usable address: Calico's annotation, else the InternalIP as a /32 (FINDINGS A19)."""
    found = {}
    for node in nodes:
        annotations = node["metadata"].get("annotations") or {}
        address = annotations.get(ADDRESS_ANNOTATION) or _internal_ip(node)
        if address:
            name = node["metadata"]["name"]
            tunnels = (annotations.get(TUNNEL_ANNOTATION) or None, annotations.get(IPIP_ANNOTATION) or None)
            found[name] = Host(name, ipaddress.IPv4Interface(address), *tunnels)
    return found


def pod_mtu(pools: Iterable[Object], uplink: int = 1500, configured: int = 0) -> int:
    """MTU of a new pod's veth: reserved for a tunnel as soon as one pool uses it, also CrossSubnet, also one that is disabled."""
    if configured:
        return configured
    every = list(pools)
    if any(map(encapsulates_vxlan, every)):
        return uplink - VXLAN_OVERHEAD
    return ipip_mtu(uplink) if any(map(tunnels_ipip, every)) else uplink


def host_device(namespace: str, pod: str) -> str:
    """Name of the host's end of a pod's veth: ``cali`` and 11 hex digits of a SHA-1 (calico-facts 2.1)."""
    return "cali" + hashlib.sha1(f"{namespace}.{pod}".encode(), usedforsecurity=False).hexdigest()[:11]


def vtep_mac(node: str) -> str:
    """MAC of the node's vxlan.calico: 66 and five bytes of the name's SHA-1 (calico-facts 3.5)."""
    digest = hashlib.sha1(node.encode(), usedforsecurity=False).digest()
    return ":".join(f"{byte:02x}" for byte in b"\x66" + digest[:5])


def _internal_ip(node: Object) -> str | None:
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((entry["address"] for entry in addresses if entry["type"] == "InternalIP"), None)


def _pod_network(pod: Object, mtu: int) -> PodNetwork | None:
    """The pod as CNI has wired it, if it has; a finished pod has lost its address (calico-facts 2.3)."""
    metadata = pod["metadata"]
    address = (metadata.get("annotations") or {}).get(POD_ANNOTATION)
    finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    if not address or pod["spec"].get("hostNetwork") or finished:
        return None
    namespace, name = metadata["namespace"], metadata["name"]
    return PodNetwork(namespace, name, address.partition("/")[0], host_device(namespace, name), mtu)


def _workload_routes(pods: Iterable[PodNetwork], data: Datastore) -> set[Route]:
    metric = Release.of(data.calico_version).workload_metric
    return {
        Route(f"{pod.address}/32", device=pod.host_device, protocol=BOOT, scope="link", metric=metric) for pod in pods
    }


def _vxlan_device(local: Host, remote: Mapping[str, Host], data: Datastore) -> VxlanDevice | None:
    """``vxlan.calico`` exists wherever there is a VXLAN pool and the node has its tunnel address, used or not.

    A disabled pool counts: felix/calc/encapsulation_resolver.go asks for the mode alone.
    """
    if not (local.tunnel and any(map(encapsulates_vxlan, data.pools))):
        return None
    peers = tuple(
        sorted(VtepPeer(host.tunnel, vtep_mac(host.name), host.address) for host in remote.values() if host.tunnel)
    )
    return VxlanDevice(
        address=local.tunnel,
        mac=vtep_mac(local.name),
        local=local.address,
        mtu=data.configured_mtu or data.uplink_mtu - VXLAN_OVERHEAD,
        peers=peers,
    )


def _ipip_device(local: Host, data: Datastore) -> IpipDevice | None:
    """``tunl0``, wherever there is an IPIP pool, whoever owns the routes into it; a kernel without IPIP has none."""
    if not (data.ipip and local.ipip_tunnel and any(map(tunnels_ipip, data.pools))):
        return None
    return IpipDevice(local.ipip_tunnel, data.configured_mtu or ipip_mtu(data.uplink_mtu))


def _route_order(route: Route) -> tuple[ipaddress.IPv4Network, str]:
    return _network(route.dst), route.device or ""


@functools.lru_cache(maxsize=8192)
def _network(cidr: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(cidr)
