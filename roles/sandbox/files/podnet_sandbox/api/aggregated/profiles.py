# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles: nobody keeps them. There is one of each namespace and ServiceAccount, with their labels, and one that allows everything.

Source: libcalico-go/lib/backend/k8s/resources/profile.go and conversion.go of v3.30.7.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from ..errors import plain_error
from ..history import Change, Follower
from ..registry import Registry
from ..store import Store
from .kinds import Kind
from .metadata import converted_uid

Object = dict[str, Any]

_NAME = "projectcalico.org/name"
_ALLOW = [{"action": "Allow"}]
_DEFAULT = {
    "metadata": {"name": "projectcalico-default-allow", "creationTimestamp": None, "resourceVersion": "1"},
    "spec": {"ingress": _ALLOW, "egress": _ALLOW},
}


class Profiles:
    """What `Rest` needs of a Store, of profiles alone."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._store, self._kind = store, kind
        self._makers = {"namespaces": _of_namespace, "serviceaccounts": _of_account}
        self.history = self

    @property
    def resources(self) -> Registry:
        return self._store.resources

    @property
    def revision(self) -> int:
        return self._store.revision

    def find(self, _res: str, name: str, _namespace: str | None = None) -> Object | None:
        """The profile, or None."""
        return next((item for item in self.scan(_res) if item["metadata"]["name"] == name), None)

    def scan(self, _res: str, _namespace: str | None = None) -> builtins.list[Object]:
        """All of them: the one that is always there, namespaces', ServiceAccounts'."""
        return self._all(self._store.scan)

    def scan_at(self, _res: str, revision: int, _namespace: str | None = None) -> builtins.list[Object]:
        """What `scan` would have given at ``revision``. Raises `ApiError` 410 if that is forgotten."""
        return self._all(lambda res: self._store.scan_at(res, revision))

    def create(self, _res: str, obj: Mapping[str, Any], **_options: Any) -> NoReturn:
        """Refused."""
        _refuse("Create", obj["metadata"].get("name", ""))

    def update(self, _res: str, obj: Mapping[str, Any], _subresource: str | None = None, **_options: Any) -> NoReturn:
        """Refused."""
        _refuse("Update", obj["metadata"].get("name", ""))

    def delete(self, _res: str, name: str, *_place: Any, **_options: Any) -> NoReturn:
        """Refused."""
        _refuse("Delete", name)

    def since(self, _resource: str, revision: int) -> builtins.list[Change]:
        """The changes after ``revision``. Raises `ApiError` 410 if some of them are forgotten."""
        changes = [change for res in self._makers for change in self._store.history.since(res, revision)]
        return [self._converted(change) for change in sorted(changes, key=lambda change: change.revision)]

    def follow(self, _resource: str, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with each change; the result ends that."""
        stops = [self._store.history.follow(res, lambda change: follower(self._converted(change))) for res in self._makers]

        def stop() -> None:
            for each in stops:
                each()

        return stop

    def _all(self, scan: Callable[[str], builtins.list[Object]]) -> builtins.list[Object]:
        made = [maker(obj) for res, maker in self._makers.items() for obj in scan(res)]
        return [self._typed(item) for item in (_DEFAULT, *made)]

    def _converted(self, change: Change) -> Change:
        maker = self._makers[change.resource]
        old = None if change.old is None else self._typed(maker(change.old))
        return Change(change.revision, change.type, self._kind.resource.name, self._typed(maker(change.obj)), old)

    def _typed(self, obj: Mapping[str, Any]) -> Object:
        resource = self._kind.resource
        return self._kind.shaped({"apiVersion": resource.api_version, "kind": resource.kind, **obj})


def _of_namespace(namespace: Mapping[str, Any]) -> Object:
    metadata = namespace["metadata"]
    found = _made(f"kns.{metadata['name']}", metadata, "pcns.")
    found["metadata"]["resourceVersion"] = f"{metadata['resourceVersion']}/"
    return {**found, "spec": {"ingress": _ALLOW, "egress": _ALLOW, **found["spec"]}}


def _of_account(account: Mapping[str, Any]) -> Object:
    metadata = account["metadata"]
    found = _made(f"ksa.{metadata['namespace']}.{metadata['name']}", metadata, "pcsa.")
    found["metadata"]["resourceVersion"] = f"/{metadata['resourceVersion']}"
    return found


def _made(name: str, metadata: Mapping[str, Any], prefix: str) -> Object:
    labels = {**(metadata.get("labels") or {}), _NAME: metadata["name"]}
    own = {"name": name, "creationTimestamp": metadata["creationTimestamp"], "uid": converted_uid(metadata["uid"])}
    return {"metadata": own, "spec": {"labelsToApply": {f"{prefix}{key}": value for key, value in sorted(labels.items())}}}


def _refuse(operation: str, name: str) -> NoReturn:
    raise plain_error(f"operation {operation} is not supported on Profile({name})")
