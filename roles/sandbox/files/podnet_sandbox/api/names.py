# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, label keys and values: what Kubernetes accepts, what it says otherwise, and how it makes names up."""

from __future__ import annotations

import random
import re

#: Letters of generated names: no vowels and no look-alikes, so that no words appear.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_NAME, _MAX_LABEL = 253, 63

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_TEXTS = {
    _LABEL: (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
        "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{}')"
    ),
    _LABEL_1035: (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
        "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '{}')"
    ),
    _SUBDOMAIN: (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end "
        "with an alphanumeric character (e.g. 'example.com', regex used for validation is '{}')"
    ),
    _QUALIFIED: (
        "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
        "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{}')"
    ),
    _LABEL_VALUE: (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end "
        "with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '{}')"
    ),
    _CONFIG_KEY: (
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
        "'key-name', regex used for validation is '{}')"
    ),
}
_COMPILED = {pattern: re.compile(pattern) for pattern in _TEXTS}


def generated(prefix: str, randomness: random.Random) -> str:
    """A name from ``generateName``: the prefix, cut to leave room, and five characters."""
    suffix = "".join(randomness.choice(_ALPHABET) for _ignored in range(_SUFFIX_LENGTH))
    return prefix[: _MAX_LABEL - _SUFFIX_LENGTH] + suffix


def label_error(value: str) -> str | None:
    """Why ``value`` is no RFC 1123 label (namespaces, containers, ports), or None."""
    return _error(_LABEL, value, _MAX_LABEL)


def service_name_error(value: str) -> str | None:
    """Why ``value`` is no RFC 1035 label (services), or None."""
    return _error(_LABEL_1035, value, _MAX_LABEL)


def subdomain_error(value: str) -> str | None:
    """Why ``value`` is no RFC 1123 subdomain (most objects), or None."""
    return _error(_SUBDOMAIN, value, _MAX_NAME)


def path_segment_error(value: str) -> str | None:
    """Why ``value`` cannot stand in a path (RBAC objects, which allow ':'), or None."""
    if value in (".", ".."):
        return f"may not be '{value}'"
    return next((f"may not contain '{mark}'" for mark in "/%" if mark in value), None)


def label_key_error(value: str) -> str | None:
    """Why ``value`` is no qualified name (label and annotation keys, taints), or None."""
    prefix, slash, name = value.rpartition("/")
    if slash and (not prefix or _error(_SUBDOMAIN, prefix, _MAX_NAME)):
        return "prefix part " + (_error(_SUBDOMAIN, prefix, _MAX_NAME) or "must be non-empty")
    if not name:
        return "name part must be non-empty"
    return _error(_QUALIFIED, name, _MAX_LABEL, "name part must be no more than 63 characters")


def label_value_error(value: str) -> str | None:
    """Why ``value`` is no label value, or None."""
    return _error(_LABEL_VALUE, value, _MAX_LABEL)


def config_key_error(value: str) -> str | None:
    """Why ``value`` is no key of a ConfigMap or Secret, or None."""
    return _error(_CONFIG_KEY, value, _MAX_NAME)


def _error(pattern: str, value: str, longest: int, too_long: str = "") -> str | None:
    if len(value) > longest:
        return too_long or f"must be no more than {longest} characters"
    if _COMPILED[pattern].fullmatch(value):
        return None
    return _TEXTS[pattern].format(pattern)
