# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the field tables (``*.yaml`` beside this file).

A field is written as its number in protobuf (none where a kind is never sent so), its type, and how it merges. A type is a scalar
(``string bool int32 int64 number bytes time microtime quantity intstr``; ``?``: it can be set although it is zero); ``any``, whose
inside is not described; the name of another type of this group, of the core group or of all kinds; ``{T}``, a map; ``[T]``, a list.
A type that is a scalar under another name is written as that scalar. ``+name`` is a type whose fields stand in the object itself. A
type whose names all begin with ``|`` is a value that has one of several forms (a schema or a truth value), with no names at all in JSON.

``T?`` is an object that can be left out altogether, ``[T]!`` a list that is written although it is empty, ``T*`` what must be given.

A list is replaced as a whole. ``[T] set`` is one of scalars that merges, ``[T] key`` one whose entries are told apart by ``key``.
Server-side apply may use other keys than strategic merge, which then follow a ``|`` (``-``: none, the list is one value; ``key=V``: V
where it is not given). ``atomic`` is a map or object that is one value for server-side apply; ``$: atomic`` says so of a type.
``retainKeys`` is for what is one of several: strategic merge then lists what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Union

import yaml

_SCALARS = frozenset({"bool", "bytes", "int32", "int64", "intstr", "microtime", "number", "quantity", "string", "time"})
#: Where a type is looked for that is not of its own group.
_COMMON = ("", "meta.k8s.io")


@dataclass(frozen=True)
class Scalar:
    """A leaf of that kind. ``alias``: the name of its type, where it has one; ``zero``: it can be set although it is zero."""

    kind: str
    alias: str = ""
    zero: bool = False


@dataclass(frozen=True)
class Atomic:
    """Anything, not described."""


@dataclass(frozen=True)
class MapField:
    """Any keys, values of one type."""

    value: Field
    atomic: bool = False


@dataclass(frozen=True)
class ListField:
    """A list. ``merge_key``: of strategic merge ('' : replaced); ``apply_keys``: of server-side apply, with their defaults (None)."""

    item: Field
    merge_key: str = ""
    apply_keys: Mapping[str, Any] = field(default_factory=dict)
    merge_set: bool = False
    is_set: bool = False
    #: Whether Go writes it though it is empty (null).
    always: bool = False


@dataclass
class ObjectField:
    """A struct; what it holds is filled in after all types are known, because types name each other.

    ``numbers``: its protobuf; a number whose name is '' is an object whose fields stand in this one (``inline``).
    """

    name: str
    group: str = ""
    version: str = "v1"
    fields: dict[str, Field] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    inline: dict[int, ObjectField] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    atomic: bool = False
    #: Whether it can be left out altogether (in Go: a pointer).
    optional: bool = False
    #: Whether there may be other fields than these.
    open: bool = False


@dataclass(frozen=True)
class OneOf:
    """A value of one of several forms, by their numbers in the message that holds it. ``zero``: it can be set although it is false."""

    name: str
    forms: dict[int, Field] = field(default_factory=dict)
    zero: bool = False

    def form_of(self, value: Any) -> tuple[int, Field] | None:
        """The number and form that ``value`` has, None where it has none of them."""
        wanted = ((bool, Scalar), (list, ListField), (dict, ObjectField))
        found = next((form for kind, form in wanted if isinstance(value, kind)), ())
        return next(((number, form) for number, form in self.forms.items() if isinstance(form, found)), None)


Field = Union[Scalar, Atomic, MapField, ListField, ObjectField, OneOf]  # noqa: UP007 - names of classes above that mention it
_TYPE_META: Mapping[str, Field] = {"apiVersion": Scalar("string"), "kind": Scalar("string")}


