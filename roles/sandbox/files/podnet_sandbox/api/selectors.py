# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors, as ``kubectl -l`` and ``--field-selector`` write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ApiError, bad_request
from .registry import Resource

Match = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*(!=|==|=|!|,|\(|\)|>|<|[^\s=!,()<>]+)")
_OPERATORS = ("=", "==", "!=", "in", "notin", ">", "<")

#: Fields besides metadata.name and metadata.namespace that a kind can be selected by.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "events": (
        "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "secrets": ("type",),
    "replicasets.apps": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "services": ("spec.clusterIP", "spec.type"),
}  # fmt: skip
#: What a field that is not set counts as.
_UNSET: Mapping[str, str] = {"spec.unschedulable": "false", "spec.hostNetwork": "false"}


def label_match(selector: str | None) -> Match | None:
    """A predicate on labels; None selects everything. Raises `ApiError` 400 in apimachinery's words."""
    if not selector or not selector.strip():
        return None
    terms = _LabelParser(selector).terms()
    return lambda labels: all(term(labels) for term in terms)


def field_match(resource: Resource, selector: str | None) -> Match | None:
    """A predicate on objects of ``resource``; None selects everything. Raises `ApiError` 400 for other fields."""
    if not selector or not selector.strip():
        return None
    terms = [_field_term(resource, term) for term in selector.split(",") if term]
    return lambda obj: all((field_value(obj, path) == value) is equal for path, value, equal in terms)


def object_match(resource: Resource, labels: str | None, fields: str | None) -> Match | None:
    """Both selectors as one predicate on objects; None selects everything."""
    by_label, by_field = label_match(labels), field_match(resource, fields)
    if by_label is None:
        return by_field
    if by_field is None:
        return lambda obj: by_label(obj["metadata"].get("labels") or {})
    return lambda obj: by_label(obj["metadata"].get("labels") or {}) and by_field(obj)


def field_value(obj: Mapping[str, Any], path: str) -> str:
    """The value at a dotted ``path`` as a field selector compares it: text, '' where there is none."""
    if path == "source":
        return str((obj.get("source") or {}).get("component", ""))
    value: Any = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return _UNSET.get(path, "")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _field_term(resource: Resource, term: str) -> tuple[str, str, bool]:
    operator = next((item for item in ("!=", "==", "=") if item in term), "")
    if not operator:
        raise bad_request(f'invalid selector: "{term}"; can\'t understand "{term}"')
    path, value = term.split(operator, 1)
    allowed = ("metadata.name", *(("metadata.namespace",) if resource.namespaced else ()))
    if path not in (*allowed, *_FIELDS.get(resource.name, ()), *resource.selectable):
        raise bad_request(f"field label not supported: {path}")
    return path, value, operator != "!="


class _LabelParser:
    """``a=b,c!=d,e in (f,g),h,!i,j>3``: comma separated requirements, all of which must hold."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def terms(self) -> list[Match]:
        found = [self._requirement()]
        while self._at < len(self._tokens):
            self._expect(",")
            found.append(self._requirement())
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise _unparsable(found, f"'{token}'")

    def _identifier(self) -> str:
        token = self._next()
        if not token or not _is_identifier(token):
            raise _unparsable(token, "identifier")
        return token

    def _requirement(self) -> Match:
        if self._peek() == "!":
            self._next()
            absent = self._identifier()
            return lambda labels: absent not in labels
        key = self._identifier()
        operator = self._peek()
        if operator in ("", ","):
            return lambda labels: key in labels
        if operator not in _OPERATORS:
            raise _unparsable(operator, ", ".join(f"'{item}'" for item in _OPERATORS))
        self._next()
        if operator in ("in", "notin"):
            values = self._values()
            return lambda labels: (key in labels and labels[key] in values) is (operator == "in")
        value = self._value()
        if operator in (">", "<"):
            return _comparison(key, operator, value)
        return lambda labels: (labels.get(key) == value) is (operator != "!=")

    def _value(self) -> str:
        """A value may be empty: ``a=`` and ``a=,b``."""
        token = self._peek()
        if token in ("", ","):
            return ""
        return self._identifier()

    def _values(self) -> frozenset[str]:
        self._expect("(")
        values = [self._value()]
        while self._peek() == ",":
            self._next()
            values.append(self._value())
        self._expect(")")
        return frozenset(values)


def _comparison(key: str, operator: str, value: str) -> Match:
    if not value.lstrip("-").isdigit():
        raise bad_request(f'values[0][{key}]: Invalid value: "{value}": for \'Gt\', \'Lt\' operators, the value must be an integer')
    limit = int(value)

    def compare(labels: Mapping[str, str]) -> bool:
        have = labels.get(key, "")
        if not have.lstrip("-").isdigit():
            return False
        return int(have) > limit if operator == ">" else int(have) < limit

    return compare


def _is_identifier(token: str) -> bool:
    return not any(mark in token for mark in "=!,()<>")


def _unparsable(found: str, expected: str) -> ApiError:
    return bad_request(f"unable to parse requirement: found '{found}', expected: {expected}")
