# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of the collection (private): what a cluster looks like, what was found, what is the verdict.

Everything is an immutable NamedTuple: small enough for a million routes, comparable, and trivially written as JSON.
Units and shapes, everywhere: CIDRs carry their prefix length (``0.0.0.0/0``, ``192.168.93.193/32``); addresses are
plain strings as ``ip`` prints them; ``None`` means absent; "not observed" is never a default value but an entry in
``unobserved``. Nothing here does I/O or imports anything of the collection.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, NewType, Optional, Tuple

# Texts of a form that is looked at when a file is read (``_decoding``).
#: A CIDR with its prefix length.
Cidr = NewType("Cidr", str)
#: An address without one.
Ip = NewType("Ip", str)
#: What a policy rule does: ``lookup main``, ``goto 32766``, ``unreachable`` …
RuleAction = NewType("RuleAction", str)

# -- what iproute2 tells ------------------------------------------------------------------------------------------


class Nexthop(NamedTuple):
    """One leg of a multipath route."""

    gateway: Optional[str] = None
    dev: Optional[str] = None
    weight: int = 1
    flags: Tuple[str, ...] = ()


class Route(NamedTuple):
    """A kernel route. ``protocol`` and ``table`` as iproute2 names them; a protocol that it omits is ``boot``."""

    dst: Cidr
    type: str = "unicast"
    gateway: Optional[str] = None
    dev: Optional[str] = None
    protocol: str = "boot"
    scope: str = "global"
    metric: int = 0
    table: str = "main"
    prefsrc: Optional[str] = None
    mtu: Optional[int] = None
    flags: Tuple[str, ...] = ()
    nexthops: Tuple[Nexthop, ...] = ()

    @property
    def onlink(self) -> bool:
        """Whether the gateway is declared reachable without a connected route."""
        return "onlink" in self.flags


class Rule(NamedTuple):
    """A policy rule: ``selector`` is its text without priority and action (``from all``, ``not from all fwmark …``)."""

    priority: int
    selector: str
    action: RuleAction


class VxlanLink(NamedTuple):
    """The VXLAN part of a link."""

    vni: int
    port: int
    local: Optional[str] = None
    dev: Optional[str] = None
    learning: bool = False


class Link(NamedTuple):
    """A network device. ``admin_up`` is the UP flag; ``carrier`` LOWER_UP; packets count since creation, or None."""

    name: str
    mtu: int
    admin_up: bool
    carrier: bool = True
    mac: Optional[str] = None
    kind: Optional[str] = None
    index: Optional[int] = None
    peer_index: Optional[int] = None
    vxlan: Optional[VxlanLink] = None
    rx_packets: Optional[int] = None
    tx_packets: Optional[int] = None


class Address(NamedTuple):
    """An address of a device; ``family`` is ``inet`` or ``inet6``."""

    dev: str
    address: str
    prefixlen: int
    family: str = "inet"
    scope: str = "global"


class Neighbour(NamedTuple):
    """An ARP/ND entry."""

    dev: str
    address: str
    mac: Optional[str] = None
    states: Tuple[str, ...] = ()


class FdbEntry(NamedTuple):
    """A forwarding entry of a VXLAN device: frames to ``mac`` go to the node ``dst``."""

    dev: str
    mac: str
    dst: Optional[str] = None
    states: Tuple[str, ...] = ()


# -- what BIRD tells ----------------------------------------------------------------------------------------------


class BgpSession(NamedTuple):
    """One BGP protocol of `birdcl show protocols`: ``info`` starts with the BGP state (Established, Active …)."""

    name: str
    peer: Optional[str]
    state: str
    info: str


class BirdRoute(NamedTuple):
    """The best path of a destination in `birdcl show route`. ``mark``: ``*``, or ``!`` where it is not in the kernel."""

    dst: str
    via: Optional[str]
    dev: Optional[str]
    protocol: str
    mark: str
    kind: str = "unicast"


class Bird(NamedTuple):
    """BIRD on one node. ``running`` False with the client's message in ``message``."""

    running: bool
    version: Optional[str] = None
    message: Optional[str] = None
    sessions: Tuple[BgpSession, ...] = ()
    routes: Tuple[BirdRoute, ...] = ()


class Masquerade(NamedTuple):
    """natOutgoing on one node: the members of Calico's two sets and whether a rule that uses them was seen."""

    all_pools: Optional[Tuple[str, ...]] = None
    masquerade_pools: Optional[Tuple[str, ...]] = None
    rule_present: Optional[bool] = None


