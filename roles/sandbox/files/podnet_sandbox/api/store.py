# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's objects, in memory, with the rules of the API on every write.

All of it is synchronous and meant for one thread: a write is seen by the next read. What `get` and `list` return is the
caller's own; what `find` and `scan` return is the Store's and must not be altered.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from . import lifecycle
from .cascade import Cascade
from .clock import now
from .copying import clone
from .custom_resources import Definitions
from .errors import ApiError, already_exists, invalid, method_not_allowed, not_found, required
from .history import ADDED, DELETED, MODIFIED, Change, History
from .kinds import builtin
from .names import generated
from .owners import Owners, Reference
from .patch import merge
from .preconditions import check_deletion, check_update
from .registry import Registry, Resource
from .replacing import generation_changes, replaced, same
from .selectors import object_match
from .strategy import Strategies

Object = dict[str, Any]
Key = tuple[str, str]
Callback = Callable[[str, str, Mapping[str, Any], "Mapping[str, Any] | None"], None]

#: What kube-apiserver makes by itself before it answers.
SYSTEM_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")
_NAME_ATTEMPTS = 8


class Store:
    """All objects of one cluster. ``service_subnet`` is where Services' addresses must be from ('' : anywhere)."""

    def __init__(self, resources: Registry | None = None, service_subnet: str = "") -> None:
        self.resources = resources or builtin()
        self.history = History()
        self._objects: dict[str, dict[Key, Object]] = {}
        self._owners = Owners()
        self._cascade = Cascade(self, self._owners)
        self._callbacks: list[Callback] = []
        self._random = random.Random()
        self._strategies = Strategies(self, service_subnet)
        self._definitions = Definitions(self)
        self.revision = 1
        for name in SYSTEM_NAMESPACES:
            self.create("namespaces", {"metadata": {"name": name}})

    # Reading

    def get(self, res: str, name: str, namespace: str | None = None) -> Object:
        """A copy of one object. Raises `ApiError` 404."""
        resource = self.resources.by_name(res)
        return clone(self._existing(resource, name, namespace))

    def list(
        self, res: str, namespace: str | None = None, labels: str | None = None, fields: str | None = None
    ) -> list[Object]:
        """Copies of objects by namespace and name; ``labels`` and ``fields`` are selectors as kubectl takes them."""
        resource = self.resources.by_name(res)
        match = object_match(resource, labels, fields)
        return [clone(obj) for obj in self.scan(res, namespace) if match is None or match(obj)]

    def find(self, res: str, name: str, namespace: str | None = None) -> Object | None:
        """The object itself, or None. Not to be altered."""
        return self._objects.get(res, {}).get((namespace or "", name))

    def scan(self, res: str, namespace: str | None = None) -> list[Object]:
        """The objects themselves by namespace and name. Not to be altered."""
        objects = self._objects.get(res, {})
        if namespace:
            return [objects[key] for key in sorted(key for key in objects if key[0] == namespace)]
        return [objects[key] for key in sorted(objects)]

    def scan_at(self, res: str, revision: int, namespace: str | None = None) -> list[Object]:
        """What `scan` would have given at ``revision``. Raises `ApiError` 410 if that is forgotten."""
        objects = dict(self._objects.get(res, {}))
        for change in reversed(self.history.since(res, revision)):
            metadata = change.obj["metadata"]
            key = (metadata.get("namespace", ""), metadata["name"])
            if change.old is None:
                objects.pop(key, None)
            else:
                objects[key] = change.old  # type: ignore[assignment]
        return [objects[key] for key in sorted(objects) if not namespace or key[0] == namespace]

    def subscribe(self, callback: Callback) -> None:
        """Call ``callback(type, res, obj, old)`` after every change, with objects it must not alter."""
        self._callbacks.append(callback)

    # Writing

    def create(self, res: str, obj: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Add an object: name from generateName, uid, timestamps and defaults are filled in. Raises `ApiError`."""
        resource = self.resources.by_name(res)
        if "create" not in resource.verbs:
            raise method_not_allowed()
        new = self._identified(resource, obj)
        metadata = new["metadata"]
        key = (metadata.get("namespace", ""), metadata.get("name", ""))
        self._strategies.prepare_create(resource, new)
        present = self._objects.get(resource.name, {}).get(key)
        if present is not None:
            raise already_exists(resource, metadata["name"], going=bool(present["metadata"].get("deletionTimestamp")))
        if dry_run:
            return new
        metadata["resourceVersion"] = self._next_revision()
        self._put(resource, new, None)
        return clone(self._objects[resource.name].get(key, new))  # the definition of a resource has a status by now

    def update(self, res: str, obj: Mapping[str, Any], subresource: str | None = None, *, dry_run: bool = False) -> Object:
        """Replace an object, or the part of it that ``subresource`` writes. Raises `ApiError`: 404, 409 when outdated, 422."""
        resource = self.resources.by_name(res)
        metadata = obj.get("metadata") or {}
        old = self._existing(resource, metadata.get("name", ""), metadata.get("namespace"))
        check_update(resource, old, metadata)
        new = replaced(resource, old, obj, subresource)
        self._strategies.prepare_update(resource, new, old, subresource)
        if same(old, new):
            return clone(old)
        if generation_changes(resource, old, new):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        if dry_run:
            return new
        if lifecycle.may_go(resource, new):
            self._remove(resource, new)
            return new
        new["metadata"]["resourceVersion"] = self._next_revision()
        self._put(resource, new, old)
        return clone(new)

    def patch(
        self, res: str, name: str, patch: Mapping[str, Any], namespace: str | None = None, subresource: str | None = None
    ) -> Object:
        """Apply a JSON merge patch (RFC 7386): None removes a key. Raises `ApiError`."""
        resource = self.resources.by_name(res)
        old = self._existing(resource, name, namespace)
        return self.update(res, merge(old, patch), subresource)

    def delete(
        self,
        res: str,
        name: str,
        namespace: str | None = None,
        grace: int | None = None,
        *,
        propagation: str = "Background",
        preconditions: Mapping[str, str] | None = None,
        dry_run: bool = False,
    ) -> Object:
        """Delete an object, and what it owns as ``propagation`` says (Background, Foreground, Orphan).

        It stays, with a deletionTimestamp, while finalizers hold it or, a pod, until `finalize_delete` or ``grace`` 0.
        Returns it as it was last. Raises `ApiError`.
        """
        resource = self.resources.by_name(res)
        old = self._existing(resource, name, namespace)
        check_deletion(resource, old, preconditions or {})
        new = clone(old)
        lifecycle.request_deletion(resource, new, grace)
        if dry_run:
            return new
        waits_for = {"Foreground": lifecycle.FOREGROUND, "Orphan": lifecycle.ORPHAN}.get(propagation)
        if waits_for:  # the garbage collector takes it away when it has done its part
            lifecycle.add_finalizer(new, waits_for)
        if lifecycle.may_go(resource, new):
            # only pods are told of their grace when there is none to wait for
            self._remove(resource, new if resource.name == "pods" else clone(old))
        elif not same(old, new):
            new["metadata"]["resourceVersion"] = self._next_revision()
            self._put(resource, new, old)
        answer = clone(new)
        if lifecycle.FOREGROUND in lifecycle.finalizers(new):
            self._cascade.delete_dependents(new, "Foreground")
            self._cascade.release(self._reference(resource, new))
        elif lifecycle.ORPHAN in lifecycle.finalizers(new):
            self._cascade.orphan(new)
        return answer

    def finalize_delete(self, res: str, name: str, namespace: str | None = None) -> None:
        """The kubelet's last word on a pod that is being deleted; a pod that is gone already is fine."""
        if self.find(res, name, namespace) is not None:
            self.delete(res, name, namespace, grace=0)

    def collect(self, reference: Reference) -> None:
        """Delete an object whose owners are all gone, as the garbage collector does."""
        self._cascade.collect(reference)

    def drop_all(self, res: str) -> None:
        """Take out all objects of a resource whose definition is gone, finalizers or not."""
        resource = self.resources.by_name(res)
        for obj in self.scan(res):
            self._remove(resource, clone(obj))

    # How an object gets in and out

    def _identified(self, resource: Resource, obj: Mapping[str, Any]) -> Object:
        """A copy with the metadata of a new object."""
        new = {**_type_meta(resource), **clone(obj), **_type_meta(resource)}
        metadata = new["metadata"] = dict(new.get("metadata") or {})
        if metadata.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        for field in ("deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion", "selfLink"):
            metadata.pop(field, None)
        if not resource.namespaced:
            metadata.pop("namespace", None)
        elif not metadata.get("namespace"):
            raise invalid(resource, metadata.get("name", ""), [required("metadata.namespace")])
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = self._unused_name(resource, metadata)
        metadata["uid"] = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        metadata["creationTimestamp"] = now()
        if resource.generation or resource.custom:
            metadata["generation"] = 1
        return new

    def _unused_name(self, resource: Resource, metadata: Mapping[str, Any]) -> str:
        taken = self._objects.get(resource.name, {})
        for _ignored in range(_NAME_ATTEMPTS):
            name = generated(metadata["generateName"], self._random)
            if (metadata.get("namespace", ""), name) not in taken:
                return name
        raise already_exists(resource, name)

    def _existing(self, resource: Resource, name: str, namespace: str | None) -> Object:
        found = self._objects.get(resource.name, {}).get((namespace or "", name))
        if found is None:
            raise not_found(resource, name)
        return found

    def _next_revision(self) -> str:
        self.revision += 1
        return str(self.revision)

    def _put(self, resource: Resource, new: Object, old: Object | None) -> None:
        reference = self._reference(resource, new)
        self._objects.setdefault(resource.name, {})[reference.namespace, reference.name] = new
        self._owners.changed(reference, old, new)
        self._tell(ADDED if old is None else MODIFIED, resource, new, old)

    def _remove(self, resource: Resource, last: Object) -> None:
        """Take an object out. ``last`` is its last state; what it owned goes too."""
        reference = self._reference(resource, last)
        old = self._objects[resource.name].pop((reference.namespace, reference.name))
        self._owners.changed(reference, old, None)
        last["metadata"]["resourceVersion"] = self._next_revision()
        self._tell(DELETED, resource, clone(last), old)
        self._cascade.removed(last)

    def _tell(self, kind: str, resource: Resource, obj: Object, old: Object | None) -> None:
        self.history.record(Change(self.revision, kind, resource.name, obj, old))
        for callback in self._callbacks:
            callback(kind, resource.name, obj, old)
        self._definitions.changed(kind, resource.name, obj)

    @staticmethod
    def _reference(resource: Resource, obj: Mapping[str, Any]) -> Reference:
        metadata = obj["metadata"]
        return Reference(resource.name, metadata.get("namespace", ""), metadata["name"])


def _type_meta(resource: Resource) -> dict[str, str]:
    return {"apiVersion": resource.api_version, "kind": resource.kind}
