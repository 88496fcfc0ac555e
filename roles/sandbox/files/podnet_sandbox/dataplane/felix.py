# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calculation: API objects in, one node's network out (`NodeNetwork`). Pure, as Felix's calculation graph.

What is Felix's and what is BIRD's: calico-facts 3.1, with FINDINGS A1, A2 and D (v3.32) over it. Forms of the
routes are those of the recordings, held by tests/sandbox/test_felix.py.
IPIP: pods have its MTU, and BIRD routes what needs no tunnel; tunl0 is not there (see `desired.BgpPool`).
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..config import release_of
from ..ipam import block as blocks
from ..ipam.pools import encapsulates_vxlan, pool_of, tunnels_ipip
from .bgp import bgp_of
from .desired import NodeNetwork, PodNetwork, Route, ServicePort, VtepPeer, VxlanDevice
from .felix_settings import settings_of
from .peerings import ADDRESS_ANNOTATION, Speaker, speakers_of

UPLINK, VXLAN = "eth0", "vxlan.calico"
FELIX, BOOT = 80, 3
#: Bytes a VXLAN header takes from the uplink's MTU (calico-facts 1.1).
VXLAN_OVERHEAD = 50
IPIP_OVERHEAD = 20
TUNNEL_ANNOTATION = "projectcalico.org/IPv4VXLANTunnelAddr"
POD_ANNOTATION = "cni.projectcalico.org/podIP"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class RoutedBlock:
    """A block whose routes are Felix's. ``exceptions``: (address, its node) of what does not just follow the block."""

    cidr: str
    vxlan_mode: str
    owner: str | None
    exceptions: tuple[tuple[str, str], ...]


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
        )

    @functools.cached_property
    def routed_blocks(self) -> tuple[RoutedBlock, ...]:
        return tuple(_routed_blocks(self))


@dataclass(frozen=True)
class Host:
    """A node as its peers see it: ``interface`` is its address with its own mask (the CrossSubnet test)."""

    name: str
    interface: ipaddress.IPv4Interface
    tunnel: str | None

    @functools.cached_property
    def address(self) -> str:
        return str(self.interface.ip)


@dataclass(frozen=True)
class Release:
    """What differs between Calico's releases in routes and sets (FINDINGS D)."""

    workload_metric: int
    tunnel_mtu: bool
    tunnel_addresses: bool
    network_pools_set: bool

    @classmethod
    @functools.cache
    def of(cls, version: str) -> Release:
        later = release_of(version) >= (3, 32)
        return cls(workload_metric=1024 if later else 0, tunnel_mtu=later, tunnel_addresses=not later, network_pools_set=later)


