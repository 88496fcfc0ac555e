# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks (private): one file per family, a registry, and the judgement that runs them over a snapshot."""

from __future__ import annotations

from .judging import OUTCOMES, judge
from .record import Check
from .registry import CHECKS, select

__all__ = ["CHECKS", "OUTCOMES", "Check", "judge", "select"]
