# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as Go writes them (``1m30s``), in which Calico's objects are written."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def seconds(duration: Any, default: float) -> float:
    """``duration`` in seconds; ``default`` where it is none."""
    if duration == "0":
        return 0.0
    if not isinstance(duration, str) or not duration or _PART.sub("", duration):
        return default
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