def network_of(name: str, data: Datastore, *, bgp: bool = True) -> NodeNetwork:
    """Everything of node ``name``'s network that follows from ``data``. Without a Node object: nothing but its name."""
    if name not in data.hosts:
        return NodeNetwork(name=name)
    local = data.hosts[name]
    remote = {peer: host for peer, host in data.hosts.items() if peer != name}
    pods = data.pods_by_node.get(name, ())
    vxlan = _vxlan_device(local, remote, data)
    routes = _workload_routes(pods, data) | set(_block_routes(local, remote, data))
    return NodeNetwork(
        name=name,
        routes=tuple(sorted(routes, key=_route_order)),
        vxlan=vxlan,
        bgp=bgp_of(local, data) if bgp else None,
        all_pools=tuple(sorted(pool["spec"]["cidr"] for pool in data.pools)),
        masquerade_pools=tuple(sorted(p["spec"]["cidr"] for p in data.pools if p["spec"].get("natOutgoing"))),
        vxlan_hosts=tuple(sorted(host.address for host in remote.values())) if vxlan else (),
        services=tuple(data.services),
        pods=pods,
        felix=settings_of(data.felix_configurations, name),
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
            found[name] = Host(name, ipaddress.IPv4Interface(address), annotations.get(TUNNEL_ANNOTATION) or None)
    return found


def pod_mtu(pools: Iterable[Object], uplink: int = 1500, configured: int = 0) -> int:
    """MTU of a new pod's veth: reserved for a tunnel as soon as one pool uses it, also CrossSubnet, also one that is disabled."""
    if configured:
        return configured
    every = list(pools)
    if any(map(encapsulates_vxlan, every)):
        return uplink - VXLAN_OVERHEAD
    return uplink - IPIP_OVERHEAD if any(map(tunnels_ipip, every)) else uplink


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


def _routed_blocks(data: Datastore) -> Iterator[RoutedBlock]:
    """The blocks of VXLAN pools. Before v3.32 every tunnel address has a route of its own (FINDINGS A1, A2, D)."""
    release = Release.of(data.calico_version)
    tunnels = {(host.tunnel, host.name) for host in data.hosts.values()}
    for found in data.blocks:
        spec = found["spec"]
        pool = pool_of(data.pools, spec["cidr"])
        if spec.get("deleted") or pool is None or not encapsulates_vxlan(pool):
            continue
        owner = blocks.owner(spec)
        exceptions = []
        for allocation in blocks.allocations(spec):
            place = (allocation.address, allocation.attributes.get("node", ""))
            is_tunnel = place in tunnels
            known = is_tunnel or "type" not in allocation.attributes
            if known and (place[1] != owner or (is_tunnel and release.tunnel_addresses)):
                exceptions.append(place)
        yield RoutedBlock(spec["cidr"], pool["spec"]["vxlanMode"], owner, tuple(exceptions))


def _block_routes(local: Host, remote: Mapping[str, Host], data: Datastore) -> Iterator[Route]:
    """Routes to blocks of VXLAN pools, to borrowed addresses in them, and to remote tunnel addresses."""
    for block in data.routed_blocks:
        way = _Way(local, block.vxlan_mode, Release.of(data.calico_version), data)
        if block.owner == local.name and not block.cidr.endswith("/32"):
            yield Route(block.cidr, kind="blackhole", protocol=FELIX)
        elif block.owner in remote:
            yield from way.to(block.cidr, remote[block.owner])
        for address, node in block.exceptions:
            host = remote.get(node)
            if host and address == host.tunnel:
                yield way.to_tunnel(host)
            elif host:
                yield from way.to(f"{address}/32", host)


@dataclass(frozen=True)
class _Way:
    """How a node reaches what lies on another node, for one pool."""

    local: Host
    mode: str
    release: Release
    data: Datastore

    def to(self, dst: str, host: Host) -> Iterator[Route]:
        """Directly, or through the tunnel; nothing when the host's tunnel address is not known."""
        if self._direct(host):
            yield Route(dst, gateway=host.address, device=UPLINK, protocol=FELIX, onlink=True)
        elif host.tunnel and self.local.tunnel:
            mtu = (self.data.configured_mtu or self.data.uplink_mtu - VXLAN_OVERHEAD) if self.release.tunnel_mtu else None
            yield Route(dst, gateway=host.tunnel, device=VXLAN, protocol=BOOT, onlink=True, mtu=mtu)

    def to_tunnel(self, host: Host) -> Route:
        """The host's tunnel address itself: on the tunnel it is the gateway, so it has none."""
        if self._direct(host):
            return Route(f"{host.tunnel}/32", gateway=host.address, device=UPLINK, protocol=FELIX, onlink=True)
        return Route(f"{host.tunnel}/32", device=VXLAN, protocol=BOOT, scope="link")

    def _direct(self, host: Host) -> bool:
        """The local node's own mask decides (calico-facts 3.4)."""
        return self.mode == "CrossSubnet" and host.interface.ip in self.local.interface.network


def _route_order(route: Route) -> tuple[ipaddress.IPv4Network, str]:
    return _network(route.dst), route.device or ""


@functools.lru_cache(maxsize=8192)
def _network(cidr: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(cidr)
