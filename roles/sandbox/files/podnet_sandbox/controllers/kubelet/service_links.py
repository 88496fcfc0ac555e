# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment variables that tell a container of the Services that were there when it started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def service_links(services: Iterable[Mapping[str, Any]], namespace: str, *, all_of_namespace: bool) -> dict[str, str]:
    """``<NAME>_SERVICE_HOST`` and the Docker-link names of every ClusterIP; of `kubernetes` alone without service links."""
    env: dict[str, str] = {}
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        if not spec.get("clusterIP") or spec["clusterIP"] == "None":
            continue
        api = (metadata["namespace"], metadata["name"]) == ("default", "kubernetes")
        if api or (all_of_namespace and metadata["namespace"] == namespace):
            env |= _variables(metadata["name"], spec)
    return env


def _variables(name: str, spec: Mapping[str, Any]) -> dict[str, str]:
    prefix, address = name.upper().replace("-", "_"), spec["clusterIP"]
    env = {f"{prefix}_SERVICE_HOST": address}
    for number, port in enumerate(spec.get("ports") or ()):
        protocol = port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{address}:{port['port']}"
        if number == 0:
            env |= {f"{prefix}_SERVICE_PORT": str(port["port"]), f"{prefix}_PORT": url}
        if port.get("name"):
            env[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        link = f"{prefix}_PORT_{port['port']}_{protocol}"
        env |= {link: url, f"{link}_ADDR": address, f"{link}_PORT": str(port["port"]), f"{link}_PROTO": protocol.lower()}
    return env
