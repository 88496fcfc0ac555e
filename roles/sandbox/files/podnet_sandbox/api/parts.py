# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which part of an object a subresource writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FINALIZE, EPHEMERAL_CONTAINERS = "finalize", "ephemeralcontainers"
_EPHEMERAL_FIELD = "ephemeralContainers"


def with_part(live: Mapping[str, Any], obj: Mapping[str, Any], subresource: str) -> dict[str, Any]:
    """``live`` with that part of ``obj``, or without where ``obj`` has none."""
    if subresource == EPHEMERAL_CONTAINERS:
        return _with(live, "spec", _with(live["spec"], _EPHEMERAL_FIELD, (obj.get("spec") or {}).get(_EPHEMERAL_FIELD)))
    part = "spec" if subresource == FINALIZE else "status"
    return _with(live, part, obj.get(part))


def _with(whole: Mapping[str, Any], field: str, value: Any) -> dict[str, Any]:
    changed = {**whole, field: value}
    if value is None:
        del changed[field]
    return changed
