# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects and lists in the shape a client asked for: as they are, as a Table, or metadata only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .media import Wanted
from .pagination import Page
from .registry import Resource
from .tables import partial, table

Object = Mapping[str, Any]


def as_version(resource: Resource, obj: Object) -> Object:
    """``obj`` at the version it was asked for; versions of a custom resource differ in nothing else."""
    return obj if obj["apiVersion"] == resource.api_version else {**obj, "apiVersion": resource.api_version}


def render(resource: Resource, obj: Object, wanted: Wanted, include: str = "Metadata") -> Object:
    """One object."""
    if wanted.shape == "Table":
        return table(resource, [as_version(resource, obj)], {"resourceVersion": obj["metadata"].get("resourceVersion", "")}, include)
    if wanted.shape:
        return partial(obj)
    return as_version(resource, obj)


def render_list(resource: Resource, page: Page, wanted: Wanted, *, counted: bool, include: str = "Metadata") -> Object:
    """A page; ``counted``: say how many objects follow (not with selectors)."""
    metadata: dict[str, Any] = {"resourceVersion": str(page.revision)}
    if page.token:
        metadata["continue"] = page.token
        if counted:
            metadata["remainingItemCount"] = page.remaining
    objects = [as_version(resource, obj) for obj in page.objects]
    if wanted.shape == "Table":
        return table(resource, objects, metadata, include)
    if wanted.shape:
        items = [partial(obj) for obj in objects]
        return {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "items": items}
    if resource.custom:
        metadata.setdefault("continue", "")
        return {"apiVersion": resource.api_version, "items": objects, "kind": resource.list_kind, "metadata": metadata}
    if resource.aggregated:  # Calico's API server takes the objects as they are
        return {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": objects}
    # Built-in lists do not repeat what their kind says already.
    bare = [{key: value for key, value in obj.items() if key not in ("apiVersion", "kind")} for obj in objects]
    return {"kind": resource.list_kind, "apiVersion": resource.api_version, "metadata": metadata, "items": bare}
