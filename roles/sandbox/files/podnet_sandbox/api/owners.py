# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is owned by whom, through ``metadata.ownerReferences``: what the garbage collector needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Reference(NamedTuple):
    """Where an object is: resource by the Store's name, namespace ('' for cluster-wide ones), name."""

    resource: str
    namespace: str
    name: str


class Owners:
    """An index from an owner's uid to its dependents, kept in step by the Store."""

    def __init__(self) -> None:
        self._dependents: dict[str, set[Reference]] = {}

    def changed(
        self, reference: Reference, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
    ) -> None:
        """``reference`` changed from ``old`` to ``new`` (None: not there)."""
        before, after = owner_uids(old), owner_uids(new)
        if before == after:
            return
        for uid in before - after:
            dependents = self._dependents.get(uid, set())
            dependents.discard(reference)
            if not dependents:
                self._dependents.pop(uid, None)
        for uid in after - before:
            self._dependents.setdefault(uid, set()).add(reference)

    def of(self, uid: str) -> list[Reference]:
        """What ``uid`` owns."""
        return sorted(self._dependents.get(uid, ()))


def owner_uids(obj: Mapping[str, Any] | None) -> set[str]:
    """The uids of ``obj``'s owners."""
    return {reference["uid"] for reference in owner_references(obj)}


def owner_references(obj: Mapping[str, Any] | None) -> Iterable[Mapping[str, Any]]:
    return (obj or {}).get("metadata", {}).get("ownerReferences") or ()


def blocks_owner(obj: Mapping[str, Any], uid: str) -> bool:
    """Whether ``obj`` keeps its owner ``uid`` from going in a foreground deletion."""
    return any(item["uid"] == uid and item.get("blockOwnerDeletion") for item in owner_references(obj))