# -- what was seen on a node and in a pod ---------------------------------------------------------------------------


class Unobserved(NamedTuple):
    """A piece of evidence that could not be had: which (``routes``, ``sysctls`` …), the command, why."""

    what: str
    command: str
    reason: str


class NodeFacts(NamedTuple):
    """What exec into calico-node told about the node's own network namespace."""

    links: Tuple[Link, ...] = ()
    addresses: Tuple[Address, ...] = ()
    routes: Tuple[Route, ...] = ()
    rules: Tuple[Rule, ...] = ()
    neighbours: Tuple[Neighbour, ...] = ()
    fdb: Tuple[FdbEntry, ...] = ()
    sysctls: Dict[str, str] = {}
    bird: Optional[Bird] = None
    masquerade: Masquerade = Masquerade()
    unobserved: Tuple[Unobserved, ...] = ()


class PodFacts(NamedTuple):
    """What exec into a pod told about the pod's network namespace."""

    links: Tuple[Link, ...] = ()
    addresses: Tuple[Address, ...] = ()
    routes: Tuple[Route, ...] = ()
    neighbours: Tuple[Neighbour, ...] = ()
    unobserved: Tuple[Unobserved, ...] = ()


# Why a node or pod was not asked: the options left it out, or whether they do could not be found out.
NOT_SELECTED, NOT_KNOWN = "not selected", "not known whether"
# Why a node or pod was left to others, where the cluster is collected in shards.
OF_ANOTHER_SHARD = "of another shard"


# -- what the API tells -------------------------------------------------------------------------------------------


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


class Changed(NamedTuple):
    """A subject that changed while it was read, and again while it was read once more.

    ``nodes`` whose evidence is older than the change: None for all. ``prefixes``: what is routed otherwise since.
    """

    kind: str  # Pod, Node, Block, BlockAffinity, Address, IPAMHandle, IPPool, Settings
    namespace: Optional[str] = None
    name: Optional[str] = None
    nodes: Optional[Tuple[str, ...]] = None
    prefixes: Tuple[str, ...] = ()


class Shard(NamedTuple):
    """Which part of a cluster a snapshot looked into: the nodes that ``_cut`` gives it, and the pods on them.

    ``of``: the names of all shards, sorted. ``node_selector``: a label selector of its nodes, in place of the hash of their
    names. ``selection``: what is looked into at all, the same for all shards.
    """

    name: str
    of: Tuple[str, ...]
    collection: str
    node_selector: Optional[str] = None
    selection: Tuple[str, ...] = ()


class Header(NamedTuple):
    """First line of a snapshot. Times are RFC 3339 in UTC; ``evidence`` what was asked for."""

    schema_version: int
    collected_at: str
    cluster_id: Optional[str] = None
    server: Optional[str] = None
    calico_version: Optional[str] = None
    kubernetes_version: Optional[str] = None
    api_group: Optional[str] = None  # crd.projectcalico.org or projectcalico.org
    evidence: Tuple[str, ...] = ("api", "nodes")
    settings: Settings = Settings()
    unobserved: Tuple[Unobserved, ...] = ()  # API lists that could not be read
    changed: Tuple[Changed, ...] = ()
    shard: Optional[Shard] = None


class Snapshot(NamedTuple):
    """Everything that was collected in one pass."""

    header: Header
    nodes: Tuple[Node, ...] = ()
    pods: Tuple[Pod, ...] = ()
    pools: Tuple[Pool, ...] = ()
    blocks: Tuple[Block, ...] = ()
    affinities: Tuple[Affinity, ...] = ()
    handles: Tuple[Handle, ...] = ()
    workloads: Tuple[Workload, ...] = ()
    probes: Tuple["Probe", ...] = ()

    def in_order(self) -> "Snapshot":
        """The same by name, so that a verdict does not hang on where the objects came from; probes as they were made."""
        return self._replace(
            nodes=tuple(sorted(self.nodes, key=lambda node: node.name)),
            pods=tuple(sorted(self.pods, key=lambda pod: (pod.namespace, pod.name))),
            pools=tuple(sorted(self.pools, key=lambda pool: pool.name)),
            blocks=tuple(sorted(self.blocks, key=lambda block: block.cidr)),
            affinities=tuple(sorted(self.affinities, key=lambda affinity: affinity.name)),
            handles=tuple(sorted(self.handles, key=lambda handle: handle.id)),
            workloads=tuple(sorted(self.workloads, key=lambda one: (one.kind, one.namespace, one.name))),
        )


