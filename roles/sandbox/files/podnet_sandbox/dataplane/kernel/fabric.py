# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies between the nodes: a bridge for each of their subnets, and a router with an address on every one.

The router forwards, which costs a packet one of its TTL, and knows no pod network; as in recording
vxlancrosssubnet-two-subnets. Everything here runs in the namespace thread.
"""

from __future__ import annotations

import contextlib
import ipaddress

from pyroute2.netlink.exceptions import NetlinkError

from .namespaces import NetworkNamespace
from .neighbours import Neighbours
from .wiring import BOOT, SCOPE_LINK, UPLINK, wire_uplink

_BRIDGE = "br-podnet"
#: A Linux bridge has room for 1024 ports; so many nodes fit on one.
_CABLE = "veth"


class Fabric:
    """The node networks. A subnet's bridge is made with the first node of it."""

    def __init__(self, router: NetworkNamespace, neighbours: Neighbours) -> None:
        self._router = router
        self._neighbours = neighbours
        self._bridges: dict[ipaddress.IPv4Network, str] = {}
        router.write_sysctls({"ipv4/ip_forward": 1, "bridge/bridge-nf-call-iptables": 0})

    def join(self, name: str, number: int, node: NetworkNamespace, interface: str, gateway: str) -> None:
        """eth0 of a node on the bridge of its subnet. ``interface``: its address with its own mask; ``gateway``: the router."""
        address = ipaddress.IPv4Interface(interface)
        bridge = self._bridge(address.network, ipaddress.IPv4Address(gateway))
        outside = f"{_CABLE}{number}"
        self._router.netlink.link("add", ifname=outside, kind="veth", peer={"ifname": UPLINK, "net_ns_fd": node.descriptors.net})
        self._router.netlink.link("set", index=self._router.index(outside), master=self._router.index(bridge), state="up")
        wire_uplink(node, address, gateway)
        self._neighbours.station(name, bridge, node, UPLINK, str(address.ip))

    def leave(self, name: str, number: int) -> None:
        """Pull the node's cable."""
        with contextlib.suppress(NetlinkError):
            self._router.remove_link(f"{_CABLE}{number}")
        self._neighbours.station_gone(name)

    def _bridge(self, subnet: ipaddress.IPv4Network, gateway: ipaddress.IPv4Address) -> str:
        """The subnet's bridge, with the gateway's address; one that lies outside is reached, and reaches, on the link."""
        if subnet in self._bridges:
            return self._bridges[subnet]
        name = f"{_BRIDGE}{len(self._bridges) + 1 if self._bridges else ''}"
        netlink = self._router.netlink
        # A bridge without an address of its own takes its ports' lowest, another one with each new node.
        mac = bytes((0x02, 0x42 + len(self._bridges), *gateway.packed))
        netlink.link("add", ifname=name, kind="bridge", address=mac.hex(":"))
        index = self._router.index(name)
        inside = gateway in subnet
        netlink.addr("add", index=index, address=str(gateway), prefixlen=subnet.prefixlen if inside else 32)
        self._router.link_up(name)
        if not inside:
            netlink.route("add", dst=str(subnet), oif=index, scope=SCOPE_LINK, proto=BOOT)
        self._bridges[subnet] = name
        self._neighbours.station(f"router on {name}", name, self._router, name, str(gateway))
        return name
