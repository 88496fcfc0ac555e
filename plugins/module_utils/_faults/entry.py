# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of this room: a fault, one change that it consists of, and what is remembered of a fault that was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, List, NamedTuple, Optional, Sequence, Tuple

if TYPE_CHECKING:
    from .scene import Scene


class Change(NamedTuple):
    """One thing of the cluster that is in one state, ``before``, and that the fault puts into another, ``broken``.

    ``kind`` says which sort of thing (``settings.KINDS``, ``objects.KINDS``), ``place`` is the node or the API path it is
    at, ``key`` which one it is there. States are JSON values; None is absence.
    """

    kind: str
    place: str
    key: str
    broken: Any
    before: Any = None


class Entry(NamedTuple):
    """A fault that was made: all that healing it needs, on any machine. Told apart by fault, node and pod."""

    fault: str
    node: str
    pod: Optional[str]
    changes: Tuple[Change, ...]

    @property
    def target(self) -> Tuple[str, str, Optional[str]]:
        """What tells it apart from others."""
        return (self.fault, self.node, self.pod)


class Done(NamedTuple):
    """A command that changed something: where it ran, as a person would type it, what it printed."""

    where: str
    command: str
    output: str


class Fault(NamedTuple):
    """A named fault. ``plan`` is pure: from what was seen, the changes to make; it raises PodnetError where there is
    nothing to break in this way. ``about_pod``: it concerns one pod of the node.
    """

    name: str
    title: str
    does: str
    check: str
    heals: str
    source: str
    plan: Callable[["Scene"], List[Change]]
    about_pod: bool = False


def plain_changes(changes: Sequence[Change]) -> List[dict]:
    """The changes as JSON."""
    return [change._asdict() for change in changes]
