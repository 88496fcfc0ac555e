# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calculation: API objects in, one node's network out (`NodeNetwork`). Pure, as Felix's calculation graph.

What is Felix's and what is BIRD's: calico-facts 3.1, with FINDINGS A1, A2 and D (v3.32) over it. Forms of the
routes are those of the recordings, held by tests/sandbox/test_felix.py.
IPIP is not modelled: its pools get no routes (the operator refuses them, see controllers/calico/installation.py).
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..ipam import block as blocks
from ..ipam.pools import encapsulates_vxlan, pool_of
from .bgp import mesh
from .desired import NodeNetwork, PodNetwork, Route, ServicePort, VtepPeer, VxlanDevice

UPLINK, VXLAN = "eth0", "vxlan.calico"
FELIX, BOOT = 80, 3
#: Bytes a VXLAN header takes from the uplink's MTU (calico-facts 1.1).
VXLAN_OVERHEAD = 50
ADDRESS_ANNOTATION = "projectcalico.org/IPv4Address"
TUNNEL_ANNOTATION = "projectcalico.org/IPv4VXLANTunnelAddr"
POD_ANNOTATION = "cni.projectcalico.org/podIP"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Datastore:
    """The objects the calculation reads, and the two settings that are not objects."""

    nodes: Sequence[Object] = ()
    pools: Sequence[Object] = ()
    blocks: Sequence[Object] = ()
    affinities: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    services: Sequence[ServicePort] = ()
    bgp_configuration: Object | None = None
    bgp_enabled: bool = True
    calico_version: str = "v3.30.7"
    uplink_mtu: int = 1500
    configured_mtu: int = 0


@dataclass(frozen=True)
class Host:
    """A node as its peers see it: ``interface`` is its address with its own mask (the CrossSubnet test)."""

    name: str
    interface: ipaddress.IPv4Interface
    tunnel: str | None

    @property
    def address(self) -> str:
        return str(self.interface.ip)


@dataclass(frozen=True)
class Release:
    """What differs between Calico's releases in the routes (FINDINGS D)."""

    workload_metric: int
    tunnel_mtu: bool
    tunnel_addresses: bool

    @classmethod
    def of(cls, version: str) -> Release:
        minor = tuple(int(part) for part in version.lstrip("v").split(".")[:2])
        later = minor >= (3, 32)
        return cls(workload_metric=1024 if later else 0, tunnel_mtu=later, tunnel_addresses=not later)


def network_of(name: str, data: Datastore) -> NodeNetwork:
    """Everything of node ``name``'s network that follows from ``data``. Without a Node object: nothing but its name."""
    hosts = hosts_of(data.nodes)
    if name not in hosts:
        return NodeNetwork(name=name)
    local = hosts[name]
    remote = {peer: host for peer, host in hosts.items() if peer != name}
    pods = tuple(_pod_networks(name, data))
    vxlan = _vxlan_device(local, remote, data)
    routes = _workload_routes(pods, data) | set(_block_routes(local, remote, data))
    return NodeNetwork(
        name=name,
        routes=tuple(sorted(routes, key=_route_order)),
        vxlan=vxlan,
        bgp=mesh(local, remote, data) if data.bgp_enabled else None,
        all_pools=tuple(sorted(pool["spec"]["cidr"] for pool in data.pools)),
        masquerade_pools=tuple(sorted(p["spec"]["cidr"] for p in data.pools if p["spec"].get("natOutgoing"))),
        vxlan_hosts=tuple(sorted(host.address for host in remote.values())) if vxlan else (),
        services=tuple(data.services),
        pods=pods,
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
    """MTU of a new pod's veth: reserved for VXLAN as soon as one enabled pool uses it, also CrossSubnet."""
    if configured:
        return configured
    vxlan = any(encapsulates_vxlan(pool) for pool in pools if not pool["spec"].get("disabled"))
    return uplink - VXLAN_OVERHEAD if vxlan else uplink


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


def _pod_networks(node: str, data: Datastore) -> Iterator[PodNetwork]:
    """Pods that CNI has wired on the node; a finished pod has lost its address (calico-facts 2.3)."""
    for pod in data.pods:
        metadata, spec = pod["metadata"], pod["spec"]
        address = (metadata.get("annotations") or {}).get(POD_ANNOTATION)
        finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if spec.get("nodeName") == node and address and not spec.get("hostNetwork") and not finished:
            yield PodNetwork(
                namespace=metadata["namespace"],
                name=metadata["name"],
                address=address.partition("/")[0],
                host_device=host_device(metadata["namespace"], metadata["name"]),
                mtu=pod_mtu(data.pools, data.uplink_mtu, data.configured_mtu),
            )


def _workload_routes(pods: Iterable[PodNetwork], data: Datastore) -> set[Route]:
    metric = Release.of(data.calico_version).workload_metric
    return {
        Route(f"{pod.address}/32", device=pod.host_device, protocol=BOOT, scope="link", metric=metric) for pod in pods
    }


def _vxlan_device(local: Host, remote: Mapping[str, Host], data: Datastore) -> VxlanDevice | None:
    """``vxlan.calico`` exists wherever a VXLAN pool is enabled and the node has its tunnel address, used or not."""
    enabled = any(encapsulates_vxlan(pool) for pool in data.pools if not pool["spec"].get("disabled"))
    if not (enabled and local.tunnel):
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


def _block_routes(local: Host, remote: Mapping[str, Host], data: Datastore) -> Iterator[Route]:
    """Routes to blocks of VXLAN pools, to borrowed addresses in them, and to remote tunnel addresses."""
    release = Release.of(data.calico_version)
    for found in data.blocks:
        spec = found["spec"]
        pool = pool_of(data.pools, spec["cidr"])
        if spec.get("deleted") or pool is None or not encapsulates_vxlan(pool):
            continue
        owner = blocks.owner(spec)
        way = _Way(local, pool["spec"]["vxlanMode"], release, data)
        if owner == local.name and not spec["cidr"].endswith("/32"):
            yield Route(spec["cidr"], kind="blackhole", protocol=FELIX)
        elif owner in remote:
            yield from way.to(spec["cidr"], remote[owner])
        for allocation in blocks.allocations(spec):
            yield from _address_routes(allocation, owner, remote, way)


def _address_routes(
    allocation: blocks.Allocation, owner: str | None, remote: Mapping[str, Host], way: _Way
) -> Iterator[Route]:
    """The /32 of a borrowed address; of a tunnel address always before v3.32 (FINDINGS A1, A2)."""
    host = remote.get(allocation.attributes.get("node", ""))
    if host is None:
        return
    borrowed = host.name != owner
    if allocation.address == host.tunnel:
        if borrowed or way.release.tunnel_addresses:
            yield way.to_tunnel(host)
    elif borrowed and "type" not in allocation.attributes:
        yield from way.to(f"{allocation.address}/32", host)


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
    return ipaddress.IPv4Network(route.dst), route.device or ""
