# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IP pools: which of them a request may use, and in which order a host walks through a pool's blocks.

Source: calico-facts 4.1, 5.1 and 5.4 (libcalico-go/lib/ipam of Calico v3.30).
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .go_random import below
from .selector import selects

WORKLOAD, TUNNEL = "Workload", "Tunnel"
DEFAULT_BLOCK_SIZE = 26
_FNV32_OFFSET, _FNV32_PRIME = 0x811C9DC5, 0x01000193


class IpamError(Exception):
    """An address that could not be assigned, in the words of Calico's IPAM."""


def object_name(cidr: str) -> str:
    """The name Calico gives to the object of a CIDR: ``192.168.93.192/26`` -> ``192-168-93-192-26``."""
    return cidr.replace(".", "-").replace(":", "-").replace("/", "-")


def block_size(pool: Mapping[str, Any]) -> int:
    """Prefix length of the pool's blocks."""
    return int(pool["spec"].get("blockSize") or DEFAULT_BLOCK_SIZE)


def pool_of(pools: Iterable[Mapping[str, Any]], cidr: str) -> Mapping[str, Any] | None:
    """The pool that contains the address or network ``cidr``; disabled pools count."""
    return next((pool for pool in pools if _contains(pool["spec"]["cidr"], cidr)), None)


def encapsulates_vxlan(pool: Mapping[str, Any]) -> bool:
    """Whether Felix owns the pool's routes (VXLAN and VXLANCrossSubnet), rather than BIRD."""
    return pool["spec"].get("vxlanMode", "Never") not in ("", "Never")


def tunnels_ipip(pool: Mapping[str, Any]) -> str:
    """How the pool uses IPIP: "", Always or CrossSubnet."""
    mode = pool["spec"].get("ipipMode", "Never")
    return "" if mode == "Never" else str(mode)


def usable(
    pools: Sequence[Mapping[str, Any]],
    node: str,
    labels: Mapping[str, str],
    use: str,
    requested: Sequence[str] = (),
) -> list[Mapping[str, Any]]:
    """Pools that may serve a request of ``node``, in listing order.

    ``requested`` are pool names or CIDRs (pod annotation ``ipv4pools``); they override nodeSelector and assignmentMode.
    Raises `IpamError` with Calico's message when none is left.
    """
    enabled = [pool for pool in pools if not pool["spec"].get("disabled")]
    if requested:
        selected = [_requested(enabled, wanted) for wanted in requested]
    else:
        selected = [
            pool
            for pool in enabled
            if pool["spec"].get("assignmentMode", "Automatic") == "Automatic"
            and selects(pool["spec"].get("nodeSelector"), labels)
        ]
    if not selected:
        raise IpamError(f"no configured Calico pools for node {node}")
    allowed = [pool for pool in selected if use in (pool["spec"].get("allowedUses") or (WORKLOAD, TUNNEL))]
    if not allowed:
        raise IpamError(f"cannot find a qualified ippool, no pools match the required use ({use})")
    return allowed


def blocks_for(host: str, pool: Mapping[str, Any]) -> Iterator[str]:
    """All blocks of the pool, once each: from a start that is stable per host name, upwards, with wrap-around.

    Calico draws the start from Go's generator, seeded with the FNV-32 hash of the host name: the blocks are those of a real cluster.
    """
    network = ipaddress.IPv4Network(pool["spec"]["cidr"])
    size = block_size(pool)
    count = 1 << (size - network.prefixlen) if size >= network.prefixlen else 0
    start = below(count, _fnv32(host)) if count else 0
    for step in range(count):
        base = int(network.network_address) + ((start + step) % count << (32 - size))
        yield f"{ipaddress.IPv4Address(base)}/{size}"


@functools.lru_cache(maxsize=8192)
def _contains(pool: str, cidr: str) -> bool:
    return ipaddress.IPv4Network(cidr).subnet_of(ipaddress.IPv4Network(pool))


def _requested(enabled: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    for pool in enabled:
        if wanted in (pool["metadata"]["name"], pool["spec"]["cidr"]):
            return pool
    raise IpamError(f"the given pool ({wanted}) does not exist, or is not enabled")


def _fnv32(text: str) -> int:
    """FNV-1, 32 bits, as Go's `hash/fnv.New32`."""
    value = _FNV32_OFFSET
    for byte in text.encode():
        value = (value * _FNV32_PRIME & 0xFFFFFFFF) ^ byte
    return value
