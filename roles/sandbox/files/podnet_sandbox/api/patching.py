# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four kinds of patch, from a request's body to the object it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import media
from .apply import apply
from .copying import clone
from .decoding import check_kind
from .errors import ApiError, bad_request, unsupported_media_type
from .patch import json_patch, merge
from .registry import Resource
from .request import RequestInfo, truth
from .schema import kinds
from .strategic import strategic_merge

Object = dict[str, Any]


def patched(
    resource: Resource, live: Mapping[str, Any] | None, patch_type: str, body: bytes, query: Mapping[str, str], info: RequestInfo
) -> Object:
    """``live`` (None: to be made, by apply alone) after the patch. Raises `ApiError`: 400, 409, 422."""
    if patch_type == media.APPLY:
        return _applied(resource, live, body, query, info)
    return patched_by(resource, live or {}, patch_type, media.decode_json(body, resource.kind))


def patched_by(resource: Resource, live: Mapping[str, Any], patch_type: str, patch: Any) -> Object:
    """``live`` after a patch of one of the three kinds that do not look at ownership."""
    if patch_type == media.JSON_PATCH:
        return json_patch(live, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    if patch_type == media.STRATEGIC_PATCH:
        return clone(strategic_merge(kinds().find(resource.api_version, resource.kind), live, patch))
    return clone(merge(live, patch))


def check_type(resource: Resource, patch_type: str) -> None:
    """Refuse (415) what is no kind of patch; custom resources have no strategic one: nothing says how their lists merge."""
    allowed = [media.JSON_PATCH, media.MERGE_PATCH, media.APPLY]
    if not resource.custom:
        allowed.insert(2, media.STRATEGIC_PATCH)
    if patch_type not in allowed:
        raise unsupported_media_type(allowed)


def _applied(resource: Resource, live: Mapping[str, Any] | None, body: bytes, query: Mapping[str, str], info: RequestInfo) -> Object:
    manager = query.get("fieldManager")
    if not manager:
        raise _no_manager()
    obj = check_kind(resource, media.decode_yaml(body))
    if not obj.get("apiVersion") or not obj.get("kind"):
        raise bad_request("error decoding YAML: Object 'Kind' is missing")
    metadata = obj["metadata"] = obj.get("metadata") or {}
    metadata.setdefault("name", info.name)
    if metadata["name"] != info.name:
        raise bad_request(f"metadata.name {metadata['name']} does not match the name on the URL {info.name}")
    if resource.namespaced:
        metadata.setdefault("namespace", info.namespace)
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return apply(resource, live, obj, manager, force=truth(query.get("force")), subresource=info.subresource)


def _no_manager() -> ApiError:
    message = 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
    cause = {"reason": "FieldValueRequired", "message": "Required value: is required for apply patch", "field": "fieldManager"}
    return ApiError(422, "Invalid", message, {"group": "meta.k8s.io", "kind": "PatchOptions", "causes": [cause]})
