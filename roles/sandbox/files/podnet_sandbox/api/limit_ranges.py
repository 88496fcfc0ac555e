# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LimitRanges: what containers are given that ask for nothing, and who asks for too little or too much.

Words and order are those of kube-apiserver's LimitRanger (plugin/pkg/admission/limitranger/admission.go of v1.32).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .errors import forbidden
from .pod_resources import amounts_of, pod_sums
from .quantities import Quantity
from .registry import Resource

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]
Amounts = Mapping[str, Quantity]

_ANNOTATION = "kubernetes.io/limit-ranger"
_CONTAINER, _POD, _CLAIM = "Container", "Pod", "PersistentVolumeClaim"


def give_defaults(store: Store, pod: Object) -> None:
    """Requests and limits for containers that have none, and the annotation that says so."""
    said: list[str] = []
    for item in _items(store, pod["metadata"]["namespace"], _CONTAINER):
        for kind, part in (("container", "containers"), ("init container", "initContainers")):
            for container in pod["spec"].get(part) or ():
                said += _complete(container, item, kind)
    if said:
        annotations = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {**annotations, _ANNOTATION: "LimitRanger plugin set: " + "; ".join(said)}


def check_limits(store: Store, resource: Resource, obj: Mapping[str, Any]) -> None:
    """Refuse a pod or claim outside the namespace's ranges. Raises `ApiError` 403, with all that is wrong."""
    namespace = obj["metadata"]["namespace"]
    if resource.name == "pods":
        spec = obj["spec"]
        wrong = [
            text
            for item in _items(store, namespace, _CONTAINER)
            for container in (*(spec.get("containers") or ()), *(spec.get("initContainers") or ()))
            for text in _outside(item, *(amounts_of(container, part, Quantity.read) for part in ("requests", "limits")))
        ]
        for item in _items(store, namespace, _POD):
            wrong += _outside(item, *(pod_sums(spec, part, Quantity.read) for part in ("requests", "limits")))
    else:
        asked = amounts_of(obj.get("spec") or {}, "requests", Quantity.read)
        wrong = [text for item in _items(store, namespace, _CLAIM) for text in _claim_outside(item, asked)]
    if wrong:
        raise forbidden(resource, obj["metadata"].get("name", ""), wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")


def _items(store: Store, namespace: str, kind: str) -> Iterator[Object]:
    for found in store.scan("limitranges", namespace):
        yield from (item for item in (found.get("spec") or {}).get("limits") or () if item.get("type") == kind)


def _complete(container: Object, item: Mapping[str, Any], kind: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for part, defaults, word in (("requests", "defaultRequest", "request"), ("limits", "default", "limit")):
        own = resources.get(part) or {}
        missing = {name: text for name, text in (item.get(defaults) or {}).items() if name not in own}
        if missing:
            resources[part] = {**own, **missing}
            yield f"{', '.join(sorted(missing))} {word} for {kind} {container['name']}"
    if resources:
        container["resources"] = resources


def _outside(item: Mapping[str, Any], requests: Amounts, limits: Amounts) -> Iterator[str]:
    kind = item["type"]
    for name, bound in _bounds(item, "min"):
        yield from _too_little(name, kind, bound, requests, limits)
    for name, bound in _bounds(item, "max"):
        what = f"maximum {name} usage per {kind} is {bound}"
        if name not in limits:
            yield f"{what}.  No limit is specified"
        elif limits[name].value > bound.value:
            yield f"{what}, but limit is {limits[name]}"
        elif name in requests and requests[name].value > bound.value:
            yield f"{what}, but request is {requests[name]}"
    for name, bound in _bounds(item, "maxLimitRequestRatio"):
        what = f"{name} max limit to request ratio per {kind} is {bound}"
        if name not in requests or not requests[name].value:
            yield f"{what}, but no request is specified or request is 0"
        elif name not in limits or not limits[name].value:
            yield f"{what}, but no limit is specified or limit is 0"
        elif limits[name].value / requests[name].value > bound.value:
            yield f"{what}, but provided ratio is {float(limits[name].value / requests[name].value):f}"


def _claim_outside(item: Mapping[str, Any], requests: Amounts) -> Iterator[str]:
    for name, bound in _bounds(item, "min"):
        yield from _too_little(name, _CLAIM, bound, requests, {})
    for name, bound in _bounds(item, "max"):
        what = f"maximum {name} usage per {_CLAIM} is {bound}"
        if name not in requests:
            yield f"{what}.  No request is specified"
        elif requests[name].value > bound.value:
            yield f"{what}, but request is {requests[name]}"


def _too_little(name: str, kind: str, bound: Quantity, requests: Amounts, limits: Amounts) -> Iterator[str]:
    what = f"minimum {name} usage per {kind} is {bound}"
    if name not in requests:
        yield f"{what}.  No request is specified"
    elif requests[name].value < bound.value:
        yield f"{what}, but request is {requests[name]}"
    elif name in limits and limits[name].value < bound.value:
        yield f"{what}, but limit is {limits[name]}"


def _bounds(item: Mapping[str, Any], part: str) -> Iterator[tuple[str, Quantity]]:
    for name, text in sorted((item.get(part) or {}).items()):
        yield name, Quantity.read(text)
