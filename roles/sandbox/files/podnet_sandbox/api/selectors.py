# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and field selectors, as ``kubectl -l`` and ``--field-selector`` write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import ApiError, bad_request
from .names import label_key_errors, label_value_errors
from .registry import Resource

Match = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"\s*(!=|==|=|!|,|\(|\)|>|<|[^\s=!,()<>]+)")
_OPERATORS = ("=", "==", "!=", "in", "notin", ">", "<")
_OPERATOR_NAMES = "in, notin, =, ==, !=, gt, lt"

_NAME, _NAMESPACE = "metadata.name", "metadata.namespace"
#: What a kind can be selected by, where it is not its name and namespace alone, and what is said of other fields.
_UNSUPPORTED = "field label not supported: {}"
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pods": (
        _NAME, _NAMESPACE, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
        "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
    ),
    "events": (
        _NAME, _NAMESPACE, "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
        "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath",
        "reason", "reportingComponent", "source", "type",
    ),
    "jobs.batch": (_NAME, _NAMESPACE, "status.successful"),
    "namespaces": (_NAME, "status.phase"),
    "nodes": (_NAME, "spec.unschedulable"),
    "secrets": (_NAME, _NAMESPACE, "type"),
    "services": (_NAME, _NAMESPACE, "spec.clusterIP", "spec.type"),
    "globalnetworkpolicies.projectcalico.org": (_NAME, "spec.tier"),
    "networkpolicies.projectcalico.org": (_NAME, _NAMESPACE, "spec.tier"),
    "stagedglobalnetworkpolicies.projectcalico.org": (_NAME, "spec.tier"),
    "stagednetworkpolicies.projectcalico.org": (_NAME, _NAMESPACE, "spec.tier"),
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
    terms = [_field_term(resource, selector, term) for term in sorted(selector.split(",")) if term]
    return lambda obj: all((field_value(obj, path) == value) is equal for path, value, equal in terms)


def object_match(resource: Resource, labels: str | None, fields: str | None) -> Match | None:
    """Both selectors as one predicate on objects; None selects everything."""
    by_label, by_field = label_match(labels), field_match(resource, fields)
    if by_label is None:
        return by_field
    if by_field is None:
        return lambda obj: by_label(obj["metadata"].get("labels") or {})
    return lambda obj: by_label(obj["metadata"].get("labels") or {}) and by_field(obj)


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether an object's LabelSelector matches ``labels``; an empty one matches everything."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_expression(item, labels) for item in selector.get("matchExpressions") or ())


