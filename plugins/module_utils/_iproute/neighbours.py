# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip neigh`, and VXLAN forwarding entries by `bridge fdb` or `ip -f bridge neigh` (private).

The calico-node image has no ``bridge`` command, but ``ip -f bridge neigh show dev vxlan.calico`` prints the same
entries. When a device is named on the command line, iproute2 leaves it out of the output: pass it as ``dev``.
"""

from __future__ import annotations

from typing import Callable, Iterator, Optional, Tuple

from .._model import FdbEntry, Neighbour
from .base import ParseError, drop_none, parse

_STATES = frozenset("INCOMPLETE REACHABLE STALE DELAY PROBE FAILED NOARP PERMANENT NONE".split())


def parse_neighbours(output: str, dev: Optional[str] = None) -> Tuple[Neighbour, ...]:
    """ARP and ND entries by device and address (the kernel's order is a hash's); one that has not been resolved has no MAC."""

    def from_json(entry: dict) -> Iterator[Neighbour]:
        yield Neighbour(entry.get("dev", dev), entry["dst"], entry.get("lladdr"), tuple(entry.get("state") or ()))

    entries = parse(output, "ip neigh", from_json, lambda text: _from_text(text, dev))
    return tuple(sorted(entries, key=lambda entry: (entry.dev, entry.address)))


def _from_text(output: str, dev: Optional[str]) -> Iterator[Neighbour]:
    for line in output.splitlines():
        words = line.split()
        if not words:
            continue
        values = dict(zip(words, words[1:]))
        states = tuple(word for word in words[1:] if word in _STATES)
        device = values.get("dev", dev)
        if device is None or words[0] == "dev":
            raise ParseError("ip neigh: no address or device in %.200r" % line)
        yield Neighbour(device, words[0], values.get("lladdr"), states)


def parse_fdb(output: str, dev: Optional[str] = None) -> Tuple[FdbEntry, ...]:
    """Forwarding entries that lead somewhere, by MAC: those without a destination say nothing about a tunnel and are left out."""
    entries = parse(output, "fdb", _fdb_reader(dev), lambda text: _fdb_from_text(text, dev))
    return tuple(sorted((entry for entry in entries if entry.dst), key=lambda entry: (entry.dev, entry.mac)))


def _fdb_reader(dev: Optional[str]) -> Callable[[dict], Iterator[FdbEntry]]:
    def from_json(entry: dict) -> Iterator[FdbEntry]:
        state = entry.get("state") or ()
        states = (state,) if isinstance(state, str) else tuple(state)
        mac = entry.get("mac") or entry.get("lladdr")
        if mac:
            yield FdbEntry(entry.get("ifname") or entry.get("dev") or dev, mac, entry.get("dst"), _normal(states))

    return from_json


def _normal(states: Tuple[str, ...]) -> Tuple[str, ...]:
    return tuple(state.lower() for state in states if state.lower() != "noarp")


def _fdb_from_text(output: str, dev: Optional[str]) -> Iterator[FdbEntry]:
    for line in output.splitlines():
        words = line.split()
        if not words:
            continue
        values = dict(zip(words, words[1:]))
        device = values.get("dev", dev)
        if "lladdr" in values:  # ip -f bridge neigh
            mac: Optional[str] = values["lladdr"]
            address = words[0] if words[0] not in ("dev", "lladdr") else None
            states = tuple(word for word in words if word in _STATES)
        else:  # bridge fdb
            mac, address = words[0], values.get("dst")
            states = tuple(word for word in words if word in ("permanent", "static"))
        if device is None or mac is None:
            raise ParseError("fdb: no device or MAC in %.200r" % line)
        yield FdbEntry(device, mac, address, _normal(states))


def neighbour_json(neighbour: Neighbour) -> dict:
    """The entry as ``ip -j neigh`` prints it."""
    entry = {"dst": neighbour.address, "dev": neighbour.dev, "lladdr": neighbour.mac, "state": list(neighbour.states)}
    return drop_none(entry)


def neighbour_text(neighbour: Neighbour) -> str:
    """The entry as ``ip neigh`` prints it."""
    words = [neighbour.address, "dev", neighbour.dev] + (["lladdr", neighbour.mac] if neighbour.mac else [])
    return " ".join(words + list(neighbour.states))


def fdb_json(entry: FdbEntry) -> dict:
    """The entry as ``ip -j -f bridge neigh`` prints it."""
    states = [state.upper() for state in entry.states]
    return drop_none({"dst": entry.dst, "dev": entry.dev, "lladdr": entry.mac, "state": states})


def fdb_text(entry: FdbEntry) -> str:
    """The entry as ``bridge fdb`` prints it."""
    words = [entry.mac, "dev", entry.dev] + (["dst", entry.dst] if entry.dst else []) + ["self"]
    return " ".join(words + list(entry.states))
