# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recent changes of each resource, so that a watch can start where a list ended, and who follows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import expired

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
#: Changes kept per resource; a watch that starts further back is told to list again, as after etcd's compaction.
KEPT = 2000


@dataclass(frozen=True, slots=True)
class Change:
    """One change: ``obj`` as it is (DELETED: was) and ``old`` as it was before; both must not be altered."""

    revision: int
    type: str
    resource: str
    obj: Mapping[str, Any]
    old: Mapping[str, Any] | None


Follower = Callable[[Change], None]


class History:
    """Records changes and hands each to the followers of its resource."""

    def __init__(self) -> None:
        self._changes: dict[str, deque[Change]] = {}
        self._forgotten: dict[str, int] = {}
        self._begun = 0
        self._followers: dict[str, list[Follower]] = {}

    def record(self, change: Change) -> None:
        """Keep ``change`` and tell the followers at once."""
        kept = self._changes.setdefault(change.resource, deque())
        kept.append(change)
        if len(kept) > KEPT:
            self._forgotten[change.resource] = kept.popleft().revision
        for follower in tuple(self._followers.get(change.resource, ())):
            follower(change)

    def begin(self, revision: int) -> None:
        """Serve from ``revision`` on: kube-apiserver's watch cache knows nothing of what was before it started."""
        self._begun = revision

    def since(self, resource: str, revision: int) -> list[Change]:
        """The changes after ``revision``. Raises `ApiError` 410 if some of them are forgotten."""
        forgotten = max(self._forgotten.get(resource, 0), self._begun)
        if revision < forgotten:
            raise expired(f"too old resource version: {revision} ({forgotten})")
        return [change for change in self._changes.get(resource, ()) if change.revision > revision]

    def follow(self, resource: str, follower: Follower) -> Callable[[], None]:
        """Call ``follower`` with each change of ``resource``; the result ends that."""
        followers = self._followers.setdefault(resource, [])
        followers.append(follower)

        def stop() -> None:
            if follower in followers:
                followers.remove(follower)

        return stop
