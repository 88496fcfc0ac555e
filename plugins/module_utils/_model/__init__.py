# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of the collection (private): what a cluster looks like, what was found, what is the verdict.

Everything is an immutable NamedTuple: small enough for a million routes, comparable, and trivially written as JSON.
Units and shapes, everywhere: CIDRs carry their prefix length (``0.0.0.0/0``, ``192.168.93.193/32``); addresses are
plain strings as ``ip`` prints them; ``None`` means absent; "not observed" is never a default value but an entry in
``unobserved``. Nothing here does I/O or imports anything of the collection.
"""

from __future__ import annotations

from .facts import NOT_KNOWN, NOT_SELECTED, NodeFacts, OF_ANOTHER_SHARD, PodFacts, Unobserved
from .objects import Affinity, Allocation, Block, Handle, Node, Pod, Pool, Settings, Workload
from .outputs import Address, BgpSession, Bird, BirdRoute, FdbEntry, Link, Masquerade, Neighbour, Nexthop, Route, Rule, VxlanLink
from .paths import Hop, Path
from .probes import CapturedEcho, EchoReply, Probe
from .snapshot import Changed, Header, Shard, Snapshot
from .texts import Cidr, Ip, RuleAction
from .verdict import CheckResult, Evidence, FAILED, Finding, INCONCLUSIVE, PASSED, SKIPPED, Subject, Verdict, WARNING

__all__ = [
    "FAILED",
    "INCONCLUSIVE",
    "NOT_KNOWN",
    "NOT_SELECTED",
    "OF_ANOTHER_SHARD",
    "PASSED",
    "SKIPPED",
    "WARNING",
    "Address",
    "Affinity",
    "Allocation",
    "BgpSession",
    "Bird",
    "BirdRoute",
    "Block",
    "CapturedEcho",
    "Changed",
    "CheckResult",
    "Cidr",
    "EchoReply",
    "Evidence",
    "FdbEntry",
    "Finding",
    "Handle",
    "Header",
    "Hop",
    "Ip",
    "Link",
    "Masquerade",
    "Neighbour",
    "Nexthop",
    "Node",
    "NodeFacts",
    "Path",
    "Pod",
    "PodFacts",
    "Pool",
    "Probe",
    "Route",
    "Rule",
    "RuleAction",
    "Settings",
    "Shard",
    "Snapshot",
    "Subject",
    "Unobserved",
    "Verdict",
    "VxlanLink",
    "Workload",
]