# -- what real packets tell -----------------------------------------------------------------------------------------


class EchoReply(NamedTuple):
    """One answer as ping printed it; ``rtt_ms`` milliseconds."""

    seq: int
    ttl: int
    rtt_ms: Optional[float] = None


class CapturedEcho(NamedTuple):
    """One ICMP echo packet captured in the destination pod; ``kind`` is request or reply."""

    kind: str
    source: str
    destination: str
    id: int
    seq: int
    ttl: Optional[int] = None


class Probe(NamedTuple):
    """Pings from one pod to another with a capture at the destination.

    ``tunnel_packets``: how far the counters of the encapsulation device on the source node moved during the probe,
    None if they were not read. ``sniffer_saw``: packets the capture saw at all: the sanity leg of a negative claim.
    """

    source: str  # namespace/name
    destination: str
    source_address: str
    destination_address: str
    source_node: str
    destination_node: str
    sent: int
    replies: Tuple[EchoReply, ...] = ()
    captured: Tuple[CapturedEcho, ...] = ()
    sniffer_saw: Optional[int] = None
    tunnel_packets: Optional[int] = None
    payload_bytes: int = 56
    dont_fragment: bool = False
    ping_output: str = ""
    capture_output: str = ""
    unobserved: Tuple[Unobserved, ...] = ()


# -- where packets go by the routes that were seen --------------------------------------------------------------------


class Hop(NamedTuple):
    """One decision on the way: ``place`` decided by ``route`` (found by ``rule`` in its table) to send to ``next``.

    ``kind`` pod or node; ``how`` direct, gateway, vxlan, ipip, local or none; ``ttl`` of the packet when it arrived.
    """

    kind: str
    place: str
    ttl: int
    route: Optional[Route] = None
    rule: Optional[Rule] = None
    how: str = "none"
    device: Optional[str] = None
    next: Optional[str] = None


class Path(NamedTuple):
    """The way of a packet, by observed routes. ``outcome``: delivered, lost (with ``reason``) or unknown (not observed).

    ``ttl`` is what the packet arrives with, having left with 64; ``encapsulated`` says whether any hop used a tunnel.
    """

    source: str
    destination: str
    source_address: str
    destination_address: str
    hops: Tuple[Hop, ...]
    outcome: str
    reason: Optional[str] = None
    ttl: Optional[int] = None
    encapsulated: bool = False


# -- what comes out -----------------------------------------------------------------------------------------------

PASSED, FAILED, WARNING, SKIPPED, INCONCLUSIVE = "passed", "failed", "warning", "skipped", "inconclusive"


class Subject(NamedTuple):
    """What a finding is about; only what applies is set."""

    kind: str
    namespace: Optional[str] = None
    name: Optional[str] = None
    ip: Optional[str] = None
    prefix: Optional[str] = None


class Evidence(NamedTuple):
    """Where a fact was read, by which command, and what it said (bounded)."""

    where: str
    command: str
    output: str


class Finding(NamedTuple):
    """One thing that did not pass. ``key`` names it within its verdict; ``cause`` is the key of the finding that explains it, if
    any, and ``consequences`` are the keys of those that it explains."""

    id: str
    outcome: str
    severity: str
    node: Optional[str]
    subject: Subject
    expected: str
    actual: str
    message: str
    remedy: str
    evidence: Evidence
    cause: Optional[str] = None
    consequences: Tuple[str, ...] = ()
    doc: str = ""
    key: str = ""


class CheckResult(NamedTuple):
    """One check on one node (or on the cluster: ``node`` None), with its subjects counted by outcome."""

    id: str
    title: str
    node: Optional[str]
    outcome: str
    checked: int = 0
    passed: int = 0
    failed: int = 0
    warning: int = 0
    skipped: int = 0
    inconclusive: int = 0
    reason: Optional[str] = None


class Verdict(NamedTuple):
    """The whole judgement. ``summary`` counts *check results*, one per check and node, by outcome."""

    schema_version: int
    failed: bool
    msg: str
    summary: Dict[str, int]
    results: Tuple[CheckResult, ...]
    findings: Tuple[Finding, ...]
    header: Optional[Header] = None
