# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one object uses of ResourceQuotas, and which quotas it counts for (kubernetes/pkg/quota/v1/evaluator/core of v1.32). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .pod_resources import amounts_of, pod_sums
from .quantities import Quantity
from .registry import Resource

Object = Mapping[str, Any]
Usage = dict[str, Quantity]

ONE = Quantity.read(1)
#: Kinds that are counted under their own name, besides `count/NAME`.
COUNTED = frozenset({
    "configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services",
})  # fmt: skip
_COMPUTE = ("cpu", "ephemeral-storage", "memory")
#: Quotas of these ask every container to say how much it wants.
_TO_BE_SAID = frozenset({"cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"})
_CLASS = ".storageclass.storage.k8s.io/"


def usage_of(resource: Resource, obj: Object) -> Usage:
    """Of a pod that has ended, only that it is there."""
    found: Usage = {f"count/{resource.name}": ONE}
    if resource.name == "pods" and (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return found
    if resource.name in COUNTED:
        found[resource.name] = ONE
    if resource.name == "pods":
        found |= _compute({part: pod_sums(obj["spec"], part, Quantity.read) for part in ("requests", "limits")})
    elif resource.name == "services":
        spec = obj.get("spec") or {}
        kind, ports = spec.get("type"), len(spec.get("ports") or ())
        if kind == "LoadBalancer":
            found["services.loadbalancers"] = ONE
        if kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False):
            found["services.nodeports"] = Quantity.read(ports)
    elif resource.name == "persistentvolumeclaims":
        spec = obj.get("spec") or {}
        storage = amounts_of(spec, "requests", Quantity.read).get("storage", Quantity())
        named = spec.get("storageClassName")
        found["requests.storage"] = storage
        if named:
            found |= {f"{named}{_CLASS}requests.storage": storage, f"{named}{_CLASS}persistentvolumeclaims": ONE}
    return found


def _compute(amounts: Mapping[str, Mapping[str, Quantity]]) -> Usage:
    """By the names quotas have: `cpu` is `requests.cpu`."""
    found: Usage = {}
    for name, amount in amounts["requests"].items():
        found[f"requests.{name}"] = amount
        if name in _COMPUTE or name.startswith("hugepages-"):
            found[name] = amount
    for name, amount in amounts["limits"].items():
        if name in _COMPUTE:
            found[f"limits.{name}"] = amount
    return found


def unsaid(pod: Object, hard: Mapping[str, Any]) -> str:
    """What a quota of ``hard`` asks containers to say that some do not: `cpu for: a,b; memory for: b`."""
    missing: dict[str, set[str]] = {}
    for container in (*(pod["spec"].get("containers") or ()), *(pod["spec"].get("initContainers") or ())):
        said = _compute({part: amounts_of(container, part, Quantity.read) for part in ("requests", "limits")})
        for name in _TO_BE_SAID & hard.keys() - said.keys():
            missing.setdefault(name, set()).add(container["name"])
    return "; ".join(f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))


def counts_for(quota: Object, resource: Resource, obj: Object) -> bool:
    """Whether an object is within the quota's scopes; only pods (and claims, by no scope there is here) have any."""
    spec = quota.get("spec") or {}
    terms = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    return not terms or (resource.name == "pods" and all(_within(term, obj) for term in terms))


def _within(term: Mapping[str, Any], pod: Object) -> bool:
    spec, scope = pod["spec"], term["scopeName"]
    if scope == "PriorityClass":
        return _matches(term, spec.get("priorityClassName") or "")
    best_effort = (pod.get("status") or {}).get("qosClass") == "BestEffort"
    return {
        "BestEffort": best_effort,
        "NotBestEffort": not best_effort,
        "Terminating": spec.get("activeDeadlineSeconds") is not None,
        "NotTerminating": spec.get("activeDeadlineSeconds") is None,
        "CrossNamespacePodAffinity": _crosses(spec),
    }.get(scope, False)


def _matches(term: Mapping[str, Any], name: str) -> bool:
    values = term.get("values") or ()
    return {"In": name in values, "NotIn": name not in values, "Exists": bool(name), "DoesNotExist": not name}.get(term["operator"], False)


def _crosses(spec: Mapping[str, Any]) -> bool:
    """Whether an affinity of the pod names other namespaces."""
    for kind in ("podAffinity", "podAntiAffinity"):
        affinity = (spec.get("affinity") or {}).get(kind) or {}
        preferred = [each["podAffinityTerm"] for each in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
        for term in (*(affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or ()), *preferred):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False
