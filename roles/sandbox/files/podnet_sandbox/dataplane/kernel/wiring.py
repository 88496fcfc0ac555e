# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of a node and a pod, as Docker and Calico's CNI plugin make them.

Source: calico-facts 1, 2.2 and 14; FINDINGS A9 (IPv6 sysctls); recordings `ip-j-d-link.json`, `sysctls.txt`.
Everything here runs in the namespace thread.

A file in /proc/sys/net takes the longer to open the more namespaces there are, for the kernel keeps those of all in one chain. With a
thousand pods that is most of what wiring costs: what netlink can set is not written there.
"""

from __future__ import annotations

import contextlib
import ipaddress

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import PodNetwork
from .namespaces import NetworkNamespace

#: A node's device on the node network.
UPLINK = "eth0"
POD_GATEWAY = "169.254.1.1"
WORKLOAD_MAC = "ee:ee:ee:ee:ee:ee"
BOOT = 3
SCOPE_LINK = 253
_ONLINK = 4

_NODE_SYSCTLS = {
    "ipv4/ip_forward": 1,
    "ipv6/conf/all/forwarding": 1,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "netfilter/nf_conntrack_acct": 1,
}
#: Of a `cali*` device what the CNI plugin and Felix write (calico-facts 2.2).
_WORKLOAD_SETTINGS = {"route_localnet": 1, "proxy_arp": 1, "forwarding": 1}
_WORKLOAD_PROXY_DELAY = 0
_POD_SYSCTLS = {
    "ipv4/ip_forward": 0,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv6/conf/all/forwarding": 0,
}


def wire_uplink(node: NetworkNamespace, address: ipaddress.IPv4Interface, gateway: str) -> None:
    """The node's address with its own mask, the default route, a node's sysctls."""
    node.write_sysctls(_NODE_SYSCTLS)
    uplink = node.index(UPLINK)
    prefix = address.network.prefixlen
    node.netlink.addr("add", index=uplink, address=str(address.ip), prefixlen=prefix, broadcast="0.0.0.0")
    node.link_up(UPLINK)
    # A subnet as small as two nodes has no address for a router; the recorded one is reached all the same.
    flags = 0 if ipaddress.IPv4Address(gateway) in address.network else _ONLINK
    node.netlink.route("add", dst="default", gateway=gateway, oif=uplink, proto=BOOT, flags=flags)


class PodSysctls:
    """What a pod's namespace must be told. All begin alike: what the first one has of itself is not written in others."""

    def __init__(self) -> None:
        self._lacking: dict[str, int] | None = None

    def write(self, pod: NetworkNamespace) -> None:
        """Make the new namespace a pod's."""
        if self._lacking is None:
            begins = pod.sysctls(_POD_SYSCTLS)
            self._lacking = {key: value for key, value in _POD_SYSCTLS.items() if begins.get(key, value) != value}
        if self._lacking:
            pod.write_sysctls(self._lacking)


def wire_pod(node: NetworkNamespace, pod: NetworkNamespace, network: PodNetwork, sysctls: PodSysctls) -> None:
    """What Calico's CNI plugin does on ADD, in its order (calico-facts 1): the host route comes last."""
    node.remove_link(network.host_device)
    node.netlink.link(
        "add",
        ifname=network.host_device,
        kind="veth",
        mtu=network.mtu,
        address=WORKLOAD_MAC,
        txqlen=0,
        num_tx_queues=1,
        num_rx_queues=1,
        peer={
            "ifname": "eth0",
            "net_ns_fd": pod.descriptors.net,
            "mtu": network.mtu,
            "num_tx_queues": 1,
            "num_rx_queues": 1,
        },
    )
    node.write_sysctls({f"ipv6/conf/{network.host_device}/accept_ra": 0})
    node.netlink.proxy_delay(node.index(network.host_device), _WORKLOAD_PROXY_DELAY)
    node.link_up(network.host_device, _WORKLOAD_SETTINGS)
    sysctls.write(pod)
    pod.link_up("eth0")
    eth0 = pod.index("eth0")
    pod.netlink.route("add", dst=f"{POD_GATEWAY}/32", oif=eth0, scope=SCOPE_LINK, proto=BOOT)
    pod.netlink.route("add", dst="default", gateway=POD_GATEWAY, oif=eth0, proto=BOOT)
    pod.netlink.addr("add", index=eth0, address=network.address, prefixlen=32)
    node.netlink.route(
        "replace",
        dst=f"{network.address}/32",
        oif=node.index(network.host_device),
        scope=SCOPE_LINK,
        proto=BOOT,
    )


def unwire_pod(node: NetworkNamespace, network: PodNetwork) -> None:
    """Delete the veth pair, and with it the host route."""
    with contextlib.suppress(NetlinkError):  # the pod's namespace may have taken it away in this very moment
        node.remove_link(network.host_device)
