# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of the fabric, a node and a pod, as Docker and Calico's CNI plugin make them.

Source: calico-facts 1, 2.2 and 14; FINDINGS A9 (IPv6 sysctls); recordings `ip-j-d-link.json`, `sysctls.txt`.
Everything here runs in the namespace thread.
"""

from __future__ import annotations

import contextlib
import ipaddress

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import PodNetwork
from .namespaces import NetworkNamespace

BRIDGE = "br-podnet"
#: A node's device on the node network.
UPLINK = "eth0"
POD_GATEWAY = "169.254.1.1"
WORKLOAD_MAC = "ee:ee:ee:ee:ee:ee"
_BOOT = 3
_SCOPE_LINK = 253
#: A Linux bridge has room for 1024 ports; so many nodes fit on one.
_VETH_PREFIX = "veth"

_NODE_SYSCTLS = {
    "ipv4/ip_forward": 1,
    "ipv6/conf/all/forwarding": 1,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "netfilter/nf_conntrack_acct": 1,
}
_POD_SYSCTLS = {
    "ipv4/ip_forward": 0,
    "ipv4/conf/all/rp_filter": 0,
    "ipv4/conf/default/rp_filter": 0,
    "ipv6/conf/all/forwarding": 0,
}


def gateway(node_subnet: str) -> str:
    """The bridge's address: the node network's first, as Docker has it."""
    return str(ipaddress.IPv4Network(node_subnet)[1])


def wire_fabric(fabric: NetworkNamespace, node_subnet: str) -> None:
    """The bridge between the nodes, with the gateway's address."""
    address = ipaddress.IPv4Address(gateway(node_subnet))
    # A bridge without an address of its own takes its ports' lowest, another one with each new node.
    fabric.netlink.link("add", ifname=BRIDGE, kind="bridge", address=f"02:42:{address.packed.hex(':')}")
    fabric.netlink.addr("add", index=fabric.index(BRIDGE), address=str(address), prefixlen=_prefix_length(node_subnet))
    fabric.write_sysctls({"ipv4/ip_forward": 1, "bridge/bridge-nf-call-iptables": 0})
    fabric.link_up(BRIDGE)


def wire_node(fabric: NetworkNamespace, node: NetworkNamespace, number: int, address: str, node_subnet: str) -> None:
    """eth0 on the bridge, the address with the subnet's mask, the default route, a node's sysctls."""
    outside = f"{_VETH_PREFIX}{number}"
    fabric.netlink.link(
        "add", ifname=outside, kind="veth", peer={"ifname": UPLINK, "net_ns_fd": node.descriptors.net}
    )
    fabric.netlink.link("set", index=fabric.index(outside), master=fabric.index(BRIDGE), state="up")
    node.write_sysctls(_NODE_SYSCTLS)
    node.netlink.addr(
        "add",
        index=node.index(UPLINK),
        address=address,
        prefixlen=_prefix_length(node_subnet),
        broadcast="0.0.0.0",
    )
    node.link_up(UPLINK)
    node.netlink.route("add", dst="default", gateway=gateway(node_subnet), oif=node.index(UPLINK), proto=_BOOT)


def wire_pod(node: NetworkNamespace, pod: NetworkNamespace, network: PodNetwork) -> None:
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
    node.write_sysctls(workload_sysctls(network.host_device))
    node.link_up(network.host_device)
    pod.write_sysctls(_POD_SYSCTLS)
    pod.link_up("eth0")
    eth0 = pod.index("eth0")
    pod.netlink.route("add", dst=f"{POD_GATEWAY}/32", oif=eth0, scope=_SCOPE_LINK, proto=_BOOT)
    pod.netlink.route("add", dst="default", gateway=POD_GATEWAY, oif=eth0, proto=_BOOT)
    pod.netlink.addr("add", index=eth0, address=network.address, prefixlen=32)
    node.netlink.route(
        "replace",
        dst=f"{network.address}/32",
        oif=node.index(network.host_device),
        scope=_SCOPE_LINK,
        proto=_BOOT,
    )


def workload_sysctls(device: str) -> dict[str, int]:
    """The settings of a `cali*` device that CNI plugin and Felix write (calico-facts 2.2)."""
    return {
        f"ipv4/conf/{device}/route_localnet": 1,
        f"ipv4/neigh/{device}/proxy_delay": 0,
        f"ipv4/conf/{device}/proxy_arp": 1,
        f"ipv4/conf/{device}/forwarding": 1,
        f"ipv6/conf/{device}/accept_ra": 0,
    }


def unwire_pod(node: NetworkNamespace, network: PodNetwork) -> None:
    """Delete the veth pair, and with it the host route."""
    with contextlib.suppress(NetlinkError):  # the pod's namespace may have taken it away in this very moment
        node.remove_link(network.host_device)


def unwire_node(fabric: NetworkNamespace, number: int) -> None:
    """Pull the node's cable."""
    with contextlib.suppress(NetlinkError):
        fabric.remove_link(f"{_VETH_PREFIX}{number}")


def _prefix_length(network: str) -> int:
    return ipaddress.IPv4Network(network).prefixlen