class Kinds:
    """The described kinds by apiVersion and kind."""

    def __init__(self, documents: list[Mapping[str, Any]], common: Kinds | None = None) -> None:
        """``common``: where the types are that these kinds share with others. A type in two documents has the fields of both."""
        self._types: dict[tuple[str, str], ObjectField | OneOf | Scalar] = dict(common._types) if common else {}
        self._kinds: dict[tuple[str, str], ObjectField] = {}
        for document in documents:
            group, version = document["group"], document["version"]
            for name, written in self._written(document):
                self._types.setdefault((group, name), _declared(name, group, version, written))
        for document in documents:
            group = document["group"]
            for name, written in self._written(document):
                found = self._types[group, name]
                if isinstance(found, ObjectField):
                    self._fill(found, written)
                elif isinstance(found, OneOf):
                    for text in written.values():
                        number, kind = text.split(" ", 1)
                        found.forms[int(number)] = self._parse(group, kind)
            for name in document.get("kinds") or ():
                kind = self._types[group, name]
                self._kinds[f"{group}/{document['version']}" if group else document["version"], name] = kind
                kind.fields.update(_TYPE_META)
        for found in self._types.values():
            if isinstance(found, ObjectField):
                _take_in(found)

    @staticmethod
    def _written(document: Mapping[str, Any]) -> list[tuple[str, Any]]:
        return [*(document.get("types") or {}).items(), *(document.get("kinds") or {}).items()]

    def find(self, api_version: str, kind: str) -> ObjectField | None:
        """The fields of a kind, None where they are not described."""
        return self._kinds.get((api_version, kind)) or self._kinds.get(("meta.k8s.io/v1", kind))

    def types(self) -> Iterator[ObjectField]:
        """The objects that are described."""
        yield from (found for found in self._types.values() if isinstance(found, ObjectField))

    def type(self, group: str, name: str) -> ObjectField | OneOf | Scalar:
        """A type as one of ``group`` names it."""
        return next(self._types[key] for key in ((group, name), *((common, name) for common in _COMMON)) if key in self._types)

    def _fill(self, found: ObjectField, written: Mapping[str, str]) -> None:
        for name, text in written.items():
            if name == "$":
                found.atomic = True
                continue
            number, kind, *merging = text.split(" ", 2) if text[0].isdigit() else ("", *text.split(" ", 1))
            found.required.discard(name)
            if kind.endswith("*"):
                found.required.add(name)
                kind = kind[:-1]
            parsed = self._parse(found.group, kind, merging[0] if merging else "")
            if name.startswith("+"):
                found.inline[int(number)] = parsed
                continue
            found.fields[name] = parsed
            if number:
                found.numbers[int(number)] = name

    def _parse(self, group: str, text: str, merging: str = "") -> Field:
        atomic = merging.startswith("atomic")
        if text.endswith("?"):
            inner = self._parse(group, text[:-1], merging)
            return replace(inner, optional=True) if isinstance(inner, ObjectField) else replace(inner, zero=True)
        if text.endswith("!"):
            return replace(self._parse(group, text[:-1], merging), always=True)
        if text in _SCALARS:
            return Scalar(text)
        if text == "any":
            return Atomic()
        if text.startswith("{"):
            return MapField(self._parse(group, text[1:-1]), atomic)
        if text.startswith("["):
            return _list(self._parse(group, text[1:-1]), merging.replace("retainKeys", "").strip())
        found = self.type(group, text)
        return replace(found, atomic=True) if atomic else found


def _declared(name: str, group: str, version: str, written: Any) -> ObjectField | OneOf | Scalar:
    """A type of which no more is known yet than its sort."""
    if isinstance(written, str):
        return Scalar(written, name)
    return OneOf(name) if written and all(key.startswith("|") for key in written) else ObjectField(name, group, version)


def _list(item: Field, keys: str) -> ListField:
    merge, divider, apply = (part.strip() for part in keys.partition("|"))
    apply = apply if divider else merge
    named = {} if apply in ("-", "set") else dict(_key(part) for part in apply.split())
    return ListField(item, "" if merge == "set" else merge, named, merge_set=merge == "set", is_set=apply == "set")


def _key(text: str) -> tuple[str, Any]:
    name, _ignored, default = text.partition("=")
    return name, default or None


def _take_in(found: ObjectField) -> None:
    """Give an object the fields of the objects that stand in it."""
    for inner in found.inline.values():
        _take_in(inner)
        for name, below in inner.fields.items():
            found.fields.setdefault(name, below)
        found.required |= inner.required


@cache
def kinds() -> Kinds:
    """The tables, read once."""
    documents: list[Mapping[str, Any]] = []
    for entry in sorted(files(__package__).iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".yaml"):
            documents += yaml.load_all(entry.read_text(), Loader=_LOADER)
    return Kinds(documents)


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
