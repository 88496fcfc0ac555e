# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names, label keys and values: what Kubernetes accepts, what it says otherwise, and how it makes names up."""

from __future__ import annotations

import random
import re

#: Letters of generated names: no vowels and no look-alikes, so that no words appear.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SUFFIX_LENGTH = 5
_MAX_NAME, _MAX_LABEL, _MAX_PORT_NAME = 253, 63, 15

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
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
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


def label_errors(value: str) -> list[str]:
    """Why ``value`` is no RFC 1123 label (namespaces, containers)."""
    errors = _errors(_LABEL, value, _MAX_LABEL)
    if errors and _COMPILED[_SUBDOMAIN].fullmatch(value) and len(value) <= _MAX_LABEL:
        return ["must not contain dots"]
    return errors


def service_name_errors(value: str) -> list[str]:
    """Why ``value`` is no RFC 1035 label (services)."""
    return _errors(_LABEL_1035, value, _MAX_LABEL)


def subdomain_errors(value: str) -> list[str]:
    """Why ``value`` is no RFC 1123 subdomain (most objects)."""
    return _errors(_SUBDOMAIN, value, _MAX_NAME)


def path_segment_errors(value: str) -> list[str]:
    """Why ``value`` cannot stand in a path (RBAC objects, which allow ':')."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{mark}'" for mark in "/%" if mark in value]


def label_key_errors(value: str) -> list[str]:
    """Why ``value`` is no qualified name (label and annotation keys, taints, finalizers)."""
    parts = value.split("/")
    if len(parts) > 2:
        text = _TEXTS[_QUALIFIED].format(_QUALIFIED)
        return [f"a qualified name {text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    errors = []
    if len(parts) == 2:
        errors += [f"prefix part {why}" for why in (subdomain_errors(parts[0]) if parts[0] else ["must be non-empty"])]
    name = parts[-1]
    if not name:
        return [*errors, "name part must be non-empty"]
    return [*errors, *(f"name part {why}" for why in _errors(_QUALIFIED, name, _MAX_LABEL))]


def label_value_errors(value: str) -> list[str]:
    """Why ``value`` is no label value."""
    return _errors(_LABEL_VALUE, value, _MAX_LABEL)


def config_key_errors(value: str) -> list[str]:
    """Why ``value`` is no key of a ConfigMap or Secret."""
    return [*_errors(_CONFIG_KEY, value, _MAX_NAME), *_folder_errors(value)]


def variable_errors(value: str) -> list[str]:
    """Why ``value`` is no name of an environment variable."""
    if value and all(32 < ord(character) < 127 and character != "=" for character in value):
        return []
    return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]


def port_name_errors(value: str) -> list[str]:
    """Why ``value`` is no IANA service name (ports of containers)."""
    errors = []
    if len(value) > _MAX_PORT_NAME:
        errors.append(f"must be no more than {_MAX_PORT_NAME} characters")
    if not re.fullmatch("[-a-z0-9]+", value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def _folder_errors(value: str) -> list[str]:
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    return ["must not start with '..'"] if value.startswith("..") else []


def _errors(pattern: str, value: str, longest: int) -> list[str]:
    errors = [f"must be no more than {longest} characters"] if len(value) > longest else []
    if not _COMPILED[pattern].fullmatch(value):
        errors.append(_TEXTS[pattern].format(pattern))
    return errors
