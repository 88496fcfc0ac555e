# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What iproute2 and BIRD tell (private)."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from .texts import Cidr, RuleAction


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
