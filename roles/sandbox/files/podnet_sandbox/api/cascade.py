# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the garbage collector does: deletion goes on from owners to what they own, and back where owners wait for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import lifecycle
from .owners import Owners, Reference, blocks_owner, owner_references

if TYPE_CHECKING:
    from .registry import Resource
    from .store import Store

Object = dict[str, Any]


class Cascade:
    """Follows ``owners`` through ``store``."""

    def __init__(self, store: Store, owners: Owners) -> None:
        self._store, self._owners = store, owners

    def removed(self, last: Mapping[str, Any]) -> None:
        """An object went: what it owned goes too, and an owner that waited for it may."""
        self.delete_dependents(last, "Background")
        for reference in owner_references(last):
            owner = self._owner(reference, last)
            if owner and lifecycle.FOREGROUND in lifecycle.finalizers(owner[1]):
                metadata = owner[1]["metadata"]
                self.release(Reference(owner[0].name, metadata.get("namespace", ""), metadata["name"]))

    def is_blocked(self, owner: Mapping[str, Any]) -> bool:
        """Whether ``owner`` owns something that keeps it from going in a foreground deletion."""
        uid = owner["metadata"]["uid"]
        return any(blocks_owner(found, uid) for _ignored, found in self._dependents(owner))

    def delete_dependents(self, owner: Mapping[str, Any], propagation: str) -> None:
        """Delete what ``owner`` owns, except what someone else still owns as well."""
        uid = owner["metadata"]["uid"]
        for reference, found in list(self._dependents(owner)):
            others = [item for item in owner_references(found) if item["uid"] != uid and self._lives(item, found)]
            if others:
                self._drop_owner(reference, found, uid)
            elif not found["metadata"].get("deletionTimestamp"):
                self._store.delete(reference.resource, reference.name, reference.namespace, propagation=propagation)

    def orphan(self, owner: Mapping[str, Any]) -> None:
        """Have ``owner`` own nothing, and let it go."""
        for reference, found in list(self._dependents(owner)):
            self._drop_owner(reference, found, owner["metadata"]["uid"])
        metadata = owner["metadata"]
        resource = self._store.resources.by_kind(owner["apiVersion"], owner["kind"])
        if resource is not None:
            self._let_go(Reference(resource.name, metadata.get("namespace", ""), metadata["name"]), lifecycle.ORPHAN)

    def release(self, reference: Reference) -> None:
        """End a foreground deletion when nothing that blocks it is left."""
        found = self._store.find(reference.resource, reference.name, reference.namespace)
        if found is not None and not self.is_blocked(found):
            self._let_go(reference, lifecycle.FOREGROUND)

    def collect(self, reference: Reference) -> None:
        """Delete an object none of whose owners is there, and have it forget those that are not."""
        found = self._store.find(reference.resource, reference.name, reference.namespace)
        owners = list(owner_references(found))
        if found is None or not owners or found["metadata"].get("deletionTimestamp"):
            return
        gone = [item for item in owners if self._is_gone(item, found)]
        if len(gone) == len(owners):
            self._store.delete(reference.resource, reference.name, reference.namespace)
        else:
            for item in gone:
                self._drop_owner(reference, found, item["uid"])

    def _is_gone(self, reference: Mapping[str, Any], dependent: Mapping[str, Any]) -> bool:
        """Of a kind that is not served nothing is known."""
        served = self._store.resources.by_kind(reference["apiVersion"], reference["kind"]) is not None
        return served and not self._lives(reference, dependent)

    def _let_go(self, reference: Reference, finalizer: str) -> None:
        found = self._store.find(reference.resource, reference.name, reference.namespace)
        if found is None:
            return
        kept = [item for item in lifecycle.finalizers(found) if item != finalizer]
        self._store.patch(reference.resource, reference.name, {"metadata": {"finalizers": kept or None}}, reference.namespace)

    def _dependents(self, owner: Mapping[str, Any]) -> Iterator[tuple[Reference, Object]]:
        for reference in self._owners.of(owner["metadata"]["uid"]):
            found = self._store.find(reference.resource, reference.name, reference.namespace)
            if found is not None:
                yield reference, found

    def _drop_owner(self, reference: Reference, found: Object, uid: str) -> None:
        kept = [item for item in owner_references(found) if item["uid"] != uid]
        patch = {"metadata": {"ownerReferences": kept or None}}
        self._store.patch(reference.resource, reference.name, patch, reference.namespace)

    def _lives(self, reference: Mapping[str, Any], dependent: Mapping[str, Any]) -> bool:
        found = self._owner(reference, dependent)
        return found is not None and found[1]["metadata"]["uid"] == reference["uid"]

    def _owner(self, reference: Mapping[str, Any], dependent: Mapping[str, Any]) -> tuple[Resource, Object] | None:
        resource = self._store.resources.by_kind(reference["apiVersion"], reference["kind"])
        if resource is None:
            return None
        namespace = dependent["metadata"].get("namespace") if resource.namespaced else None
        found = self._store.find(resource.name, reference["name"], namespace)
        return None if found is None else (resource, found)
