# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ip -j` and `bridge -j` print, as facts: entries by what makes them the same entry on both sides."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from leaves import flat

Facts = dict[str, str]

#: Of links, addresses, neighbours: numbers of this machine's namespaces.
_NUMBERS = {"ifindex", "link_index", "link_netnsid", "valid_life_time", "preferred_life_time", "used", "confirmed", "updated", "refcnt"}


def entry_facts(name: str, text: str) -> Facts:
    """The entries of the output ``name`` (`ip-j-addr.json` …)."""
    key_of = _KEYS[name]
    found: Facts = {}
    for entry in json.loads(text or "[]"):
        key = key_of(entry) if entry else None
        if key is None:
            continue
        found[f"{key} is"] = "there"
        for field, value in entry.items():
            if field not in _NUMBERS:
                found |= {f"{key} {way}": leaf for way, leaf in flat(_without_numbers(value), field)}
    return found


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_numbers(item) for name, item in value.items() if name not in _NUMBERS}
    if isinstance(value, list):
        if all(isinstance(item, str) for item in value):
            return " ".join(value)
        return {str(item.get("local", place)) if isinstance(item, dict) else str(place): _without_numbers(item) for place, item in enumerate(value)}
    return value


def _route(entry: dict) -> str:
    return " ".join(filter(None, (f"table {entry.get('table', 'main')}", entry.get("type", "unicast"), entry["dst"], entry.get("dev"))))


def _neighbour(entry: dict) -> str | None:
    """Permanent ones, which somebody made; what is learned comes and goes with the traffic."""
    return f"{entry['dst']} {entry['dev']}" if "PERMANENT" in entry["state"] else None


#: Output → what tells its entries apart; None leaves one out.
_KEYS: dict[str, Callable[[dict], str | None]] = {
    "ip-j-d-route-table-all.json": _route,
    "ip-j-d-route.json": _route,
    "ip-j-6-route.json": _route,
    "ip-j-d-link.json": lambda entry: entry["ifname"],
    "ip-j-addr.json": lambda entry: entry["ifname"],
    "ip-j-neigh.json": _neighbour,
    "ip-j-rule.json": lambda entry: f"{entry['priority']} {entry['table']}",
    "bridge-j-fdb.json": lambda entry: f"{entry['mac']} {entry['ifname']}",
}
