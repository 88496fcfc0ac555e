# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node's and a pod's network must look like: the words between the calculation and the kernel.

`felix.py` computes these from API objects (pure); `kernel/` makes them true. Nothing here does I/O.
Addresses are strings as `ip` prints them; CIDRs carry their prefix length; times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Route:
    """One kernel route. ``dst`` is a CIDR; ``protocol`` the kernel's number (3 boot, 12 bird, 80 Felix)."""

    dst: str
    kind: str = "unicast"  # unicast | blackhole
    gateway: str | None = None
    device: str | None = None
    protocol: int = 3
    scope: str = "global"  # global | link
    onlink: bool = False
    metric: int = 0
    mtu: int | None = None


@dataclass(frozen=True, order=True)
class VtepPeer:
    """A remote VXLAN tunnel endpoint: permanent neighbour and FDB entry on the local device."""

    tunnel_address: str
    mac: str
    node_address: str


@dataclass(frozen=True)
class VxlanDevice:
    """The node's `vxlan.calico`."""

    address: str
    mac: str
    local: str
    mtu: int
    peers: tuple[VtepPeer, ...] = ()
    vni: int = 4096
    port: int = 4789


@dataclass(frozen=True)
class IpipDevice:
    """The node's `tunl0`."""

    address: str
    mtu: int


@dataclass(frozen=True, order=True)
class BgpPeer:
    """A session as BIRD's configuration names it (``Mesh_172_18_0_3``). ``passive``: we wait for the peer to connect.

    ``port`` 0: 179. ``client_of``: the cluster id of ours in which the peer is a client. ``source``: from the node's address.
    ``restart_time``: seconds for which a peer that went is waited for; 0: BIRD's own. ``filters``: names of `Bgp.filters`, in order.
    """

    name: str
    address: str
    as_number: int
    passive: bool = False
    port: int = 0
    client_of: str = ""
    source: bool = True
    keep_next_hop: bool = False
    restart_time: int = 0
    filters: tuple[str, ...] = ()
    password: str = field(default="", repr=False)


@dataclass(frozen=True, order=True)
class BgpFilter:
    """A BGPFilter: statements of BIRD's filter language for what is heard from a peer, and for what it is told."""

    name: str
    imports: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class BgpPool:
    """How BIRD treats a pool: ``program`` False where the routes are not its own but Felix's; ``export``: peers hear of it.

    ``ipip``: Always, or CrossSubnet, or "". What would have to go through tunl0 is not programmed: only Calico's fork of BIRD can.
    """

    cidr: str
    program: bool
    export: bool = True
    ipip: str = ""


@dataclass(frozen=True)
class Bgp:
    """What BIRD on one node is configured with."""

    router_id: str
    as_number: int
    blocks: tuple[str, ...]  # own blocks: static blackholes, exported as aggregates
    pools: tuple[BgpPool, ...]
    peers: tuple[BgpPeer, ...]
    metric: int = 0  # krt_metric of programmed routes: 1024 from v3.32 on
    listen_port: int = 0  # 0: 179
    subnet: str = ""  # of the node's own mask: what is reached without a tunnel
    filters: tuple[BgpFilter, ...] = ()


@dataclass(frozen=True, order=True)
class ServicePort:
    """A ClusterIP and port, DNATed to one of ``backends`` (``address:port``); without backends it is rejected."""

    cluster_ip: str
    protocol: str  # tcp | udp
    port: int
    backends: tuple[str, ...] = ()


@dataclass(frozen=True)
class PodNetwork:
    """A pod as CNI wires it: veth ``host_device`` on the node, ``eth0`` with a /32 in the pod."""

    namespace: str
    name: str
    address: str
    host_device: str
    mtu: int


@dataclass(frozen=True)
class FelixSettings:
    """How Felix keeps what it has made: seconds between two looks (0: it never looks), with Felix's own defaults.

    ``remove_external_routes``: whatever else is routed to a pod's device goes at the look at routes. ``program_cluster_routes``: routes
    of pools without VXLAN are its own, not BIRD's (from Calico v3.31 on).
    """

    route_refresh: float = 90.0
    ipset_refresh: float = 90.0
    remove_external_routes: bool = True
    program_cluster_routes: bool = False


@dataclass(frozen=True)
class NodeNetwork:
    """Everything of one node's network that follows from API objects. ``routes`` are Felix's, not BIRD's."""

    name: str
    routes: tuple[Route, ...] = ()
    vxlan: VxlanDevice | None = None
    ipip: IpipDevice | None = None
    bgp: Bgp | None = None
    all_pools: tuple[str, ...] = ()  # ipset cali40all-ipam-pools
    masquerade_pools: tuple[str, ...] = ()  # ipset cali40masq-ipam-pools
    vxlan_hosts: tuple[str, ...] = ()  # ipset cali40all-vxlan-net: the other nodes' addresses
    services: tuple[ServicePort, ...] = ()
    pods: tuple[PodNetwork, ...] = ()
    felix: FelixSettings = FelixSettings()
    network_pools_set: bool = False  # the set of all pools is cali40network-ip-pools: from v3.32 on
