# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be true (private, pure): nodes + pools + blocks + release → the routes each node and pod must or may have.

Who owns what, Calico v3.30 to v3.32: Felix programs VXLAN pools from the IPAMBlocks; BIRD programs the others from the
confirmed BlockAffinities. Both program a /32 for an address that a node borrowed from another node's block. v3.30 adds
a /32 for the tunnel address of most remote nodes, v3.32 none: allowed, never required (recordings, FINDINGS A1, A2).
"""

from __future__ import annotations

from functools import cached_property
from typing import Dict, Iterator, List, Optional, Sequence, Set, Tuple, Union

from ._model import Allocation, Node, Pod, Pool, Settings, Snapshot
from ._node_selector import selects
from ._names import IPIP_DEVICE, OVERHEAD, VXLAN_DEVICE, pod_device, protocol_name
from ._prefix import Prefix, PrefixTable, prefix_or_none, same_network
from ._shape import ExpectedRoute, Shape
from ._version import release

VXLAN, IPIP, DIRECT, PLAIN = "VXLAN tunnel", "IPIP tunnel", "VXLAN pool, same subnet", "BGP, not encapsulated"
OWN, REMOTE, BORROWED, TUNNEL, POD = "own-blackhole", "remote-block", "borrowed-address", "tunnel-address", "pod"
FINISHED = ("Succeeded", "Failed")


def lives(pod: Pod) -> bool:
    """Whether Calico must have wired the pod: it has a node, its own network, and has not finished."""
    return bool(pod.node) and not pod.host_network and pod.phase not in FINISHED and bool(pod.address or pod.calico_address)


def address_of(pod: Pod) -> str:
    """The pod's IPv4 address; the API's own field before Calico's annotation."""
    for address in pod.addresses + (pod.address or "",):
        if address and ":" not in address:
            return address
    return pod.calico_address or ""


def _network(address: Optional[str]) -> Union[str, Prefix, None]:
    """What decides who is near: the network of an address with its mask; the text itself where it is none."""
    return prefix_or_none(address) or address


def owns_block_routes(pool: Pool) -> str:
    """Who programs a pool's routes before v3.33: ``felix`` for VXLAN, else ``bird``."""
    return "felix" if pool.vxlan_mode != "Never" else "bird"


def is_nobodys(pool: Pool, settings: Settings) -> bool:
    """Whether no program of Calico makes the pool's routes: BGP is switched off and Felix was not told to take its place.

    So it is in clouds whose own tables know the pods' addresses; whether they do, the cluster does not say.
    """
    told = settings.program_cluster_routes
    felix = told == "Enabled" or (told == "EnabledIPIPOnly" and pool.ipip_mode != "Never")
    return owns_block_routes(pool) == "bird" and settings.bgp_enabled is False and not felix


def encapsulations(pools: Tuple[Pool, ...]) -> Set[str]:
    """The encapsulations that Felix is set up for, as keys of OVERHEAD; CrossSubnet counts, and so does a pool that is disabled.

    Source: felix/calc/encapsulation_resolver.go, which asks each pool for its modes only.
    """
    return {"vxlan" if pool.vxlan_mode != "Never" else "ipip" if pool.ipip_mode != "Never" else "none" for pool in pools}


def takes_tunnel_address(pools: Sequence[Pool], kind: str, node: Node) -> bool:
    """Whether calico-node allocates one of that kind: from a pool that is not disabled, may be used for it and selects the node.

    Source: node/pkg/allocateip. A selector that cannot be read requires nothing.
    """
    may = [pool for pool in pools if kind in encapsulations((pool,)) and not pool.disabled and "Tunnel" in pool.allowed_uses]
    return any(selects(pool.node_selector, node.labels) for pool in may)


def pod_mtu(snapshot: Snapshot, uplink_mtu: int) -> int:
    """The MTU a pod wired now gets on a node with that uplink. Installation's own figure wins where it is smaller.

    Source: felix/dataplane/linux/int_dataplane.go determinePodMTU: the minimum over all encapsulations.
    """
    kinds = encapsulations(snapshot.pools) | ({"wireguard"} if snapshot.header.settings.wireguard_enabled else set())
    return uplink_mtu - max([OVERHEAD[kind] for kind in kinds] or [0])


