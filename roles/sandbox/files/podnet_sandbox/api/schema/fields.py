# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the field tables (``*.yaml`` beside this file).

A field's type is written as: a scalar (``string int bool time quantity intstr``); ``any``, whose inside is not described and
which is taken as a whole; the name of another type; ``{T}``, a map; ``[T]``, a list replaced as a whole; ``[T] set``, a list
of scalars that merges; ``[T] key``, a list whose entries are told apart by ``key`` when merged. Server-side apply may use other keys
than strategic merge, which then follow a ``|`` (``-``: none, the list is one value).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Union

import yaml

_SCALARS = frozenset({"bool", "int", "intstr", "quantity", "string", "time"})


@dataclass(frozen=True)
class Scalar:
    """A leaf of that kind."""

    kind: str


@dataclass(frozen=True)
class Atomic:
    """Anything, as one value."""


@dataclass(frozen=True)
class MapField:
    """Any keys, values of one type."""

    value: Field


@dataclass(frozen=True)
class ListField:
    """A list. ``merge_key``: of strategic merge ('' : replaced); ``apply_keys``: of server-side apply; ``is_set``: merges by value."""

    item: Field
    merge_key: str = ""
    apply_keys: tuple[str, ...] = ()
    is_set: bool = False


@dataclass
class ObjectField:
    """A struct; its ``fields`` are filled after all types are known, because types name each other."""

    name: str
    fields: dict[str, Field] = field(default_factory=dict)


Field = Union[Scalar, Atomic, MapField, ListField, ObjectField]  # noqa: UP007 - names of classes above that mention it
_TYPE_META = {"apiVersion": Scalar("string"), "kind": Scalar("string")}


class Kinds:
    """The described kinds by apiVersion and kind."""

    def __init__(self, documents: list[Mapping[str, Any]]) -> None:
        self._types: dict[str, ObjectField] = {}
        self._kinds: dict[tuple[str, str], ObjectField] = {}
        for document in documents:
            for name in document.get("types") or ():
                self._types[name] = ObjectField(name)
        for document in documents:
            for name, fields in (document.get("types") or {}).items():
                self._types[name].fields.update(self._fields(fields))
            for name, fields in (document.get("kinds") or {}).items():
                group, version = document["group"], document["version"]
                api_version = f"{group}/{version}" if group else version
                self._kinds[api_version, name] = ObjectField(name, {**_TYPE_META, **self._fields(fields)})

    def find(self, api_version: str, kind: str) -> ObjectField | None:
        """The fields of a kind, None where they are not described."""
        return self._kinds.get((api_version, kind))

    def types(self) -> Iterator[ObjectField]:
        """The types that kinds are made of."""
        yield from self._types.values()

    def _fields(self, written: Mapping[str, str]) -> dict[str, Field]:
        return {name: self._parse(text) for name, text in written.items()}

    def _parse(self, text: str) -> Field:
        if text in _SCALARS:
            return Scalar(text)
        if text == "any":
            return Atomic()
        if text.startswith("{"):
            return MapField(self._parse(text[1:-1]))
        if text.startswith("["):
            item, _ignored, keys = text[1:].partition("]")
            return self._list(self._parse(item), keys.strip())
        return self._types[text]

    @staticmethod
    def _list(item: Field, keys: str) -> ListField:
        if keys == "set":
            return ListField(item, is_set=True)
        merge, divider, apply = (part.strip() for part in keys.partition("|"))
        apply_keys = tuple(apply.split()) if divider else (merge,) if merge else ()
        return ListField(item, merge, () if apply_keys == ("-",) else apply_keys)


@cache
def kinds() -> Kinds:
    """The tables, read once."""
    documents: list[Mapping[str, Any]] = []
    for entry in sorted(files(__package__).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            documents += yaml.load_all(entry.read_text(), Loader=_LOADER)
    return Kinds(documents)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
