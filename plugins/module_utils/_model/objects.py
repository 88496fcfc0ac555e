# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API tells: of Kubernetes and Calico the fields that routing hangs on (private)."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from .facts import NodeFacts, PodFacts
from .texts import Cidr, Ip


class Node(NamedTuple):
    """A node. ``calico_address`` is the annotation projectcalico.org/IPv4Address *with* its mask."""

    name: str
    internal_ip: Optional[str] = None
    ready: bool = True
    not_ready_reason: Optional[str] = None
    os: str = "linux"
    labels: Dict[str, str] = {}
    calico_address: Optional[str] = None
    vxlan_tunnel_address: Optional[str] = None
    vxlan_tunnel_mac: Optional[str] = None  # annotation override; normally absent and computed
    ipip_tunnel_address: Optional[str] = None
    wireguard_address: Optional[str] = None
    as_number: Optional[str] = None
    route_reflector_cluster_id: Optional[str] = None
    calico_node_pod: Optional[str] = None  # namespace/name of its calico-node pod
    calico_node_ready: Optional[bool] = None
    facts: Optional[NodeFacts] = None
    skipped: Optional[str] = None  # why facts were not asked for ("not selected"), else None
    kubelet_version: Optional[str] = None


class Pod(NamedTuple):
    """A pod. ``calico_address`` is the annotation cni.projectcalico.org/podIP without its /32."""

    namespace: str
    name: str
    node: Optional[str] = None
    phase: str = "Running"
    address: Optional[Ip] = None
    addresses: Tuple[Ip, ...] = ()
    host_network: bool = False
    ready: bool = True
    terminating: bool = False
    owner: Optional[str] = None  # "DaemonSet/multitool-1"
    labels: Dict[str, str] = {}
    calico_address: Optional[str] = None
    container_id: Optional[str] = None  # annotation cni.projectcalico.org/containerID: Calico wired it
    container: Optional[str] = None  # the first container's name: where exec goes
    pools: Tuple[str, ...] = ()  # annotation cni.projectcalico.org/ipv4pools: names or ranges of the pools that it asks for
    facts: Optional[PodFacts] = None
    skipped: Optional[str] = None


class Workload(NamedTuple):
    """A DaemonSet or Deployment, as its own status counts."""

    kind: str
    namespace: str
    name: str
    desired: int
    ready: int
    updated: int
    observed: bool = True  # observedGeneration has reached generation


class Pool(NamedTuple):
    """An IPPool; modes are Never, Always or CrossSubnet."""

    name: str
    cidr: Cidr
    block_size: int = 26
    vxlan_mode: str = "Never"
    ipip_mode: str = "Never"
    nat_outgoing: bool = False
    disabled: bool = False
    disable_bgp_export: bool = False
    node_selector: str = "all()"
    allowed_uses: Tuple[str, ...] = ("Workload", "Tunnel")
    assignment_mode: str = "Automatic"


class Allocation(NamedTuple):
    """One address in use in a block. ``use``: empty for a workload, else vxlanTunnelAddress, ipipTunnelAddress …"""

    address: str
    handle: Optional[str] = None
    node: Optional[str] = None
    namespace: Optional[str] = None
    pod: Optional[str] = None
    use: str = ""


class Block(NamedTuple):
    """An IPAMBlock; ``affinity`` is ``host:<node>``, ``virtual:…`` or None."""

    cidr: Cidr
    affinity: Optional[str] = None
    deleted: bool = False
    allocations: Tuple[Allocation, ...] = ()

    @property
    def owner(self) -> Optional[str]:
        """The node the block belongs to, or None."""
        return self.affinity[5:] if self.affinity and self.affinity.startswith("host:") else None


class Affinity(NamedTuple):
    """A BlockAffinity; an empty state of old data reads as confirmed."""

    name: str
    cidr: Cidr
    node: str
    state: str = "confirmed"
    type: str = "host"
    deleted: bool = False


class Handle(NamedTuple):
    """An IPAMHandle: how many addresses it holds in which block."""

    id: str
    blocks: Dict[str, int] = {}
    deleted: bool = False


class Settings(NamedTuple):
    """What the configuration objects say; None where the object or field is absent."""

    bgp_enabled: Optional[bool] = None
    mesh_enabled: bool = True
    bgp_peers: Tuple[str, ...] = ()  # names of BGPPeer objects
    as_number: str = "64512"
    linux_dataplane: Optional[str] = None  # Installation: Iptables, BPF, Nftables, VPP
    bpf_enabled: bool = False
    route_source: str = "CalicoIPAM"
    route_sync_disabled: bool = False
    wireguard_enabled: bool = False
    program_cluster_routes: Optional[str] = None  # FelixConfiguration, v3.31+
    bgp_program_cluster_routes: Optional[str] = None  # BGPConfiguration, v3.32+
    device_route_protocol: Optional[int] = None
    interface_prefix: str = "cali"
    mtu: Optional[int] = None  # Installation status.mtu
    ipam_type: Optional[str] = None  # Installation spec.cni.ipam.type
    cni_type: Optional[str] = None
    strict_affinity: Optional[bool] = None
    max_blocks_per_host: Optional[int] = None
    service_cidr: Optional[str] = None
    nftables_mode: Optional[str] = None  # FelixConfiguration: Enabled, Disabled, Auto
