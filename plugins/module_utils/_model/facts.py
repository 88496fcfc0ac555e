# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen on a node and in a pod, and why something was not (private)."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from .outputs import Address, Bird, FdbEntry, Link, Masquerade, Neighbour, Route, Rule


class Unobserved(NamedTuple):
    """A piece of evidence that could not be had: which (``routes``, ``sysctls`` …), the command, why."""

    what: str
    command: str
    reason: str


class NodeFacts(NamedTuple):
    """What exec into calico-node told about the node's own network namespace."""

    links: Tuple[Link, ...] = ()
    addresses: Tuple[Address, ...] = ()
    routes: Tuple[Route, ...] = ()
    rules: Tuple[Rule, ...] = ()
    neighbours: Tuple[Neighbour, ...] = ()
    fdb: Tuple[FdbEntry, ...] = ()
    sysctls: Dict[str, str] = {}
    bird: Optional[Bird] = None
    masquerade: Masquerade = Masquerade()
    unobserved: Tuple[Unobserved, ...] = ()


class PodFacts(NamedTuple):
    """What exec into a pod told about the pod's network namespace."""

    links: Tuple[Link, ...] = ()
    addresses: Tuple[Address, ...] = ()
    routes: Tuple[Route, ...] = ()
    neighbours: Tuple[Neighbour, ...] = ()
    unobserved: Tuple[Unobserved, ...] = ()


# Why a node or pod was not asked: the options left it out, or whether they do could not be found out.
NOT_SELECTED, NOT_KNOWN = "not selected", "not known whether"
# Why a node or pod was left to others, where the cluster is collected in shards.
OF_ANOTHER_SHARD = "of another shard"
