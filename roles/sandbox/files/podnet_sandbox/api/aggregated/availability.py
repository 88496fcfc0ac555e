# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the server behind an APIService answers: kube-apiserver's availability controller, for Calico's.

Here, it does where its Service has an endpoint that is ready. The words are those of kube-aggregator v1.32 (status/available_controller).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..clock import now
from ..store import Store

API_SERVICES = "apiservices.apiregistration.k8s.io"
#: What tells whether one is available.
WATCHED = frozenset({API_SERVICES, "services", "endpoints"})
_NAME = "v3.projectcalico.org"
_AVAILABLE = "Available"


class Found(NamedTuple):
    """What the condition says."""

    available: bool
    reason: str
    message: str


def is_available(service: Mapping[str, Any]) -> bool:
    """Whether an APIService's condition says so."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return any(item["type"] == _AVAILABLE and item["status"] == "True" for item in conditions)


def check(store: Store) -> None:
    """Bring the condition of Calico's APIService, where there is one, to what is so now."""
    service = store.find(API_SERVICES, _NAME)
    if service is None:
        return
    found = _look(store, service["spec"])
    said = {"type": _AVAILABLE, "status": str(found.available), "reason": found.reason, "message": found.message}
    before = next((item for item in (service.get("status") or {}).get("conditions") or () if item["type"] == _AVAILABLE), {})
    if all(before.get(key) == value for key, value in said.items()):
        return
    since = before["lastTransitionTime"] if before.get("status") == said["status"] else now()
    store.patch(API_SERVICES, _NAME, {"status": {"conditions": [{**said, "lastTransitionTime": since}]}}, subresource="status")


def _look(store: Store, spec: Mapping[str, Any]) -> Found:
    reference = spec.get("service")
    if not reference:
        return Found(True, "Local", "Local APIServices are always available")
    name, namespace, wanted = reference["name"], reference["namespace"], reference.get("port", 443)
    service = store.find("services", name, namespace)
    if service is None:
        return Found(False, "ServiceNotFound", f'service/{name} in "{namespace}" is not present')
    port = next((item for item in service["spec"].get("ports") or () if item["port"] == wanted), None)
    if port is None:
        return Found(False, "ServicePortError", f'service/{name} in "{namespace}" is not listening on port {wanted}')
    endpoints = store.find("endpoints", name, namespace)
    if endpoints is None:
        return Found(False, "EndpointsNotFound", f'cannot find endpoints for service/{name} in "{namespace}"')
    port_name = port.get("name", "")
    ready = any(
        subset.get("addresses") and any(item.get("name", "") == port_name for item in subset.get("ports") or ())
        for subset in endpoints.get("subsets") or ()
    )
    if not ready:
        why = f'endpoints for service/{name} in "{namespace}" have no addresses with port name "{port_name}"'
        return Found(False, "MissingEndpoints", why)
    return Found(True, "Passed", "all checks passed")
