# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forwarding as it was observed (private): one node's decision, and the walk from pod to pod through all of them."""

from __future__ import annotations

from .table import RouteTable
from .tables import DEFAULT_RULES, Decision, Fib
from .walking import Network, walk

__all__ = ["DEFAULT_RULES", "Decision", "Fib", "Network", "RouteTable", "walk"]
