# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of a form that is looked at when a file is read (private): ``_decoding``."""

from __future__ import annotations

from typing import NewType

#: A CIDR with its prefix length.
Cidr = NewType("Cidr", str)
#: An address without one.
Ip = NewType("Ip", str)
#: What a policy rule does: ``lookup main``, ``goto 32766``, ``unreachable`` …
RuleAction = NewType("RuleAction", str)