def _expression(item: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = item.get("key", ""), item.get("operator", ""), item.get("values") or ()
    if operator == "In":
        return key in labels and labels[key] in values
    if operator == "NotIn":
        return labels.get(key) not in values
    return (key in labels) is (operator == "Exists")


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


def _field_term(resource: Resource, selector: str, term: str) -> tuple[str, str, bool]:
    place, operator = min(((term.find(item), item) for item in ("!=", "==", "=") if item in term), default=(0, ""))
    if not operator:
        raise bad_request(f"invalid selector: '{selector}'; can't understand '{term}'")
    operator = next(item for item in ("!=", "==", "=") if term.startswith(item, place))
    path, value = term[:place], term[place + len(operator) :]
    _check_field(resource, path)
    return path, value, operator != "!="


def _check_field(resource: Resource, path: str) -> None:
    if resource.custom:
        if path in (_NAME, *((_NAMESPACE,) if resource.namespaced else ()), *resource.selectable):
            return
        raise bad_request(_UNSUPPORTED.format(path))
    known = _FIELDS.get(resource.name)
    if path in (known or (_NAME, _NAMESPACE)):
        return
    if resource.name == "jobs.batch":
        raise bad_request(f'field label "{path}" not supported for batchv1.Job')
    if known:
        raise bad_request(_UNSUPPORTED.format(path))
    raise bad_request(f'"{path}" is not a known field selector: only "{_NAME}", "{_NAMESPACE}"')


class _LabelParser:
    """``a=b,c!=d,e in (f,g),h,!i,j>3``: comma separated requirements, all of which must hold."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def terms(self) -> list[Match]:
        found = []
        while True:
            token = self._peek()
            if not token:
                return found
            if token != "!" and not _is_identifier(token):
                raise bad_request(f"found '{token}', expected: !, identifier, or 'end of string'")
            found.append(self._requirement())
            token = self._next()
            if not token:
                return found
            if token != ",":
                raise bad_request(f"found '{token}', expected: ',' or 'end of string'")
            following = self._peek()
            if following != "!" and not (following and _is_identifier(following)):
                raise bad_request(f"found '{following}', expected: identifier after ','")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _identifier(self, key: bool = False) -> str:
        token = self._next()
        if not token or not _is_identifier(token):
            raise _unparsable(token, "identifier")
        wrong = label_key_errors(token) if key else []
        if wrong:
            raise bad_request(f'unable to parse requirement: <nil>: Invalid value: "{token}": {"; ".join(wrong)}')
        return token

    def _requirement(self) -> Match:
        if self._peek() == "!":
            self._next()
            absent = self._identifier(key=True)
            if self._peek() not in ("", ","):
                raise _unparsable(self._peek(), _OPERATOR_NAMES)
            return lambda labels: absent not in labels
        key = self._identifier(key=True)
        operator = self._peek()
        if operator in ("", ","):
            return lambda labels: key in labels
        if operator not in _OPERATORS:
            raise _unparsable(operator, _OPERATOR_NAMES)
        self._next()
        if operator in ("in", "notin"):
            values = self._values(key)
            return lambda labels: (key in labels and labels[key] in values) is (operator == "in")
        value = self._value()
        _check_value(key, value, 0)
        if operator in (">", "<"):
            return _comparison(key, operator, value)
        return lambda labels: (labels.get(key) == value) is (operator != "!=")

    def _value(self) -> str:
        """A value may be empty: ``a=`` and ``a=,b``."""
        return "" if self._peek() in ("", ",") else self._identifier()

    def _values(self, key: str) -> frozenset[str]:
        token = self._next()
        if token != "(":
            raise bad_request(f"unable to parse requirement: found '{token}' expected: '('")
        values = [self._listed()]
        while self._peek() == ",":
            self._next()
            values.append(self._listed())
        token = self._next()
        if token != ")":
            raise _unparsable(token, "',' or ')'")
        for index, value in enumerate(sorted(set(values))):
            _check_value(key, value, index)
        return frozenset(values)

    def _listed(self) -> str:
        token = self._peek()
        if token in (",", ")"):
            return ""
        if not token or not _is_identifier(token):
            raise _unparsable(token, "',', ')' or identifier")
        return self._next()


def _check_value(key: str, value: str, index: int) -> None:
    wrong = label_value_errors(value)
    if wrong:
        raise bad_request(f'unable to parse requirement: values[{index}][{key}]: Invalid value: "{value}": {"; ".join(wrong)}')


def _comparison(key: str, operator: str, value: str) -> Match:
    limit = _integer(value)
    if limit is None:
        why = "for 'Gt', 'Lt' operators, the value must be an integer"
        raise bad_request(f'unable to parse requirement: values[0]: Invalid value: "{value}": {why}')

    def compare(labels: Mapping[str, str]) -> bool:
        have = _integer(labels.get(key, ""))
        return have is not None and (have > limit if operator == ">" else have < limit)

    return compare


def _integer(text: str) -> int | None:
    """An int64 in decimal; None for anything else."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _is_identifier(token: str) -> bool:
    return not any(mark in token for mark in "=!,()<>")


def _unparsable(found: str, expected: str) -> ApiError:
    return bad_request(f"unable to parse requirement: found '{found}', expected: {expected}")
