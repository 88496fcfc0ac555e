# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of field paths, and their notation in ``managedFields`` (FieldsV1).

A path is a tuple of steps written as FieldsV1 does: ``f:name`` a field, ``k:{"name":"c"}`` a list entry by key, ``v:"x"`` an
entry of a set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..registry import Resource
from ..schema import Atomic, Field, ListField, MapField, ObjectField, Scalar, kinds

Path = tuple[str, ...]

#: Fields nobody owns: identity, and what the server keeps.
_UNOWNED_METADATA = frozenset({
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "managedFields", "name", "namespace",
    "resourceVersion", "selfLink", "uid",
})  # fmt: skip


_SCALARS = {"boolean": "bool", "integer": "int64", "number": "number", "string": "string"}


def fields_of(resource: Resource) -> Field:
    """The structure of a kind, from the field tables or its definition's schema."""
    if resource.custom:
        return _from_schema(resource.schema or {}, top=True)
    return resource.fields or Atomic()


def leaves(fields: Field, obj: Mapping[str, Any], *, containers: bool = False) -> dict[Path, Any]:
    """The owned paths of ``obj`` with their values; a list entry counts by itself (value None) besides its fields.

    ``containers``: so do maps, lists and optional objects, which an update owns that makes them.
    """
    content = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata")}
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key not in _UNOWNED_METADATA}
    if metadata:
        content["metadata"] = metadata
    return dict(_leaves(fields, content, (), containers, top=True))


def _leaves(fields: Field | None, value: Any, path: Path, containers: bool, *, top: bool = False) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping) and not getattr(fields, "atomic", False):
        if not top and (not value or (containers and _counts(fields))):
            yield path, None if value else value
        for key, item in value.items():
            yield from _leaves(below(fields, key), item, (*path, f"f:{key}"), containers)
    elif isinstance(value, list) and isinstance(fields, ListField) and (fields.is_set or fields.apply_keys):
        if containers and not fields.always:
            yield path, None
        for item in value:
            step = step_of(fields, item)
            yield (*path, step), None
            if not fields.is_set:
                yield from _leaves(fields.item, item, (*path, step), containers, top=True)
    elif value is not None:
        yield path, value


def _counts(fields: Field | None) -> bool:
    """Whether a map or object is something by itself: structs that are always there are not."""
    return not isinstance(fields, ObjectField) or fields.optional


def below(fields: Field | None, key: str) -> Field | None:
    """The field ``key`` inside ``fields``; None where it is not described."""
    if isinstance(fields, ObjectField):
        return fields.fields.get(key)
    return fields.value if isinstance(fields, MapField) else None


def step_of(fields: ListField, item: Any) -> str:
    """How an entry of a list is told apart."""
    if fields.is_set or not isinstance(item, Mapping):
        return f"v:{_compact(item)}"
    keys = {key: item.get(key, default) for key, default in sorted(fields.apply_keys.items())}
    return f"k:{_compact({key: value for key, value in keys.items() if value is not None})}"


def to_v1(paths: Iterable[Path]) -> dict[str, Any]:
    """Paths as FieldsV1: nested, ``.`` for an entry itself."""
    tree: dict[str, Any] = {}
    ordered = sorted(paths)
    inner = {path[:length] for path in ordered for length in range(1, len(path))}
    for path in ordered:
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        if path in inner:
            node["."] = {}
    return tree


def from_v1(tree: Mapping[str, Any]) -> set[Path]:
    """The reverse of `to_v1`."""
    return set(_read(tree, ()))


def _read(tree: Mapping[str, Any], path: Path) -> Iterator[Path]:
    for step, inner in tree.items():
        if step == ".":
            yield path
        elif inner:
            yield from _read(inner, (*path, step))
        else:
            yield (*path, step)


def path_text(path: Path) -> str:
    """A path as conflicts name it: ``.spec.containers[name="c"].image``."""
    text = ""
    for step in path:
        kind, content = step[0], step[2:]
        if kind == "f":
            text += f".{content}"
        elif kind == "k":
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(content).items()) + "]"
        else:
            text += f"[{content}]" if kind == "i" else f"[={content}]"
    return text


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _from_schema(schema: Mapping[str, Any], *, top: bool = False) -> Field:
    atomic = schema.get("x-kubernetes-map-type") == "atomic"
    if schema.get("items") is not None:
        kind = schema.get("x-kubernetes-list-type", "atomic")
        keys = schema.get("x-kubernetes-list-map-keys") or () if kind == "map" else ()
        defaults = (schema["items"].get("properties") or {}) if keys else {}
        apply_keys = {key: (defaults.get(key) or {}).get("default") for key in keys}
        return ListField(_from_schema(schema["items"]), apply_keys=apply_keys, is_set=kind == "set")
    properties = {name: _from_schema(below) for name, below in (schema.get("properties") or {}).items()}
    if top:
        properties |= {"apiVersion": Scalar("string"), "kind": Scalar("string")}
        properties["metadata"] = kinds().type("meta.k8s.io", "ObjectMeta")
    if properties:
        more_may_be = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        return ObjectField("", fields=properties, atomic=atomic, optional=True, open=more_may_be)
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping) or atomic:
        return MapField(_from_schema(more) if isinstance(more, Mapping) else Atomic(), atomic)
    kind = _SCALARS.get(schema.get("type", ""))
    return Scalar(kind) if kind and not schema.get("x-kubernetes-int-or-string") else Atomic()
