# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and constants of Calico's dataplane that can be predicted from the API alone (private).

Sources: Calico v3.30, libcalico-go/lib/backend/k8s/conversion/workload_endpoint_default.go (device names),
felix/dataplane/linux/vxlan_mgr.go and felix/calc/vxlan_resolver.go (VTEP MAC); held against recordings.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

VXLAN_DEVICE, IPIP_DEVICE, WIREGUARD_DEVICE = "vxlan.calico", "tunl0", "wireguard.cali"
TUNNEL_DEVICES = (VXLAN_DEVICE, IPIP_DEVICE, WIREGUARD_DEVICE)
POD_DEVICE = "eth0"
POD_GATEWAY = "169.254.1.1"
HOST_SIDE_MAC = "ee:ee:ee:ee:ee:ee"
VXLAN_VNI, VXLAN_PORT = 4096, 4789
# Bytes that each encapsulation takes from the uplink's MTU.
OVERHEAD = {"none": 0, "ipip": 20, "vxlan": 50, "wireguard": 60}
# Protocol numbers that iproute2 prints by name (etc/iproute2/rt_protos).
_PROTOCOLS = {
    1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt", 11: "zebra", 12: "bird",
    13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived", 42: "babel", 186: "bgp", 187: "isis",
    188: "ospf", 189: "rip", 192: "eigrp",
}  # fmt: skip


@lru_cache(maxsize=1 << 16)
def pod_device(namespace: str, pod: str, interface_prefix: str = "cali") -> str:
    """The host side of a pod's veth: the prefix and 11 hex digits of SHA-1 of ``namespace.pod``."""
    digest = hashlib.sha1(("%s.%s" % (namespace, pod)).encode()).hexdigest()  # a name, not a secret
    return interface_prefix + digest[:11]


@lru_cache(maxsize=1 << 12)
def vtep_mac(node: str) -> str:
    """The MAC of a node's vxlan.calico: 66 and the first five bytes of SHA-1 of the node's name."""
    return ":".join("%02x" % byte for byte in b"\x66" + hashlib.sha1(node.encode()).digest()[:5])


def protocol_name(number: int) -> str:
    """How iproute2 prints a route protocol: a name where it has one, else the number."""
    return _PROTOCOLS.get(number, str(number))
