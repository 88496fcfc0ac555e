# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as Go prints them in Kubernetes' messages: ``%v`` and ``%#v``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def go_value(value: Any) -> str:
    """``%v``: ``map[a:1 b:[x y]]``."""
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{go_value(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(item) for item in value) + "]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def go_strings(values: Mapping[str, str] | None) -> str:
    """``%#v`` of a map of strings: ``map[string]string{"a":"b"}``."""
    if not values:
        return "map[string]string(nil)"
    return "map[string]string{" + ", ".join(f"{json.dumps(key)}:{json.dumps(values[key])}" for key in sorted(values)) + "}"


def go_list(values: list[str] | tuple[str, ...] | None) -> str:
    """``%#v`` of strings: ``[]string{"a"}``."""
    return "[]string{" + ", ".join(json.dumps(value) for value in values) + "}" if values else "[]string(nil)"


def go_selector(selector: Mapping[str, Any]) -> str:
    """``%#v`` of a LabelSelector."""
    expressions = ", ".join(_requirement(item) for item in selector.get("matchExpressions") or ())
    printed = f"[]v1.LabelSelectorRequirement{{{expressions}}}" if expressions else "[]v1.LabelSelectorRequirement(nil)"
    return f"v1.LabelSelector{{MatchLabels:{go_strings(selector.get('matchLabels'))}, MatchExpressions:{printed}}}"


def _requirement(item: Mapping[str, Any]) -> str:
    values = go_list(item.get("values"))
    return f'v1.LabelSelectorRequirement{{Key:"{item.get("key", "")}", Operator:"{item.get("operator", "")}", Values:{values}}}'
