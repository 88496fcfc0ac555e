# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of Calico's v3 kinds, by release, and what Calico's API server leaves of an object that it read and writes again."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from ..schema import Field, Kinds, ListField, MapField, ObjectField, Scalar, kinds

Release = tuple[int, ...]

#: Tables by the release from which on they hold.
_TABLES: Mapping[Release, str] = {(3, 30): "v3.30.yaml", (3, 32): "v3.32.yaml"}
#: What Go writes for a field that must be there and is not set.
_ZERO: Mapping[str, Any] = {"bool": False, "int32": 0, "int64": 0, "number": 0, "string": "", "time": None}


def described(release: Release) -> Kinds:
    """The kinds as ``release`` of Calico has them. Read when somebody asks for the first time."""
    return _read(tuple(name for since, name in _TABLES.items() if since == (3, 30) or release >= since))


@cache
def _read(names: tuple[str, ...]) -> Kinds:
    folder = files(__package__) / "fields"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return Kinds([yaml.load((folder / name).read_text(encoding="utf-8"), Loader=loader) for name in names], kinds())


def shaped(field: Field, value: Any) -> Any:
    """``value`` once it was read into Go's struct and written again: what is not described is gone, so is what says nothing, and
    what is always written is there. A value of another type than its field's is left as it is; no real API server would hold one.
    """
    if isinstance(field, ObjectField) and isinstance(value, Mapping):
        return _object(field, value)
    if isinstance(field, ListField) and isinstance(value, list):
        return [shaped(field.item, item) for item in value]
    if isinstance(field, MapField) and isinstance(value, Mapping):
        return {key: shaped(field.value, item) for key, item in value.items()}
    return value


def _object(field: ObjectField, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, below in field.fields.items():
        item = value.get(name)
        if item is None:
            item = _unset(below, required=name in field.required)
            if item is _NOTHING:
                continue
        elif name not in field.required and _says_nothing(below, item):
            continue
        found[name] = shaped(below, item)
    return found


_NOTHING = object()


def _unset(field: Field, *, required: bool) -> Any:
    """What stands for a field that is not set: objects that are no pointers are always written."""
    if isinstance(field, ObjectField):
        return _NOTHING if field.optional or field.group == "meta.k8s.io" else {}
    if isinstance(field, Scalar) and (required or field.kind == "time") and not field.zero:
        return _ZERO.get(field.kind)
    return None if required else _NOTHING


def _says_nothing(field: Field, value: Any) -> bool:
    """Whether Go leaves it out (``omitempty``)."""
    if isinstance(field, Scalar):
        return not field.zero and field.kind != "intstr" and value in (0, "", False)
    if isinstance(field, ListField):
        return not value and not field.always
    return isinstance(field, MapField) and not value
