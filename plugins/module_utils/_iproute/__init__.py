# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of iproute2 ⇄ the model (private): routes, rules, links, addresses, neighbours, VXLAN forwarding entries.

Every ``parse_*`` takes what the command printed, JSON (``ip -j``) or text, and returns a tuple of model objects; every
``*_text`` and ``*_json`` writes one back, so that printing and parsing are inverse. Forms as printed by iproute2 5.18
to 6.x; BusyBox's ``ip route`` is the same text. ``ParseError`` says which line could not be read.
"""

from __future__ import annotations

from .base import ParseError
from .links import address_json, address_text, link_json, link_text, parse_addresses, parse_links
from .neighbours import fdb_json, fdb_text, neighbour_json, neighbour_text, parse_fdb, parse_neighbours
from .routes import parse_routes, route_json, route_text
from .rules import parse_rules, rule_json, rule_text

__all__ = [
    "ParseError",
    "address_json",
    "address_text",
    "fdb_json",
    "fdb_text",
    "link_json",
    "link_text",
    "neighbour_json",
    "neighbour_text",
    "parse_addresses",
    "parse_fdb",
    "parse_links",
    "parse_neighbours",
    "parse_routes",
    "parse_rules",
    "route_json",
    "route_text",
    "rule_json",
    "rule_text",
]
