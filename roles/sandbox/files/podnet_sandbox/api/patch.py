# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON merge patch (RFC 7386) and JSON patch (RFC 6902)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonpatch

from .copying import clone
from .errors import ApiError, bad_request, rejected

#: Operations one JSON patch may hold.
_MOST = 10_000


def merge(target: Any, patch: Any) -> Any:
    """``target`` with ``patch`` laid over it: None removes, objects merge, everything else replaces. Shares with both."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def json_patch(target: Mapping[str, Any], operations: Any) -> dict[str, Any]:
    """``target`` after ``operations``. Raises `ApiError` 400 for what is no patch, 422 for one that cannot be done."""
    if not isinstance(operations, list):
        found = "object" if isinstance(operations, Mapping) else "string" if isinstance(operations, str) else "number"
        raise bad_request(f"error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp")
    if len(operations) > _MOST:
        message = f"The allowed maximum operations in a JSON patch is {_MOST}, got {len(operations)}"
        raise ApiError(413, "RequestEntityTooLarge", message, {})
    try:
        made = jsonpatch.JsonPatch(operations).apply(clone(target))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, LookupError, TypeError, ValueError) as error:
        raise rejected() from error  # kube-apiserver does not say which operation failed
    if not isinstance(made, dict):
        raise rejected()
    return made
