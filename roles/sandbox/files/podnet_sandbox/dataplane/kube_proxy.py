# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kube-proxy makes of Services and EndpointSlices: ClusterIPs and the backends behind each port. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .desired import ServicePort

_SERVICE_LABEL = "kubernetes.io/service-name"

Object = Mapping[str, Any]


def service_ports(services: Iterable[Object], slices: Iterable[Object]) -> tuple[ServicePort, ...]:
    """Every TCP and UDP port of every ClusterIP; a port without ready backends is there and empty."""
    by_service: dict[tuple[str, str], list[Object]] = {}
    for endpoint_slice in slices:
        metadata = endpoint_slice["metadata"]
        name = (metadata.get("labels") or {}).get(_SERVICE_LABEL, "")
        by_service.setdefault((metadata["namespace"], name), []).append(endpoint_slice)
    found = []
    for service in services:
        metadata, spec = service["metadata"], service["spec"]
        address = spec.get("clusterIP")
        if not address or address == "None":
            continue
        own = by_service.get((metadata["namespace"], metadata["name"]), [])
        for port in spec.get("ports") or ():
            protocol = port.get("protocol", "TCP").lower()
            backends = tuple(sorted(_backends(own, port)))
            found.append(ServicePort(address, protocol, port["port"], backends))
    return tuple(sorted(found))


def _backends(slices: Iterable[Object], port: Object) -> Iterator[str]:
    for endpoint_slice in slices:
        number = next(
            (entry["port"] for entry in endpoint_slice.get("ports") or () if _name(entry) == _name(port)), None
        )
        for endpoint in endpoint_slice.get("endpoints") or ():
            if number is not None and (endpoint.get("conditions") or {}).get("ready") is not False:
                yield f"{endpoint['addresses'][0]}:{number}"


def _name(port: Object) -> str:
    """A Service leaves out the name of its only port, its EndpointSlice has it empty."""
    return port.get("name") or ""
