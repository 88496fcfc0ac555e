# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One IPAMBlock.spec: assigning and releasing ordinals, as libcalico-go's allocation block does.

An ordinal is an address's place in its block. ``allocations[ordinal]`` is an index into ``attributes`` or None;
``unallocated`` is a FIFO of free ordinals, so that addresses come back least recently freed first
(recordings: pod-deleted). All functions change the spec they are given.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

Spec = dict[str, Any]


class Allocation(NamedTuple):
    """One address in use. ``attributes`` are its ``secondary`` keys (node, pod, namespace, type, timestamp)."""

    address: str
    handle: str
    attributes: Mapping[str, str]


def empty(cidr: str, affinity: str | None, sequence: int) -> Spec:
    """A new block without allocations. ``sequence`` is a large number that only grows (Calico: nanoseconds)."""
    size = ipaddress.IPv4Network(cidr).num_addresses
    spec: Spec = {
        "allocations": [None] * size,
        "attributes": [],
        "cidr": cidr,
        "deleted": False,
        "sequenceNumber": sequence,
        "sequenceNumberForAllocation": {},
        "strictAffinity": False,
        "unallocated": list(range(size)),
    }
    if affinity:
        spec["affinity"] = affinity
    return spec


def owner(spec: Mapping[str, Any]) -> str | None:
    """The host the block is affine to, or None (no affinity, or a virtual one)."""
    kind, _ignored, name = (spec.get("affinity") or "").partition(":")
    return name if kind == "host" else None


def is_free(spec: Mapping[str, Any], address: str) -> bool:
    """Whether ``address`` lies in the block and is not assigned."""
    ordinal = _ordinal(spec, address)
    return ordinal is not None and spec["allocations"][ordinal] is None


def assign(
    spec: Spec,
    handle: str,
    attributes: Mapping[str, str],
    address: str | None = None,
    reserved: Sequence[ipaddress.IPv4Network] = (),
) -> str | None:
    """Take ``address``, or the block's next free one outside ``reserved``. Returns the address, None when there is none."""
    ordinal = _next(spec, reserved) if address is None else _ordinal(spec, address)
    if ordinal is None:
        return None
    spec["unallocated"].remove(ordinal)
    attribute = {"handle_id": handle, "secondary": dict(attributes)}
    if attribute not in spec["attributes"]:
        spec["attributes"].append(attribute)
    spec["allocations"][ordinal] = spec["attributes"].index(attribute)
    spec.setdefault("sequenceNumberForAllocation", {})[str(ordinal)] = spec.get("sequenceNumber", 0)
    _count(spec)
    return _address(spec, ordinal)


def release(spec: Spec, handle: str) -> list[str]:
    """Free every address of ``handle``; they go to the end of the queue. Returns the addresses freed."""
    indexes = {index for index, attribute in enumerate(spec["attributes"]) if attribute["handle_id"] == handle}
    ordinals = [ordinal for ordinal, index in enumerate(spec["allocations"]) if index in indexes]
    for ordinal in ordinals:
        spec["allocations"][ordinal] = None
        spec["unallocated"].append(ordinal)
    if ordinals:
        _drop_attributes(spec, indexes)
        _count(spec)
    return [_address(spec, ordinal) for ordinal in ordinals]


def allocations(spec: Mapping[str, Any]) -> Iterator[Allocation]:
    """The addresses in use, ascending."""
    for ordinal, index in enumerate(spec["allocations"]):
        if index is not None:
            attribute = spec["attributes"][index]
            yield Allocation(
                _address(spec, ordinal), attribute.get("handle_id") or "", attribute.get("secondary") or {}
            )


def _next(spec: Spec, reserved: Sequence[ipaddress.IPv4Network]) -> int | None:
    """The first of the queue that is not reserved; those that are keep their place in it."""
    inside = [each for each in reserved if each.overlaps(ipaddress.IPv4Network(spec["cidr"]))]
    usable = (each for each in spec["unallocated"] if not any(ipaddress.IPv4Address(_address(spec, each)) in net for net in inside))
    return next(usable, None)


def _count(spec: Spec) -> None:
    """Once more for each change; a block that somebody wrote by hand may not have begun (Go's zero)."""
    spec["sequenceNumber"] = spec.get("sequenceNumber", 0) + 1


def _drop_attributes(spec: Spec, indexes: set[int]) -> None:
    kept = [index for index in range(len(spec["attributes"])) if index not in indexes]
    renumbered = {old: new for new, old in enumerate(kept)}
    spec["attributes"] = [spec["attributes"][index] for index in kept]
    spec["allocations"] = [None if index is None else renumbered[index] for index in spec["allocations"]]


def _address(spec: Mapping[str, Any], ordinal: int) -> str:
    return str(ipaddress.IPv4Address(_base(spec["cidr"]) + ordinal))


@functools.lru_cache(maxsize=4096)
def _base(cidr: str) -> int:
    """The block's first address as a number; asked for at every change of every block."""
    return int(ipaddress.IPv4Network(cidr).network_address)


def _ordinal(spec: Mapping[str, Any], address: str) -> int | None:
    network = ipaddress.IPv4Network(spec["cidr"])
    ip = ipaddress.IPv4Address(address)
    return int(ip) - int(network.network_address) if ip in network else None
