# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes as integers and a longest-prefix table (private).

The standard ``ipaddress`` validates and costs about 3 µs an address; a cluster has a million routes. This reads what
iproute2 and the API have printed, so it may assume canonical text and still refuses what is none.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Dict, Generic, Iterable, Iterator, List, NamedTuple, Optional, Tuple, TypeVar

T = TypeVar("T")


class Prefix(NamedTuple):
    """``bits`` 32 or 128, ``value`` the network address as an integer, ``length`` of the mask."""

    bits: int
    value: int
    length: int

    @property
    def last(self) -> int:
        """The highest address in the prefix."""
        return self.value | ((1 << (self.bits - self.length)) - 1)

    def around(self) -> Iterator["Prefix"]:
        """The prefix itself and all that hold it, the longest first."""
        for length in range(self.length, -1, -1):
            shift = self.bits - length
            yield Prefix(self.bits, self.value >> shift << shift, length)

    def covers(self, other: "Prefix") -> bool:
        """Whether every address of ``other`` is in this prefix."""
        shift = self.bits - self.length
        return self.bits == other.bits and self.length <= other.length and self.value >> shift == other.value >> shift

    def overlaps(self, other: "Prefix") -> bool:
        """Whether the two share an address."""
        return self.covers(other) or other.covers(self)


@lru_cache(maxsize=1 << 18)
def prefix(cidr: str) -> Prefix:
    """``192.168.0.0/16`` or a bare address, which is a whole-length prefix. Host bits are dropped. ValueError if neither."""
    address, slash, length = cidr.partition("/")
    bits = 128 if ":" in address else 32
    try:
        packed = socket.inet_pton(socket.AF_INET6 if bits == 128 else socket.AF_INET, address)
        size = int(length) if slash else bits
    except (OSError, ValueError):
        raise ValueError("%r is neither an address nor a prefix" % cidr)
    if not 0 <= size <= bits:
        raise ValueError("%r has an impossible prefix length" % cidr)
    shift = bits - size
    return Prefix(bits, int.from_bytes(packed, "big") >> shift << shift, size)


def prefix_or_none(text: Optional[str]) -> Optional[Prefix]:
    """The prefix that a text is; None for any other. An annotation holds what anybody wrote."""
    try:
        return prefix(text) if text else None
    except ValueError:
        return None


def same_network(own: str, other: str) -> bool:
    """Whether ``other`` (address, with or without mask) lies in the subnet of ``own`` (address with its mask)."""
    subnet, address = prefix_or_none(own), prefix_or_none(other.partition("/")[0])
    return subnet is not None and address is not None and subnet.covers(address)


class PrefixTable(Generic[T]):
    """Longest-prefix match: one dictionary per prefix length, longest first."""

    def __init__(self) -> None:
        self._by_length: Dict[Tuple[int, int], Dict[int, List[T]]] = {}
        self._order: Dict[int, List[Tuple[int, Dict[int, List[T]]]]] = {}

    def add(self, cidr: str, item: T) -> None:
        """File ``item`` under its prefix, after those that are there already."""
        self.extend([(cidr, item)])

    def extend(self, items: Iterable[Tuple[str, T]]) -> None:
        """File many at once."""
        known, network = self._by_length, prefix
        for cidr, item in items:
            bits, value, length = network(cidr)
            table = known.get((bits, length))
            if table is None:
                table = self._new(bits, length)
            if value in table:
                table[value].append(item)
            else:
                table[value] = [item]

    def _new(self, bits: int, length: int) -> Dict[int, List[T]]:
        table: Dict[int, List[T]] = {}
        self._by_length[(bits, length)] = table
        order = self._order.setdefault(bits, [])
        order.append((length, table))
        order.sort(key=lambda entry: -entry[0])
        return table

    def matches(self, address: str) -> Iterator[Tuple[int, List[T]]]:
        """(prefix length, items) for each prefix that holds ``address``, longest first."""
        bits, value, own_length = prefix(address)
        for length, table in self._order.get(bits, ()):
            if length > own_length:
                continue
            shift = bits - length
            found = table.get(value >> shift << shift)
            if found:
                yield length, found

    def longest(self, address: str) -> Optional[T]:
        """The first item of the longest prefix that holds ``address`` (or prefix), or None; nothing holds what is neither."""
        try:
            for _length, items in self.matches(address):
                return items[0]
        except ValueError:
            pass
        return None
