# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would not keep still (private, pure): a fault of something that changed while it was read may be none."""

from __future__ import annotations

from typing import Iterator, Optional, Sequence, Set, Tuple

from .._model import Changed, Evidence, Subject
from .._names import pod_device
from .._prefix import Prefix, prefix_or_none

CHANGED = "changed while being read"
_TOLD = 5


class Doubt:
    """The subjects that changed while they were read, and again while they were read once more."""

    def __init__(self, changed: Sequence[Changed], interface_prefix: str = "cali") -> None:
        self.changed = changed
        self._everything = any(one.kind in ("Settings", "IPPool") for one in changed)
        self._names: Set[Tuple[Optional[str], str]] = {(one.namespace, one.name) for one in changed if one.name}
        self._nodes: Set[str] = {one.name for one in changed if one.kind == "Node" and one.name}
        known = (prefix_or_none(cidr) for one in changed for cidr in one.prefixes)
        self._prefixes: Set[Prefix] = {one for one in known if one is not None}
        self._devices: Set[str] = {
            pod_device(one.namespace or "", one.name or "", interface_prefix) for one in changed if one.kind == "Pod"
        }

    @property
    def reason(self) -> str:
        """Who it is, the first of them by name."""
        told = [" ".join((one.kind, "/".join(filter(None, (one.namespace, one.name))))).strip() for one in self.changed]
        more = len(told) - _TOLD
        return "%s: %s" % (CHANGED, ", ".join(told[:_TOLD]) + (" and %d more" % more if more > 0 else ""))

    @property
    def evidence(self) -> Evidence:
        """The same for all that is in doubt: it is one cause."""
        return Evidence("cluster", "kubectl get pods,nodes --all-namespaces --watch", self.reason)

    def covers(self, node: Optional[str], subject: Subject) -> bool:
        """Whether what is found of the subject, on the node, may come of the change."""
        if not self.changed:
            return False
        return (
            self._everything
            or node in self._nodes
            or (subject.namespace, subject.name) in self._names
            or any(name in self._devices for name in (subject.name or "").split("."))
            or any((namespace, name) in self._names for namespace, _slash, name in _ends(subject))
            or any(outer in self._prefixes for outer in _around(subject))
        )


def _ends(subject: Subject) -> Iterator[Tuple[str, str, str]]:
    """Namespace and name of the two pods of a path or probe."""
    if subject.kind in ("Path", "Probe"):
        for end in (subject.name or "").split(" → "):
            yield end.partition("/")


def _around(subject: Subject) -> Iterator[Prefix]:
    """The subject's prefix, or address, and all that hold it."""
    own = prefix_or_none(subject.prefix or subject.ip)
    if own is not None:
        yield from own.around()