class Expectation:
    """The expected routes of a snapshot, node by node. Everything shared between nodes is worked out once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.settings = snapshot.header.settings
        self.release = release(snapshot.header.calico_version)
        self.nodes: Dict[str, Node] = {node.name: node for node in snapshot.nodes}
        self.pools: PrefixTable[Pool] = PrefixTable()
        for pool in snapshot.pools:
            self.pools.add(pool.cidr, pool)
        self.nobodys = frozenset(pool.name for pool in snapshot.pools if is_nobodys(pool, self.settings))
        self.blocks: PrefixTable = PrefixTable()
        for block in snapshot.blocks:
            if not block.deleted:
                self.blocks.add(block.cidr, block)
        self.live_pods: Dict[str, List[Pod]] = {}
        for pod in snapshot.pods:
            if lives(pod):
                self.live_pods.setdefault(pod.node or "", []).append(pod)
        self._live_addresses = {address_of(pod) for pods in self.live_pods.values() for pod in pods}
        self._owned = tuple(self._block_owners())
        self._borrowed = tuple(self._borrowings())
        self._local: Dict[str, Dict[str, List[ExpectedRoute]]] = {}
        self._views: Dict[tuple, Dict[str, List[ExpectedRoute]]] = {}

    # -- who owns what ------------------------------------------------------------------------------------------

    def pool_of(self, cidr: str) -> Optional[Pool]:
        """The pool that holds an address or block."""
        return self.pools.longest(cidr)

    def is_modelled(self, cidr: str) -> bool:
        """Whether it is known who makes the routes to an address or block of a pool."""
        pool = self.pool_of(cidr)
        return pool is None or pool.name not in self.nobodys

    def _block_owners(self) -> Iterator[Tuple[str, str, Pool, bool]]:
        """(block, node, pool, confirmed) as the pool's owner of routes sees it."""
        for block in self.snapshot.blocks:
            pool = self.pool_of(block.cidr)
            if pool is not None and owns_block_routes(pool) == "felix" and block.owner and not block.deleted:
                yield block.cidr, block.owner, pool, True
        for affinity in self.snapshot.affinities:
            pool = self.pool_of(affinity.cidr)
            if pool is None or owns_block_routes(pool) == "felix" or affinity.deleted or affinity.type != "host":
                continue
            if pool.name in self.nobodys:
                continue
            if affinity.state in ("confirmed", "pendingDeletion"):
                yield affinity.cidr, affinity.node, pool, affinity.state == "confirmed"

    def _borrowings(self) -> Iterator[Tuple[Allocation, Pool, bool]]:
        """(allocation, pool, required) for each address in use on another node than its block's."""
        for block in self.snapshot.blocks:
            pool = self.pool_of(block.cidr)
            if block.deleted or pool is None or (block.affinity or "").startswith("virtual:") or pool.name in self.nobodys:
                continue
            for allocation in block.allocations:
                if allocation.node and allocation.node != block.owner and allocation.node in self.nodes:
                    felix = owns_block_routes(pool) == "felix"
                    # BIRD announces the borrower's kernel route, which only a live pod has; Felix reads the block.
                    required = not allocation.use and (felix or allocation.address in self._live_addresses)
                    yield allocation, pool, required

    def owner_of(self, address: str) -> Optional[str]:
        """The node that owns the block which holds ``address``, as IPAM says."""
        block = self.blocks.longest(address)
        return block.owner if block is not None else None

    # -- the way from node to node ------------------------------------------------------------------------------

    def host_address(self, node: Node) -> Optional[str]:
        """The address other nodes reach it by: Calico's annotation, else InternalIP as Felix falls back to."""
        return (node.calico_address or node.internal_ip or "").partition("/")[0] or None

    def same_subnet(self, node: Node, other: Node) -> bool:
        """Felix's and BIRD's test: the *local* node's own mask holds the remote address. One-sided on purpose."""
        address = self.host_address(other)
        return bool(node.calico_address and address and same_network(node.calico_address, address))

    def way(self, pool: Pool, node: Node, other: Node) -> str:
        """How packets for ``pool`` go from ``node`` to ``other``: VXLAN, IPIP, DIRECT or PLAIN."""
        if pool.vxlan_mode != "Never":
            crossing = pool.vxlan_mode == "Always" or not self.same_subnet(node, other)
            return VXLAN if crossing else DIRECT
        if pool.ipip_mode != "Never":
            return IPIP if pool.ipip_mode == "Always" or not self.same_subnet(node, other) else PLAIN
        return PLAIN

    def uplink(self, node: Node) -> Optional[str]:
        """The device that holds the node's own address, where that was observed."""
        own = self.host_address(node)
        if node.facts is not None and own:
            for address in node.facts.addresses:
                if address.address == own:
                    return address.dev
        return None

    def _felix(self, default: str) -> Tuple[str, ...]:
        number = self.settings.device_route_protocol
        return (default,) if number in (None, 3) else (protocol_name(int(number or 3)),)

    def _cluster_protocols(self, way: str) -> Tuple[str, ...]:
        """Protocol of routes of non-VXLAN pools: BIRD's, unless Felix was told to program them (v3.31+)."""
        told = self.settings.program_cluster_routes
        if told == "Enabled" or (told == "EnabledIPIPOnly" and way == IPIP):
            return self._felix("80")
        if told == "Disabled":
            return ("bird",)
        may = self.release.felix_may_own_cluster_routes and way == IPIP
        return ("bird",) + (self._felix("80") if may else ())

    def shape(self, way: str, node: Node, other: Node) -> Shape:
        """The route of a remote block or borrowed address, going that way."""
        address, uplink = self.host_address(other), self.uplink(node)
        if way == VXLAN:
            return Shape(gateway=other.vxlan_tunnel_address, dev=VXLAN_DEVICE, protocols=self._felix("boot"), onlink=True)
        if way == DIRECT:
            return Shape(gateway=address, dev=uplink, protocols=self._felix("80"), onlink=True, free_dev=uplink is None)
        protocols = self._cluster_protocols(way)
        metrics = self.release.metrics if "bird" in protocols else (0,) + self.release.metrics
        if way == IPIP:
            return Shape(gateway=address, dev=IPIP_DEVICE, protocols=protocols, onlink=True, metrics=metrics)
        # Behind a router the next hop is recursive; with peers of one's own the next hop is the peer's business.
        free = not self.same_subnet(node, other) or not self.settings.mesh_enabled
        return Shape(
            gateway=address, dev=uplink, protocols=protocols, metrics=metrics, free_gateway=free, free_dev=free or uplink is None
        )

    def tunnels(self, node: Node) -> bool:
        """Whether the node has an end of VXLAN tunnels, or ought to: without one Felix programs no route of a VXLAN pool there."""
        return bool(node.vxlan_tunnel_address) or takes_tunnel_address(self.snapshot.pools, "vxlan", node)

    # -- the routes of one node ---------------------------------------------------------------------------------

    def routes_of(self, node: Node) -> Dict[str, Sequence[ExpectedRoute]]:
        """Every route that ``node`` must or may have inside a pool, by role. Silent on what cannot be known (no address …)."""
        routes: Dict[str, Sequence[ExpectedRoute]] = dict(self.local_routes_of(node))
        for role, towards in self.view_of(node).items():
            routes[role] = [route for route in towards if route.owner != node.name]
        return routes

    def local_routes_of(self, node: Node) -> Dict[str, List[ExpectedRoute]]:
        """Of these, the ends of its own blocks and the routes to its own pods."""
        if node.name not in self._local:
            pods = [self.pod_route(pod) for pod in self.live_pods.get(node.name, ())]
            self._local[node.name] = {OWN: self._own_blackholes.get(node.name, []), POD: pods}
        return self._local[node.name]

    def view_of(self, node: Node) -> Dict[str, List[ExpectedRoute]]:
        """The routes towards every node, by role, as ``node`` has them: the same for all nodes of its network and uplink."""
        uplink, tunnels = self.uplink(node), self.tunnels(node)
        key = uplink, tunnels, _network(node.calico_address)
        if key not in self._views:
            self._views[key] = {
                REMOTE: [
                    self._towards(node, cidr, owner, pool, REMOTE, not pool.disable_bgp_export and (tunnels or pool.vxlan_mode == "Never"))
                    for cidr, owner, pool, confirmed in self._owned
                    if owner in self.nodes and confirmed
                ],
                BORROWED: [
                    self._towards(
                        node, allocation.address + "/32", allocation.node or "", pool, BORROWED,
                        required and (tunnels or pool.vxlan_mode == "Never"),
                    )
                    for allocation, pool, required in self._borrowed
                    if not allocation.use.endswith("unnelAddress")
                ],
                TUNNEL: [self._tunnel_address(node, other) for other in self.snapshot.nodes if other.vxlan_tunnel_address],
            }
        return self._views[key]

    @cached_property
    def _own_blackholes(self) -> Dict[str, List[ExpectedRoute]]:
        """By node, the ends of its own blocks. A block of one address has no unused ones."""
        found: Dict[str, List[ExpectedRoute]] = {}
        for cidr, owner, pool, confirmed in self._owned:
            if not cidr.endswith("/32"):
                found.setdefault(owner, []).append(self._own_blackhole(cidr, owner, pool, confirmed))
        return found

    def _own_blackhole(self, cidr: str, owner: str, pool: Pool, confirmed: bool) -> ExpectedRoute:
        felix = owns_block_routes(pool) == "felix"
        protocols = self._felix("80") if felix else self._cluster_protocols(PLAIN if pool.ipip_mode == "Never" else IPIP)
        why = "%s owns this block of pool %s: unused addresses of it end here" % (owner, pool.name)
        return ExpectedRoute(
            cidr, OWN, (Shape("blackhole", protocols=protocols),), why, owner, confirmed, pool.name
        )

    def _towards(self, node: Node, cidr: str, owner: str, pool: Pool, role: str, required: bool) -> ExpectedRoute:
        other = self.nodes[owner]
        way = self.way(pool, node, other)
        what = "owns this block" if role == REMOTE else "borrows this address"
        return ExpectedRoute(
            cidr,
            role,
            (self.shape(way, node, other),),
            "%s %s of pool %s (%s)" % (owner, what, pool.name, way),
            owner,
            # Felix programs no tunnelled route without the owner's VTEP; that lack is vxlan.address's finding.
            required and (way != VXLAN or other.vxlan_tunnel_address is not None),
            pool.name,
        )

    def _tunnel_address(self, node: Node, other: Node) -> ExpectedRoute:
        address = other.vxlan_tunnel_address or ""
        pool = self.pool_of(address)
        direct = pool is not None and self.way(pool, node, other) == DIRECT
        linked = Shape(dev=VXLAN_DEVICE, protocols=self._felix("boot"), scope="link")
        through = Shape(gateway=address, dev=VXLAN_DEVICE, protocols=self._felix("boot"), onlink=True)
        shapes = (self.shape(DIRECT, node, other),) if direct else (linked, through)
        why = "tunnel address of %s" % other.name
        return ExpectedRoute(address + "/32", TUNNEL, shapes, why, other.name, False, pool.name if pool else None)

    def pod_route(self, pod: Pod) -> ExpectedRoute:
        """The route from a pod's host to the pod."""
        device = pod_device(pod.namespace, pod.name, self.settings.interface_prefix)
        shape = Shape(dev=device, protocols=self._felix("boot"), scope="link", metrics=self.release.metrics)
        why = "pod %s/%s runs here" % (pod.namespace, pod.name)
        return ExpectedRoute(address_of(pod) + "/32", POD, (shape,), why, pod.node)
