# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Store as Calico's API server sees it: the same objects at the same revisions, in their v3 form.

It has what `Rest` needs of a Store. What is read is converted; what is written is completed and checked as Calico's client does, converted
back, and written to the Store.
"""

from __future__ import annotations

import builtins
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import lifecycle
from ..clock import now
from ..copying import clone
from ..errors import already_exists, not_found
from ..history import Change, Follower
from ..names import generated
from ..preconditions import check_deletion, check_update
from ..registry import Registry
from ..replacing import replaced, same
from ..store import Store
from .ip_pools import network_of
from .kinds import Kind
from .rules import Problem, invalid

Object = dict[str, Any]

#: metadata of a new object that is not a client's to say.
_NOT_TAKEN = ("deletionGracePeriodSeconds", "deletionTimestamp", "selfLink", "uid")


class View:
    """``kinds`` over ``store``. ``release_pool``: lets go of the affinities in a network whose pool is deleted."""

    def __init__(self, store: Store, kinds: Iterable[Kind], release_pool: Callable[[str], None]) -> None:
        self._store, self._release_pool = store, release_pool
        self._kinds = {kind.resource.name: kind for kind in kinds}
        self._by_plural = {kind.resource.plural: kind for kind in self._kinds.values()}
        self._random = random.Random()
        self.history = _History(store, self._kinds)

    @property
    def resources(self) -> Registry:
        return self._store.resources

    @property
    def revision(self) -> int:
        return self._store.revision

    # Reading

    def find(self, res: str, name: str, namespace: str | None = None) -> Object | None:
        """The object, or None."""
        kind = self._kinds[res]
        found = self._kept(kind, name, namespace)
        shown = kind.shown(found) if found else None
        return shown if shown and shown["metadata"]["name"] == name else None

    def scan(self, res: str, namespace: str | None = None) -> builtins.list[Object]:
        """The objects by namespace and name."""
        return self._shown(res, self._store.scan(self._kinds[res].kept, namespace))

    def scan_at(self, res: str, revision: int, namespace: str | None = None) -> builtins.list[Object]:
        """What `scan` would have given at ``revision``. Raises `ApiError` 410 if that is forgotten."""
        return self._shown(res, self._store.scan_at(self._kinds[res].kept, revision, namespace))

    # Writing

    def create(self, res: str, obj: Mapping[str, Any], *, dry_run: bool = False) -> Object:
        """Add an object. Raises `ApiError`."""
        kind = self._kinds[res]
        new = clone(dict(obj))
        metadata = new["metadata"] = {key: value for key, value in new["metadata"].items() if key not in _NOT_TAKEN}
        if kind.resource.has_status:
            new.pop("status", None)
        name = metadata["name"] = metadata.get("name") or self._unused_name(metadata)
        revision = metadata.get("resourceVersion")
        if revision:
            raise invalid(name, [Problem("Metadata.ResourceVersion", revision, "field must not be set for a Create request")])
        metadata.setdefault("creationTimestamp", now())
        self._complete(kind, new, None)
        if self._kept(kind, name, metadata.get("namespace")) is not None:
            raise already_exists(kind.resource, name)
        return kind.shown(self._store.create(kind.kept, kind.stored(new), dry_run=dry_run))

    def update(self, res: str, obj: Mapping[str, Any], subresource: str | None = None, *, dry_run: bool = False) -> Object:
        """Replace an object, or its status. Raises `ApiError`: 404, 409 when outdated, 422."""
        kind, metadata = self._kinds[res], obj["metadata"]
        kept, old = self._existing(kind, metadata.get("name", ""), metadata.get("namespace"))
        check_update(kind.resource, old, metadata)
        new = replaced(kind.resource, old, obj, subresource)
        if same(old, new):
            return old
        self._complete(kind, new, old)
        if lifecycle.may_go(kind.resource, new):
            return self._remove(kind, kept, new, dry_run=dry_run)
        return self._write(kind, new, kept, subresource, dry_run=dry_run)

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
        """Delete an object. It stays while finalizers hold it. Returns it as it was last. Raises `ApiError`."""
        kind = self._kinds[res]
        kept, old = self._existing(kind, name, namespace)
        check_deletion(kind.resource, old, preconditions or {})
        kind.rules.check_deletion(old, self._objects)
        if not lifecycle.finalizers(old):
            return self._remove(kind, kept, old, dry_run=dry_run, propagation=propagation)
        new = clone(old)
        lifecycle.request_deletion(kind.resource, new, grace)
        if dry_run or same(old, new):
            return new
        return self._write(kind, new, kept)

    def _remove(self, kind: Kind, kept: Object, last: Object, *, dry_run: bool, propagation: str = "Background") -> Object:
        """Take an object out. A pool is disabled first, and the affinities to its blocks are let go."""
        if not dry_run:
            if kind.resource.plural == "ippools":
                if not last["spec"].get("disabled"):
                    disabled = {**last, "spec": {**last["spec"], "disabled": True}}
                    self._write(kind, disabled, kept)
                self._release_pool(network_of(last))
            metadata = kept["metadata"]
            self._store.delete(kind.kept, metadata["name"], metadata.get("namespace"), propagation=propagation)
        return last

    def _complete(self, kind: Kind, new: Object, old: Object | None) -> None:
        """Fill in defaults, in place, and check what comes of it. Raises `ApiError`."""
        kind.rules.complete(new)
        problems = list(kind.rules.check(new, old, self._objects))
        if problems:
            raise invalid(new["metadata"].get("name", ""), problems)

    # How an object is found and converted

    def _objects(self, plural: str) -> Iterable[Object]:
        return self.scan(self._by_plural[plural].resource.name)

    def _kept(self, kind: Kind, name: str, namespace: str | None) -> Object | None:
        """The v1 object; a policy whose tier is not in its name may be kept under either."""
        stored = kind.rules.stored_name(name)
        return self._store.find(kind.kept, stored, namespace) or (self._store.find(kind.kept, name, namespace) if stored != name else None)

    def _existing(self, kind: Kind, name: str, namespace: str | None) -> tuple[Object, Object]:
        kept = self._kept(kind, name, namespace)
        if kept is None:
            raise not_found(kind.resource, name)
        return kept, kind.shown(kept)

    def _shown(self, res: str, kept: Iterable[Object]) -> builtins.list[Object]:
        return [self._kinds[res].shown(obj) for obj in kept]

    def _write(self, kind: Kind, new: Object, kept: Object, subresource: str | None = None, *, dry_run: bool = False) -> Object:
        """Replace a v1 object, which keeps its name."""
        made = kind.stored(new)
        made["metadata"]["name"] = kept["metadata"]["name"]
        below = subresource if subresource and self.resources.by_name(kind.kept).subresource(subresource) else None
        return kind.shown(self._store.update(kind.kept, made, below, dry_run=dry_run))

    def _unused_name(self, metadata: Mapping[str, Any]) -> str:
        """A name from generateName; among as many as there may be, one that is taken is not expected."""
        return generated(metadata["generateName"], self._random) if metadata.get("generateName") else ""


class _History:
    """The changes of the kinds that are kept, as changes of the v3 objects."""

    def __init__(self, store: Store, kinds: Mapping[str, Kind]) -> None:
        self._store, self._kinds = store, kinds

    def since(self, resource: str, revision: int) -> list[Change]:
        """The changes after ``revision``. Raises `ApiError` 410 if some of them are forgotten."""
        kind = self._kinds[resource]
        return [_converted(kind, change) for change in self._store.history.since(kind.kept, revision)]

    def follow(self, resource: str, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with each change of ``resource``; the result ends that."""
        kind = self._kinds[resource]
        return self._store.history.follow(kind.kept, lambda change: follower(_converted(kind, change)))


def _converted(kind: Kind, change: Change) -> Change:
    old = None if change.old is None else kind.shown(change.old)
    return Change(change.revision, change.type, kind.resource.name, kind.shown(change.obj), old)
