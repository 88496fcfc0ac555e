# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all of Felix's tunnel devices have: one address, an MTU, and that they are up (configureTunnelDevice of route_mgr.go)."""

from __future__ import annotations

import contextlib
import socket

from pyroute2.netlink.exceptions import NetlinkError

from .namespaces import NetworkNamespace


def configure(namespace: NetworkNamespace, device: str, address: str, mtu: int) -> None:
    """Any other address goes. In the namespace thread."""
    netlink, index = namespace.netlink, namespace.index(device)
    for message in netlink.get_addr(family=socket.AF_INET, index=index):
        found = message.get_attr("IFA_ADDRESS")
        if found != address:
            netlink.addr("del", index=index, address=found, prefixlen=message["prefixlen"])
    with contextlib.suppress(NetlinkError):  # EEXIST
        netlink.addr("add", index=index, address=address, prefixlen=32)
    netlink.link("set", index=index, state="up", mtu=mtu)
