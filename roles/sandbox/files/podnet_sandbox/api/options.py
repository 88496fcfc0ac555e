# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Create-, Update-, Patch-, Delete- and ListOptions: the parameters of a request, checked as apimachinery checks them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from multidict import MultiMapping

from .errors import ApiError, Cause, bad_request, forbidden_field, invalid_value, required, unsupported

Query = MultiMapping[str]

_GROUP = "meta.k8s.io"
_ALL = "All"
_FIELD_VALIDATION = ("", "Ignore", "Strict", "Warn")
_LONGEST_MANAGER = 128
_PROPAGATIONS = ("Foreground", "Background", "Orphan", "nil")
_EXACT, _NOT_OLDER = "Exact", "NotOlderThan"
_INCLUDED = ("Metadata", "None", "Object", "")


#: More digits are out of range, and may be more than Python reads.
_INT64_DIGITS = 19


def number(query: Mapping[str, str], name: str) -> int | None:
    """A numeric parameter, None where it is not given. Raises `ApiError` 400 in Go's words."""
    text = query.get(name)
    if text is None:
        return None
    digits = text.removeprefix("-").removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text, ensure_ascii=False)}: invalid syntax")
    if len(digits) > _INT64_DIGITS or not -(1 << 63) <= int(text) < 1 << 63:
        raise bad_request(f"strconv.ParseInt: parsing {json.dumps(text)}: value out of range")
    return int(text)


def check_write(query: Query, kind: str, *, applies: bool = False) -> None:
    """CreateOptions, UpdateOptions or, for a patch, PatchOptions (``applies``: an apply patch). Raises `ApiError` 422."""
    causes: list[Cause] = []
    manager = query.get("fieldManager", "")
    if kind == "PatchOptions":
        if applies and not manager:
            causes.append(required("fieldManager", "is required for apply patch"))
        elif not applies and "force" in query:
            causes.append(forbidden_field("force", "may not be specified for non-apply patch"))
    causes += _manager_causes(manager)
    causes += _dry_run_causes(query.getall("dryRun", []))
    if query.get("fieldValidation", "") not in _FIELD_VALIDATION:
        causes.append(unsupported("fieldValidation", query["fieldValidation"], _FIELD_VALIDATION))
    _refuse(kind, causes)


def check_delete(options: Mapping[str, Any]) -> None:
    """DeleteOptions, from the body or the parameters. Raises `ApiError` 422."""
    causes: list[Cause] = []
    policy = options.get("propagationPolicy")
    if policy is not None and options.get("orphanDependents") is not None:
        causes.append(invalid_value("propagationPolicy", json.dumps(policy), "orphanDependents and deletionPropagation cannot be both set"))
    if policy is not None and policy not in _PROPAGATIONS[:3]:
        causes.append(unsupported("propagationPolicy", policy, _PROPAGATIONS))
    causes += _dry_run_causes(options.get("dryRun") or ())
    _refuse("DeleteOptions", causes)


def check_list(query: Query, *, watch: bool) -> None:
    """ListOptions. Raises `ApiError` 422."""
    match, initial = query.get("resourceVersionMatch", ""), "sendInitialEvents" in query
    causes = list(_watch_causes(query, match, initial=initial) if watch else _list_causes(query, match, initial=initial))
    _refuse("ListOptions", causes)


def check_table(include: str) -> None:
    """TableOptions. Raises `ApiError` 400."""
    if include not in _INCLUDED:
        cause = invalid_value("includeObject", json.dumps(include), "must be 'Metadata', 'Object', 'None', or empty")
        raise bad_request(f"Unable to convert to Table as requested: {cause.field}: {cause.message}")


def _list_causes(query: Query, match: str, *, initial: bool) -> Iterator[Cause]:
    revision = query.get("resourceVersion", "")
    if match:
        if not revision:
            yield forbidden_field("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
        if query.get("continue"):
            yield forbidden_field("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")
        if match not in (_EXACT, _NOT_OLDER):
            yield unsupported("resourceVersionMatch", match, (_EXACT, _NOT_OLDER, ""))
        if match == _EXACT and revision == "0":
            yield forbidden_field("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if initial:
        yield forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list")


def _watch_causes(query: Query, match: str, *, initial: bool) -> Iterator[Cause]:
    if initial and match != _NOT_OLDER:
        yield forbidden_field("resourceVersionMatch", f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}")
    if match:
        if not initial:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            yield forbidden_field("resourceVersionMatch", why)
        if match != _NOT_OLDER:
            yield unsupported("resourceVersionMatch", match, (_NOT_OLDER,))
        if query.get("continue"):
            yield forbidden_field("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided")


def _manager_causes(manager: str) -> Iterator[Cause]:
    if len(manager.encode()) > _LONGEST_MANAGER:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_LONGEST_MANAGER} bytes", "fieldManager")
    for at, character in enumerate(manager):
        if not character.isprintable():
            shown = f"U+{ord(character):04X}"
            yield invalid_value("fieldManager", json.dumps(manager), f"invalid character {shown} (at position {at})")


def _dry_run_causes(values: Iterable[str]) -> Iterator[Cause]:
    found = list(values)
    if any(value != _ALL for value in found):
        shown = ", ".join(json.dumps(value) for value in found)
        yield Cause("FieldValueNotSupported", f'Unsupported value: []string{{{shown}}}: supported values: "{_ALL}"', "dryRun")


def _refuse(kind: str, causes: list[Cause]) -> None:
    if not causes:
        return
    listed = [f"{cause.field}: {cause.message}" for cause in causes]
    text = listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"
    details = {"group": _GROUP, "kind": kind, "causes": [cause.as_dict() for cause in causes]}
    raise ApiError(422, "Invalid", f'{kind}.{_GROUP} "" is invalid: {text}', details)
