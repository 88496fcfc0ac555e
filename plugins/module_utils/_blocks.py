# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Calico cuts a pool into blocks, and what the objects of IPAM are called (private, pure).

Sources: IPPool's blockSize in the API reference (20 to 32 and 116 to 128, 26 and 122 where it is not given); libcalico-go's
names.CIDRToName and lib/ipam. Held against recordings.
"""

from __future__ import annotations

import ipaddress
from typing import Any, Dict, List, Optional

#: By IP version: the largest block, the smallest, and what it is where a pool says nothing, as prefix lengths.
LARGEST, SMALLEST, DEFAULT = {4: 20, 6: 116}, {4: 32, 6: 128}, {4: 26, 6: 122}
#: More than these are counted and not listed: a /8 of /26 blocks has four times as many.
MOST_LISTED = 1 << 16


def block_of(address: str, pool: Optional[str] = None, size: Optional[int] = None) -> str:
    """The block that holds the address. ValueError where one of these is none, or the address is not in the pool."""
    one = ipaddress.ip_interface(address)
    if one.network.prefixlen != one.max_prefixlen:
        raise ValueError("%s is not one address" % address)
    if pool is not None:
        network = ipaddress.ip_network(pool)
        if one.version != network.version or one.ip not in network:
            raise ValueError("%s is not in the pool %s" % (one.ip, pool))
        return str(ipaddress.ip_network((one.ip, _length(network, size)), strict=False))
    return str(ipaddress.ip_network((one.ip, _size(one.version, size)), strict=False))


def blocks_in(pool: str, size: Optional[int] = None) -> List[str]:
    """All blocks of the pool, by address. ValueError where they are more than MOST_LISTED."""
    network = ipaddress.ip_network(pool)
    length = _length(network, size)
    number = 1 << (length - network.prefixlen)
    if number > MOST_LISTED:
        raise ValueError("%s has %d blocks, more than the %d that are listed" % (pool, number, MOST_LISTED))
    return [str(block) for block in network.subnets(new_prefix=length)]


def capacity(pool: str, size: Optional[int] = None) -> Dict[str, int]:
    """How many blocks the pool has, and addresses. Calico gives all of a block's addresses away, the first and last too."""
    network = ipaddress.ip_network(pool)
    length = _length(network, size)
    each = 1 << (network.max_prefixlen - length)
    return {
        "block_size": length,
        "blocks": network.num_addresses // each,
        "addresses_per_block": each,
        "addresses": network.num_addresses,
    }


def _length(pool: Any, size: Optional[int]) -> int:
    length = _size(pool.version, size)
    if length < pool.prefixlen:
        raise ValueError("a block of /%d is larger than the pool %s" % (length, pool))
    return length


def _size(version: int, size: Optional[int]) -> int:
    length = DEFAULT[version] if size is None else size
    if not LARGEST[version] <= length <= SMALLEST[version]:
        raise ValueError("block_size is %d, and of IPv%d from %d to %d" % (length, version, LARGEST[version], SMALLEST[version]))
    return length


def block_name(block: str, node: Optional[str] = None) -> str:
    """What the IPAMBlock is called in the API; with ``node``, the BlockAffinity. ValueError where it is no network."""
    name = "".join("-" if char in ".:/" else char for char in str(ipaddress.ip_network(block)))
    return "%s-%s" % (node, name) if node else name


#: What an address is for → the beginning of its handle; the end is the pod's container id, else the node's name.
HANDLES = {
    "workload": "k8s-pod-network.",
    "vxlan": "vxlan-tunnel-addr-",
    "ipip": "ipip-tunnel-addr-",
    "wireguard": "wireguard-tunnel-addr-",
}


def handle_id(holder: str, use: str = "workload") -> str:
    """The handle by which IPAM knows an address; its IPAMHandle is called the same in lower case."""
    if use not in HANDLES:
        raise ValueError("use is %r, and one of %s" % (use, ", ".join(HANDLES)))
    return HANDLES[use] + holder
