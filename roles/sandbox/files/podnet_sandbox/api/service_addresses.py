# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ClusterIPs and node ports of Services, given at creation as the real API does."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import Cause, invalid, invalid_value
from .registry import Resource

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]

HEADLESS = "None"
#: Addresses at the start of the range that are given only to those who ask for them (min(max(16, size/16), 256)).
_STATIC_MIN, _STATIC_MAX, _STATIC_SHARE = 16, 256, 16
_NODE_PORTS = range(30000, 32768)
_WITH_NODE_PORT = ("LoadBalancer", "NodePort")


class ServiceAddresses:
    """Gives addresses from ``subnet``: stable per Service name, so that a rebuilt lab has the same ones."""

    def __init__(self, store: Store, subnet: str) -> None:
        self._store = store
        self._network = ipaddress.IPv4Network(subnet)

    def assign(self, resource: Resource, service: Object, old: Mapping[str, Any] | None) -> None:
        """Fill what is missing in ``service``; ``old`` is what it was. Raises `ApiError` 422 for what cannot be had."""
        spec = service["spec"]
        if spec.get("type") != "ExternalName":
            self._assign_address(resource, service, (old or {}).get("spec") or {})
        if spec.get("type") in _WITH_NODE_PORT:
            self._assign_ports(resource, service)

    def _assign_address(self, resource: Resource, service: Object, before: Mapping[str, Any]) -> None:
        spec, name = service["spec"], service["metadata"]["name"]
        if not spec.get("clusterIP") and before.get("clusterIP"):
            spec["clusterIP"], spec["clusterIPs"] = before["clusterIP"], list(before["clusterIPs"])
        address = spec.get("clusterIP")
        if address and address == before.get("clusterIP"):
            return
        if not address:
            spec["clusterIP"] = self._choose(service)
        elif address != HEADLESS:
            causes = list(self._refusals(address))
            if causes:
                raise invalid(resource, name, causes)
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _refusals(self, address: str) -> Iterable[Cause]:
        shown = f'[]string{{"{address}"}}'
        try:
            inside = ipaddress.IPv4Address(address) in self._network
        except ValueError:
            yield invalid_value("spec.clusterIPs[0]", f'"{address}"', "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
            return
        if not inside:
            why = (
                f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
                f"The range of valid IPs is {self._network}"
            )
            yield invalid_value("spec.clusterIPs", shown, why)
        elif address in self._taken("clusterIP"):
            yield invalid_value("spec.clusterIPs", shown, f"failed to allocate IP {address}: provided IP is already allocated")

    def _choose(self, service: Mapping[str, Any]) -> str:
        taken = self._taken("clusterIP")
        size = self._network.num_addresses
        static = min(max(_STATIC_MIN, size // _STATIC_SHARE), _STATIC_MAX)
        first = static if size > 2 * static else 1
        usable = size - first - 1  # without the broadcast address
        return _probe(_seed(service, ""), usable, lambda step: str(self._network[first + step]), taken)

    def _assign_ports(self, resource: Resource, service: Object) -> None:
        own = service["metadata"]
        taken = {
            port.get("nodePort")
            for other in self._store.scan("services")
            if other["metadata"]["uid"] != own["uid"]
            for port in other["spec"].get("ports") or ()
        }
        for index, port in enumerate(service["spec"].get("ports") or ()):
            asked = port.get("nodePort")
            field = f"spec.ports[{index}].nodePort"
            if not asked:
                seed = _seed(service, str(port["port"]))
                port["nodePort"] = _probe(seed, len(_NODE_PORTS), _NODE_PORTS.__getitem__, taken)
            elif asked not in _NODE_PORTS:
                why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
                raise invalid(resource, own["name"], [invalid_value(field, str(asked), why)])
            elif asked in taken:
                why = "provided port is already allocated"
                raise invalid(resource, own["name"], [invalid_value(field, str(asked), why)])
            taken.add(port["nodePort"])

    def _taken(self, field: str) -> set[Any]:
        return {service["spec"].get(field) for service in self._store.scan("services")}


def _seed(service: Mapping[str, Any], salt: str) -> int:
    metadata = service["metadata"]
    digest = hashlib.sha256(f"{metadata['namespace']}/{metadata['name']}/{salt}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def _probe(seed: int, size: int, value_at: Callable[[int], Any], taken: set[Any]) -> Any:
    """The first value from ``seed`` on that is not ``taken``."""
    for step in range(size):
        value = value_at((seed + step) % size)
        if value not in taken:
            return value
    raise RuntimeError(f"all {size} service addresses or node ports are taken")
