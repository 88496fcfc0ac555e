# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""CustomResourceDefinitions: the resources they add to the registry, and what becomes of them when they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .clock import now
from .history import DELETED
from .registry import Column, Resource, Subresource

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]

DEFINITIONS = "customresourcedefinitions.apiextensions.k8s.io"
#: The order discovery gives the verbs of custom resources in.
_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


class Definitions:
    """Keeps the registry of ``store`` equal to its CustomResourceDefinitions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._registered: dict[str, Mapping[str, Any]] = {}

    def changed(self, kind: str, resource: str, obj: Mapping[str, Any]) -> None:
        """Follow one change of the store."""
        if resource != DEFINITIONS:
            return
        name = obj["metadata"]["name"]
        if kind == DELETED:
            self._forget(name, obj["spec"])
        elif self._registered.get(name) != obj["spec"]:
            self._registered[name] = obj["spec"]
            self._register(name, obj)

    def _register(self, name: str, definition: Mapping[str, Any]) -> None:
        spec = definition["spec"]
        self._store.resources.remove(spec["group"], spec["names"]["plural"])
        for resource in _resources(spec):
            self._store.resources.add(resource)
        self._store.patch(DEFINITIONS, name, {"status": _status(definition)}, subresource="status")

    def _forget(self, name: str, spec: Mapping[str, Any]) -> None:
        self._registered.pop(name, None)
        self._store.drop_all(name)
        self._store.resources.remove(spec["group"], spec["names"]["plural"])


def storage_version(spec: Mapping[str, Any]) -> str:
    """The version objects of this definition are kept in."""
    return next(version["name"] for version in spec["versions"] if version.get("storage"))


def _resources(spec: Mapping[str, Any]) -> Iterator[Resource]:
    """One resource per served version, the stored one first."""
    stored = storage_version(spec)
    for version in sorted(spec["versions"], key=lambda item: item["name"] != stored):
        if version.get("served", True):
            yield _resource(spec, version)


def _resource(spec: Mapping[str, Any], version: Mapping[str, Any]) -> Resource:
    names, below = spec["names"], version.get("subresources") or {}
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        namespaced=spec.get("scope") == "Namespaced",
        singular=names.get("singular") or names["kind"].lower(),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=_VERBS,
        subresources=tuple(_subresources(spec, version)),
        custom=True,
        schema=(version.get("schema") or {}).get("openAPIV3Schema"),
        columns=tuple(_columns(version)),
        selectable=tuple(item["jsonPath"].lstrip(".") for item in version.get("selectableFields") or ()),
        scale_paths=below.get("scale"),
    )


def _subresources(spec: Mapping[str, Any], version: Mapping[str, Any]) -> Iterator[Subresource]:
    below = version.get("subresources") or {}
    if below.get("scale") is not None:
        yield Subresource("scale", "Scale", group="autoscaling", version="v1", foreign=True)
    if below.get("status") is not None:
        yield Subresource("status", spec["names"]["kind"], group=spec["group"], version=version["name"])


def _columns(version: Mapping[str, Any]) -> Iterator[Column]:
    for column in version.get("additionalPrinterColumns") or ():
        yield Column(
            name=column["name"],
            type=column["type"],
            json_path=column["jsonPath"],
            format=column.get("format", ""),
            description=column.get("description", ""),
            priority=column.get("priority", 0),
        )


def _status(definition: Mapping[str, Any]) -> Object:
    before = definition.get("status") or {}
    moments = {item["type"]: item["lastTransitionTime"] for item in before.get("conditions") or ()}
    said = (
        ("NamesAccepted", "NoConflicts", "no conflicts found"),
        ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
    )
    return {
        "conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": moments.get(kind) or now(), "reason": reason, "message": message}
            for kind, reason, message in said
        ],
        "acceptedNames": dict(definition["spec"]["names"]),
        "storedVersions": before.get("storedVersions") or [storage_version(definition["spec"])],
    }
