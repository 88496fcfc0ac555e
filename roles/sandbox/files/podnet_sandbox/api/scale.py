# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scale subresource: how many replicas, in a form that is the same for all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import invalid, invalid_value
from .registry import Resource
from .tables.cells import selector_text

Object = dict[str, Any]

_COPIED = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
_BUILTIN = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas", "labelSelectorPath": ""}


def scale_of(resource: Resource, obj: Mapping[str, Any]) -> Object:
    """The Scale of an object."""
    paths = resource.scale_paths or _BUILTIN
    metadata = {key: obj["metadata"][key] for key in _COPIED if key in obj["metadata"]}
    replicas = _at(obj, paths["specReplicasPath"]) or 0
    status: Object = {"replicas": _at(obj, paths["statusReplicasPath"]) or 0}
    if paths.get("labelSelectorPath"):
        selector = _at(obj, paths["labelSelectorPath"])
    else:
        selector = selector_text((obj.get("spec") or {}).get("selector")) if resource.scale_paths is None else ""
    if selector:
        status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def scaled(resource: Resource, obj: Mapping[str, Any], scale: Mapping[str, Any]) -> Object:
    """``obj`` with the replicas of ``scale``. Raises `ApiError` 422 for a number that is none."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int) or replicas < 0:
        cause = invalid_value("spec.replicas", str(replicas), "must be greater than or equal to 0")
        raise invalid(Resource("autoscaling", "v1", "Scale", "scales"), obj["metadata"]["name"], [cause])
    path = (resource.scale_paths or _BUILTIN)["specReplicasPath"].lstrip(".").split(".")
    result = dict(obj)
    node = result
    for part in path[:-1]:
        node[part] = dict(node.get(part) or {})
        node = node[part]
    node[path[-1]] = replicas
    revision = (scale.get("metadata") or {}).get("resourceVersion")
    result["metadata"] = {**obj["metadata"], **({"resourceVersion": revision} if revision else {})}
    return result


def _at(obj: Any, path: str) -> Any:
    for part in path.lstrip(".").split("."):
        obj = obj.get(part) if isinstance(obj, Mapping) else None
    return obj
