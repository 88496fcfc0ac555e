# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ResourceQuotas: nothing is made, or grows, beyond them (plugin/pkg/admission/resourcequota/controller.go of v1.32).

What is used is counted when it is asked for, not read from a status: one thread writes at a time, so it cannot be outdated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .errors import forbidden
from .quantities import Quantity
from .quota_usage import COUNTED, Usage, counts_for, unsaid, usage_of
from .registry import Resource

if TYPE_CHECKING:
    from .store import Store

Object = Mapping[str, Any]

#: What may use more after an update.
GROWING = ("services", "persistentvolumeclaims")
#: Where names of quotas lead to that are not those of a kind.
_OF_KIND = {"services.loadbalancers": "services", "services.nodeports": "services"}


def check_quotas(store: Store, resource: Resource, new: Object, old: Object | None = None) -> None:
    """Refuse what no quota of the namespace has room for. Raises `ApiError` 403."""
    name, namespace = new["metadata"].get("name", ""), new["metadata"]["namespace"]
    for quota in store.scan("resourcequotas", namespace):
        hard = hard_of(quota)
        wanted = {key: amount for key, amount in usage_of(resource, new).items() if key in hard}
        if not counts_for(quota, resource, new) or (resource.name != "pods" and not wanted):
            continue
        before = usage_of(resource, old) if old is not None else {}
        missing = unsaid(new, hard) if resource.name == "pods" else ""
        if missing:
            raise forbidden(resource, name, f"failed quota: {quota['metadata']['name']}: must specify {missing}")
        delta = {key: amount - before.get(key, Quantity()) for key, amount in wanted.items()}
        used = used_of(store, quota, delta)
        over = sorted(key for key in delta if delta[key].value > 0 and (used[key] + delta[key]).value > Quantity.read(hard[key]).value)
        if over:
            said = [
                ",".join(f"{key}={amounts[key]}" for key in over)
                for amounts in (delta, used, {key: Quantity.read(hard[key]) for key in over})
            ]
            why = f"exceeded quota: {quota['metadata']['name']}, requested: {said[0]}, used: {said[1]}, limited: {said[2]}"
            raise forbidden(resource, name, why)


def hard_of(quota: Object) -> Mapping[str, Any]:
    """What there may be at most, by name."""
    return (quota.get("spec") or {}).get("hard") or {}


def used_of(store: Store, quota: Object, names: Iterable[str]) -> Usage:
    """How much of ``names`` the objects of the quota's namespace use that count for it; 0 of what there is none of."""
    used = {name: Quantity() for name in names}
    for kind in {kind_of(name) for name in used}:
        if not store.resources.serves(kind):
            continue
        resource = store.resources.by_name(kind)
        for obj in store.scan(kind, quota["metadata"]["namespace"]):
            if counts_for(quota, resource, obj):
                for name, amount in usage_of(resource, obj).items():
                    if name in used:
                        used[name] += amount
    return used


def kind_of(name: str) -> str:
    """The resource whose objects a quota's name counts: `count/deployments.apps`, `pods`, `requests.storage`; else pods' own needs."""
    if name.startswith("count/"):
        return name.removeprefix("count/")
    if name in COUNTED:
        return name
    if name == "requests.storage" or ".storageclass.storage.k8s.io/" in name:
        return "persistentvolumeclaims"
    return _OF_KIND.get(name, "pods")
