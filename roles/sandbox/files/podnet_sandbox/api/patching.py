# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The four kinds of patch, from a request's body to the object it asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from . import json_text, media
from .apply import apply
from .copying import clone
from .decoding import check_type_meta
from .errors import ApiError, bad_request, not_a_patch, unsupported_media_type
from .goformat import go_value
from .patch import json_patch, merge
from .registry import Resource
from .request import RequestInfo, truth
from .strategic import strategic_merge

Object = dict[str, Any]

_NO_MAP = "json: cannot unmarshal {} into Go value of type map[string]interface {{}}"


def patched(
    resource: Resource, live: Mapping[str, Any] | None, patch_type: str, body: bytes, query: Mapping[str, str], info: RequestInfo
) -> Object:
    """``live`` (None: to be made, by apply alone) after the patch. Raises `ApiError`: 400, 409, 422."""
    if patch_type == media.APPLY:
        return _applied(resource, live, body, query, info)
    obj = patched_by(resource, live or {}, patch_type, read_patch(patch_type, body))
    check_type_meta(obj, resource.kind)
    obj["metadata"] = obj.get("metadata") or {}
    return obj


def read_patch(patch_type: str, body: bytes) -> Any:
    """The body of a patch that is JSON. Raises `ApiError` 400."""
    prefix = "" if patch_type == media.STRATEGIC_PATCH else "error decoding patch: "
    try:
        patch = json_text.parse(body)
    except ValueError as error:
        raise bad_request(f"{prefix}{error}") from error
    if patch_type != media.JSON_PATCH and not isinstance(patch, dict):
        found = "array" if isinstance(patch, list) else "string" if isinstance(patch, str) else "number"
        raise bad_request(prefix + _NO_MAP.format(found))
    return patch


def patched_by(resource: Resource, live: Mapping[str, Any], patch_type: str, patch: Any) -> Object:
    """``live`` after a patch of one of the three kinds that do not look at ownership."""
    if patch_type == media.JSON_PATCH:
        return json_patch(live, patch)
    if patch_type == media.STRATEGIC_PATCH:
        return clone(strategic_merge(resource.fields, live, patch))
    return clone(merge(live, patch))


def refusal(patch_type: str, body: bytes, result: Mapping[str, Any]) -> Callable[[str], ApiError]:
    """How a patch is refused whose ``result`` cannot be read: with the patch itself, or with what it makes of the object."""
    if patch_type == media.STRATEGIC_PATCH:
        shown = go_value(json.loads(body))
    else:
        shown = json.dumps(result, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return lambda why: not_a_patch(shown, why)


def check_type(resource: Resource, patch_type: str) -> None:
    """Refuse (415) what is no kind of patch; custom resources have no strategic one: nothing says how their lists merge."""
    allowed = [media.JSON_PATCH, media.MERGE_PATCH, media.APPLY]
    if not resource.custom:
        allowed.insert(2, media.STRATEGIC_PATCH)
    if patch_type not in allowed:
        raise unsupported_media_type(allowed)


def _applied(resource: Resource, live: Mapping[str, Any] | None, body: bytes, query: Mapping[str, str], info: RequestInfo) -> Object:
    obj = media.decode_yaml(body)
    if not isinstance(obj, dict):
        found = "array" if isinstance(obj, list) else "string"
        raise bad_request(f"error decoding YAML: error unmarshaling JSON: while decoding JSON: {_NO_MAP.format(found)}")
    check_type_meta(obj, resource.kind)
    found = (obj.get("apiVersion") or "", obj.get("kind") or "")
    if found != (resource.api_version, resource.kind):
        group, _ignored, version = found[0].rpartition("/")
        raise bad_request(f"invalid object type: {group}/{version}, Kind={found[1]}")
    metadata = obj["metadata"] = obj.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise bad_request(f"error decoding YAML: {_NO_MAP.format('value')}")
    if resource.namespaced:
        metadata.setdefault("namespace", info.namespace)
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return apply(resource, live, obj, query["fieldManager"], force=truth(query.get("force")), subresource=info.subresource)
