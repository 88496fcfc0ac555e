# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real packets tell (private)."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple

from .facts import Unobserved


class EchoReply(NamedTuple):
    """One answer as ping printed it; ``rtt_ms`` milliseconds."""

    seq: int
    ttl: int
    rtt_ms: Optional[float] = None


class CapturedEcho(NamedTuple):
    """One ICMP echo packet captured in the destination pod; ``kind`` is request or reply."""

    kind: str
    source: str
    destination: str
    id: int
    seq: int
    ttl: Optional[int] = None


class Probe(NamedTuple):
    """Pings from one pod to another with a capture at the destination.

    ``tunnel_packets``: how far the counters of the encapsulation device on the source node moved during the probe,
    None if they were not read. ``sniffer_saw``: packets the capture saw at all: the sanity leg of a negative claim.
    """

    source: str  # namespace/name
    destination: str
    source_address: str
    destination_address: str
    source_node: str
    destination_node: str
    sent: int
    replies: Tuple[EchoReply, ...] = ()
    captured: Tuple[CapturedEcho, ...] = ()
    sniffer_saw: Optional[int] = None
    tunnel_packets: Optional[int] = None
    payload_bytes: int = 56
    dont_fragment: bool = False
    ping_output: str = ""
    capture_output: str = ""
    unobserved: Tuple[Unobserved, ...] = ()
