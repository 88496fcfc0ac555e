# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where packets go by the routes that were seen (private)."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from .outputs import Route, Rule


class Hop(NamedTuple):
    """One decision on the way: ``place`` decided by ``route`` (found by ``rule`` in its table) to send to ``next``.

    ``kind`` pod or node; ``how`` direct, gateway, vxlan, ipip, local or none; ``ttl`` of the packet when it arrived.
    """

    kind: str
    place: str
    ttl: int
    route: Optional[Route] = None
    rule: Optional[Rule] = None
    how: str = "none"
    device: Optional[str] = None
    next: Optional[str] = None


class Path(NamedTuple):
    """The way of a packet, by observed routes. ``outcome``: delivered, lost (with ``reason``) or unknown (not observed).

    ``ttl`` is what the packet arrives with, having left with 64; ``encapsulated`` says whether any hop used a tunnel.
    """

    source: str
    destination: str
    source_address: str
    destination_address: str
    hops: Tuple[Hop, ...]
    outcome: str
    reason: Optional[str] = None
    ttl: Optional[int] = None
    encapsulated: bool = False
