# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix's routes to blocks, to borrowed addresses in them, and to remote tunnel addresses. Pure.

VXLAN pools are always Felix's. Those of other pools are from v3.31 on where FelixConfiguration's programClusterRoutes is Enabled (by
default they are BIRD's): IPIP's go into tunl0, onlink by the node itself; without any tunnel only as long as no pool has one
(felix/dataplane/linux/ipip_mgr.go, noencap_mgr.go and int_dataplane.go of v3.32.1). Forms: recordings, for IPIP that source.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..config import release_of
from ..ipam import block as blocks
from ..ipam.pools import encapsulates_vxlan, pool_of, tunnels_ipip
from .desired import Route

if TYPE_CHECKING:
    from .felix import Datastore, Host

UPLINK, VXLAN, IPIP = "eth0", "vxlan.calico", "tunl0"
FELIX, BOOT = 80, 3
#: Bytes a header takes from the uplink's MTU (calico-facts 1.1).
VXLAN_OVERHEAD, _IPIP_OVERHEAD = 50, 20


@dataclass(frozen=True)
class RoutedBlock:
    """A block whose routes are, or may be, Felix's. ``device``: its pool's tunnel, "" for none; ``mode``: Always or CrossSubnet.

    ``exceptions``: (address, its node) of what does not just follow the block.
    """

    cidr: str
    device: str
    mode: str
    owner: str | None
    exceptions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Release:
    """What differs between Calico's releases in routes and sets (FINDINGS D; calico-facts 3.7)."""

    workload_metric: int
    tunnel_mtu: bool
    tunnel_addresses: bool
    network_pools_set: bool
    cluster_routes: bool

    @classmethod
    @functools.cache
    def of(cls, version: str) -> Release:
        later = release_of(version) >= (3, 32)
        return cls(
            workload_metric=1024 if later else 0,
            tunnel_mtu=later,
            tunnel_addresses=not later,
            network_pools_set=later,
            cluster_routes=release_of(version) >= (3, 31),
        )


def ipip_mtu(uplink: int) -> int:
    """What fits into an IPIP packet."""
    return uplink - _IPIP_OVERHEAD


def routed_blocks(data: Datastore) -> Iterator[RoutedBlock]:
    """The blocks of all pools. Before v3.32 every VXLAN tunnel address has a route of its own (FINDINGS A1, A2, D)."""
    release = Release.of(data.calico_version)
    vxlan = {(host.tunnel, host.name) for host in data.hosts.values()}
    tunnels = vxlan | {(host.ipip_tunnel, host.name) for host in data.hosts.values()}
    for found in data.blocks:
        spec = found["spec"]
        pool = pool_of(data.pools, spec["cidr"])
        if spec.get("deleted") or pool is None:
            continue
        owner = blocks.owner(spec)
        exceptions = []
        for allocation in blocks.allocations(spec):
            place = (allocation.address, allocation.attributes.get("node", ""))
            known = place in tunnels or "type" not in allocation.attributes
            if known and (place[1] != owner or (place in vxlan and release.tunnel_addresses)):
                exceptions.append(place)
        yield RoutedBlock(spec["cidr"], *_tunnel(pool["spec"]), owner, tuple(exceptions))


def block_routes(local: Host, remote: Mapping[str, Host], data: Datastore, *, clusters: bool) -> Iterator[Route]:
    """All of ``local``. ``clusters``: what FelixConfiguration says of routes that would be BIRD's."""
    release = Release.of(data.calico_version)
    others = clusters and release.cluster_routes
    plain = others and not any(encapsulates_vxlan(pool) or tunnels_ipip(pool) for pool in data.pools)
    owned = {VXLAN: True, IPIP: others, "": plain}
    for block in data.routed_blocks:
        if not owned[block.device]:
            continue
        way = _Way(local, block, release, data)
        if block.owner == local.name and not block.cidr.endswith("/32"):
            yield Route(block.cidr, kind="blackhole", protocol=FELIX)
        elif block.owner in remote:
            yield from way.to(block.cidr, remote[block.owner])
        for address, node in block.exceptions:
            host = remote.get(node)
            if host and block.device == VXLAN and address == host.tunnel:
                yield way.to_tunnel(host)
            elif host:
                yield from way.to(f"{address}/32", host)


@dataclass(frozen=True)
class _Way:
    """How a node reaches what lies on another node, for one block's pool."""

    local: Host
    block: RoutedBlock
    release: Release
    data: Datastore

    def to(self, dst: str, host: Host) -> Iterator[Route]:
        """Directly, or through the tunnel; nothing when there is no way into it, or the host's end is not known."""
        mtu, uplink = self.data.configured_mtu, self.data.uplink_mtu
        if self._direct(host):
            yield Route(dst, gateway=host.address, device=UPLINK, protocol=FELIX, onlink=True)
        elif self.block.device == IPIP:
            if self.data.ipip and self.local.ipip_tunnel:
                yield Route(dst, gateway=host.address, device=IPIP, protocol=FELIX, onlink=True, mtu=mtu or ipip_mtu(uplink))
        elif host.tunnel and self.local.tunnel:
            shown = (mtu or uplink - VXLAN_OVERHEAD) if self.release.tunnel_mtu else None
            yield Route(dst, gateway=host.tunnel, device=VXLAN, protocol=BOOT, onlink=True, mtu=shown)

    def to_tunnel(self, host: Host) -> Route:
        """The host's VXLAN address itself: on the tunnel it is the gateway, so it has none."""
        if self._direct(host):
            return Route(f"{host.tunnel}/32", gateway=host.address, device=UPLINK, protocol=FELIX, onlink=True)
        return Route(f"{host.tunnel}/32", device=VXLAN, protocol=BOOT, scope="link")

    def _direct(self, host: Host) -> bool:
        """The local node's own mask decides (calico-facts 3.4)."""
        near = self.block.mode == "CrossSubnet" and host.interface.ip in self.local.interface.network
        return near or not self.block.device


def _tunnel(spec: Mapping[str, str]) -> tuple[str, str]:
    """(device, mode) of a pool."""
    for device, field in ((VXLAN, "vxlanMode"), (IPIP, "ipipMode")):
        if spec.get(field, "Never") not in ("", "Never"):
            return device, spec[field]
    return "", ""
