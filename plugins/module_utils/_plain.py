# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model objects as what a task returns (private): NamedTuples become mappings with all their fields, tuples lists."""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """``value`` as dicts, lists and scalars, ready for JSON."""
    if hasattr(value, "_fields"):
        return {name: plain(field) for name, field in zip(value._fields, value)}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
