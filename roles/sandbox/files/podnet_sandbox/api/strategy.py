# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to an object between a client's request and the Store: defaults, admission, validation, in that order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import structural
from .admission import admit_namespace, admit_pod
from .defaults import fill, fill_pod_status
from .errors import invalid
from .limit_ranges import check_limits, give_defaults
from .parts import EPHEMERAL_CONTAINERS
from .quotas import GROWING, check_quotas
from .registry import Resource
from .service_addresses import ServiceAddresses
from .validation import created_causes, ephemeral_causes, updated_causes

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]

#: What LimitRanges are for.
_LIMITED = ("pods", "persistentvolumeclaims")
_QOS_BEST_EFFORT, _QOS_BURSTABLE, _QOS_GUARANTEED = "BestEffort", "Burstable", "Guaranteed"


class Strategies:
    """The rules of each kind, for one store."""

    def __init__(self, store: Store, service_subnet: str) -> None:
        self._store = store
        self._addresses = ServiceAddresses(store, service_subnet) if service_subnet else None

    def prepare_create(self, resource: Resource, new: Object) -> None:
        """Complete and check a new object, in place. Raises `ApiError`."""
        if resource.has_status:
            _reset_status(resource, new)
        if resource.namespaced:
            admit_namespace(self._store, resource, new)
        if resource.custom:
            structural.prepare(resource, new)
        fill(resource, new)
        if resource.name == "pods":
            give_defaults(self._store, new)
            admit_pod(self._store, resource, new)
            new["status"] = {"phase": "Pending", "qosClass": _quality(new["spec"]), **(new.get("status") or {})}
        _refuse(resource, new, created_causes(resource, new))
        if resource.name in _LIMITED:
            check_limits(self._store, resource, new)
        if resource.namespaced:
            check_quotas(self._store, resource, new)
        if resource.name == "services" and self._addresses:
            self._addresses.assign(resource, new, None)

    def prepare_update(self, resource: Resource, new: Object, old: Mapping[str, Any], subresource: str | None) -> None:
        """Complete and check a changed object, in place. Raises `ApiError`."""
        if resource.custom:
            structural.prepare(resource, new)
        if subresource == EPHEMERAL_CONTAINERS:
            fill(resource, new)
            _refuse(resource, new, list(ephemeral_causes(new, old)))
            return
        if subresource:
            if resource.name == "pods":
                fill_pod_status(new.get("status") or {})
            return
        fill(resource, new)
        _refuse(resource, new, updated_causes(resource, new, old))
        if resource.name in GROWING:
            if resource.name in _LIMITED:
                check_limits(self._store, resource, new)
            check_quotas(self._store, resource, new, old)
        if resource.name == "services" and self._addresses:
            self._addresses.assign(resource, new, old)


def _refuse(resource: Resource, obj: Mapping[str, Any], causes: list[Any]) -> None:
    if causes:
        raise invalid(resource, obj["metadata"].get("name", ""), causes)


def _reset_status(resource: Resource, new: Object) -> None:
    """A client cannot set the status of what it makes; a Node's is the kubelet's, which makes the Node."""
    if resource.name == "nodes":
        return
    initial = _INITIAL_STATUS.get(resource.name)
    if initial is not None:
        new["status"] = initial()
    else:
        new.pop("status", None)


_INITIAL_STATUS: Mapping[str, Callable[[], Object]] = {
    "daemonsets.apps": lambda: {
        "currentNumberScheduled": 0,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 0,
        "numberReady": 0,
    },
    "deployments.apps": dict,
    "ingresses.networking.k8s.io": lambda: {"loadBalancer": {}},
    "namespaces": lambda: {"phase": "Active"},
    "persistentvolumeclaims": lambda: {"phase": "Pending"},
    "persistentvolumes": lambda: {"phase": "Pending"},
    "jobs.batch": dict,
    "cronjobs.batch": dict,
    "poddisruptionbudgets.policy": lambda: {
        "disruptionsAllowed": 0,
        "currentHealthy": 0,
        "desiredHealthy": 0,
        "expectedPods": 0,
    },
    "replicasets.apps": lambda: {"replicas": 0},
    "resourcequotas": dict,
    "services": lambda: {"loadBalancer": {}},
    "statefulsets.apps": lambda: {"replicas": 0, "availableReplicas": 0},
}


def _quality(spec: Mapping[str, Any]) -> str:
    """The QoS class of a pod: from what its containers ask for and are limited to."""
    asked = [
        (resources.get("requests") or {}, resources.get("limits") or {})
        for resources in (container.get("resources") or {} for container in spec.get("containers") or ())
    ]
    if not any(requests or limits for requests, limits in asked):
        return _QOS_BEST_EFFORT
    full = all(
        {"cpu", "memory"} <= limits.keys() and all(requests.get(key, limits[key]) == limits[key] for key in ("cpu", "memory"))
        for requests, limits in asked
    )
    return _QOS_GUARANTEED if full else _QOS_BURSTABLE
