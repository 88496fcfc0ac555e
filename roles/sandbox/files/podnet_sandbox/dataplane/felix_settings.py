# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FelixConfiguration, as far as this Felix heeds it: how often it looks, and what it takes away that is not its own.

Calico v3.30's configuration reference: `default` is the cluster's, `node.NAME` one node's and goes before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .desired import FelixSettings

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def settings_of(configurations: Iterable[Mapping[str, Any]], node: str) -> FelixSettings:
    """What Felix of ``node`` goes by. A duration that is none counts as not set, as with Felix, which logs it and goes on."""
    specs = {item["metadata"]["name"]: item.get("spec") or {} for item in configurations}
    spec = {**specs.get("default", {}), **specs.get(f"node.{node}", {})}
    default = FelixSettings()
    return FelixSettings(
        route_refresh=_seconds(spec.get("routeRefreshInterval"), default.route_refresh),
        ipset_refresh=_seconds(spec.get("ipsetsRefreshInterval"), default.ipset_refresh),
        remove_external_routes=spec.get("removeExternalRoutes") is not False,
    )


def _seconds(duration: Any, default: float) -> float:
    """A duration as Go writes it (``1m30s``), in seconds."""
    if duration == "0":
        return 0.0
    if not isinstance(duration, str) or not duration or _PART.sub("", duration):
        return default
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
