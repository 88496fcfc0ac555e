# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which resources the API serves: the built-in ones and those a CustomResourceDefinition added."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .errors import ApiError
from .schema import ObjectField, kinds

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Subresource:
    """One path below an object: ``kind`` in ``group``/``version`` is what is sent and answered there.

    ``foreign`` marks a kind of another group than its resource's, which discovery then spells out.
    """

    name: str
    kind: str
    verbs: tuple[str, ...] = ("get", "patch", "update")
    group: str = ""
    version: str = ""
    foreign: bool = False


@dataclass(frozen=True)
class Column:
    """One printed column of a custom resource (``additionalPrinterColumns``)."""

    name: str
    type: str
    json_path: str
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Resource:
    """One kind at one version. `name` is what kubectl and the Store call it: ``pods``, ``daemonsets.apps``."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    subresources: tuple[Subresource, ...] = ()
    #: True where creation and every change of ``spec`` count ``metadata.generation``.
    generation: bool = False
    custom: bool = False
    #: True where another server answers, behind kube-apiserver; ``described`` then gives the fields of the kind.
    aggregated: bool = False
    described: Callable[[], ObjectField | None] | None = field(default=None, compare=False)
    #: A custom resource's structural OpenAPI schema, and how kubectl prints it.
    schema: Mapping[str, Any] | None = field(default=None, compare=False)
    columns: tuple[Column, ...] = field(default=(), compare=False)
    selectable: tuple[str, ...] = field(default=(), compare=False)
    scale_paths: Mapping[str, str] | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def storage_hash(self) -> str:
        """What discovery says instead of the version that objects are kept in (kube-apiserver's StorageVersionHash)."""
        digest = hashlib.sha256(f"{self.group}/{self.version}/{self.kind}".encode()).digest()
        return base64.b64encode(digest[:8]).decode()

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def fields(self) -> ObjectField | None:
        """The fields of the kind, None where they are not described; a custom resource's are in its ``schema``."""
        return self.described() if self.described else kinds().find(self.api_version, self.kind)

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of that name, if this resource has it."""
        return next((item for item in self.subresources if item.name == name), None)

    @property
    def has_status(self) -> bool:
        """Whether ``status`` is written through its own path only."""
        return self.subresource("status") is not None

    def __str__(self) -> str:
        return self.name


class Aggregated(NamedTuple):
    """A version of a group that is another server's: what it served when it last answered, by plural, and whether it answers."""

    resources: Mapping[str, Resource]
    answers: bool


class Registry:
    """The resources served now. The first version added of a resource is the one its objects are kept in.

    What another server answers for is found by its path only: its objects are not the Store's.
    """

    def __init__(self, resources: Iterable[Resource] = ()) -> None:
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str], Resource] = {}
        self._by_name: dict[str, Resource] = {}
        #: Counts changes, so that what is derived from the registry knows when to be made again.
        self.revision = 0
        self._aggregated: dict[tuple[str, str], Aggregated] = {}
        for resource in resources:
            self.add(resource)

    def add(self, resource: Resource) -> None:
        """Serve ``resource``; replaces the same group, version and plural."""
        self._by_path[resource.group, resource.version, resource.plural] = resource
        self._by_kind[resource.api_version, resource.kind] = resource
        known = self._by_name.get(resource.name)
        if known is None or known.version == resource.version:
            self._by_name[resource.name] = resource
        self.revision += 1

    def remove(self, group: str, plural: str) -> None:
        """Serve no version of it any more."""
        for key in [key for key in self._by_path if key[0] == group and key[2] == plural]:
            gone = self._by_path.pop(key)
            self._by_kind.pop((gone.api_version, gone.kind), None)
            self._by_name.pop(gone.name, None)
        self.revision += 1

    def aggregate(self, group: str, version: str, resources: Iterable[Resource], *, answers: bool) -> None:
        """Another server has that version of the group, and ``resources`` from when it first ``answers``.

        Custom resources of the same version are hidden: kube-apiserver asks the server that an APIService names.
        """
        before = self._aggregated.get((group, version))
        known = {item.plural: item for item in resources} if answers else before.resources if before else {}
        if before is None or before.answers is not answers:
            self._aggregated[group, version] = Aggregated(known, answers)
            self.revision += 1

    def withdraw(self, group: str, version: str) -> None:
        """End what `aggregate` began."""
        if self._aggregated.pop((group, version), None) is not None:
            self.revision += 1

    def answers(self, group: str, version: str) -> bool:
        """False for what another server has that is away."""
        found = self._aggregated.get((group, version))
        return found is None or found.answers

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The resource at that path."""
        elsewhere = self._aggregated.get((group, version))
        if elsewhere is not None:
            return elsewhere.resources.get(plural)
        return self._by_path.get((group, version, plural))

    def by_kind(self, api_version: str, kind: str) -> Resource | None:
        """The resource an object with that ``apiVersion`` and ``kind`` is of."""
        return self._by_kind.get((api_version, kind))

    def by_name(self, name: str) -> Resource:
        """The resource the Store calls ``name``. Raises `ApiError` 404, as an API path of no resource does."""
        found = self._by_name.get(name)
        if found is None:
            message = f'the server doesn\'t have a resource type "{name}"'
            raise ApiError(404, "NotFound", message, {"kind": name})
        return found

    def serves(self, name: str) -> bool:
        """Whether `by_name` would find it."""
        return name in self._by_name

    def groups(self) -> dict[str, list[str]]:
        """Versions by group; the core group is ''.

        Kubernetes' own come first, then the aggregated ones, then custom resources, each in the order they came: by it clients choose
        among groups that have a resource of the same name (groupPriorityMinimum: 17,000 and more, Calico's 1,500, custom resources' 1,000).
        """
        custom = {(group, version): item.custom for (group, version, _ignored), item in self._by_path.items()}
        own = [key for key, is_custom in custom.items() if not is_custom and key not in self._aggregated]
        found: dict[str, list[str]] = {}
        for group, version in (*own, *self._aggregated, *custom):
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        return found

    def in_version(self, group: str, version: str) -> list[Resource]:
        """The resources of one group and version."""
        elsewhere = self._aggregated.get((group, version))
        if elsewhere is not None:
            return list(elsewhere.resources.values())
        return [item for item in self._by_path.values() if (item.group, item.version) == (group, version)]

    def __iter__(self) -> Iterator[Resource]:
        """Each resource once, at the version it is kept in."""
        return iter(tuple(self._by_name.values()))
