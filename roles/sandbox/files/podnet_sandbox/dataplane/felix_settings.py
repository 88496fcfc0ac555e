# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""FelixConfiguration, as far as this Felix heeds it: how often it looks, and what it takes away that is not its own.

Calico v3.30's configuration reference: `default` is the cluster's, `node.NAME` one node's and goes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .desired import FelixSettings
from .duration import seconds


def settings_of(configurations: Iterable[Mapping[str, Any]], node: str) -> FelixSettings:
    """What Felix of ``node`` goes by. A duration that is none counts as not set, as with Felix, which logs it and goes on."""
    specs = {item["metadata"]["name"]: item.get("spec") or {} for item in configurations}
    spec = {**specs.get("default", {}), **specs.get(f"node.{node}", {})}
    default = FelixSettings()
    return FelixSettings(
        route_refresh=seconds(spec.get("routeRefreshInterval"), default.route_refresh),
        ipset_refresh=seconds(spec.get("ipsetsRefreshInterval"), default.ipset_refresh),
        remove_external_routes=spec.get("removeExternalRoutes") is not False,
        program_cluster_routes=spec.get("programClusterRoutes") == "Enabled",
    )
