# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a fault and healing it: what changes is worked out, remembered, done, and put back as it was.

What was put into its broken state is put back only while it is in that state. Where Calico, or a person, has changed it
since, the newer state is left alone, and the result says so.
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .._cluster import Cluster
from .._collect import API, collect
from .._errors import PodnetError
from .._model import Snapshot
from . import mark, objects, settings
from .entry import Change, Done, Entry, Fault
from .hands import Hands
from .scene import Scene, Target, choose

State = Tuple[Change, Any]
KINDS: Dict[str, Any] = dict(settings.KINDS, **objects.KINDS)


class Outcome(NamedTuple):
    """What was done, or would be: the entry, each change's state before and after, the commands, what was left alone."""

    entry: Entry
    before: List[State]
    after: List[State]
    done: List[Done]
    left_alone: List[str]

    @property
    def changed(self) -> bool:
        """Whether any state differs."""
        return self.before != self.after


class Lab:
    """A cluster that was shown to be the lab. Making the object refuses every other one."""

    def __init__(self, cluster: Cluster, uuid: str) -> None:
        mark.guard(cluster, uuid)
        self.cluster = cluster
        self._snapshot: Optional[Snapshot] = None

    @property
    def snapshot(self) -> Snapshot:
        """The objects, read once."""
        if self._snapshot is None:
            self._snapshot = collect(self.cluster, (API,))
        return self._snapshot

    def make(self, fault: Fault, node: Optional[str] = None, pod: Optional[str] = None, dry: bool = False) -> Outcome:
        """Break the lab; nothing happens where it is broken in this way already. ``dry``: only say what would change."""
        target = choose(self.snapshot, fault.about_pod, node, pod)
        hands = Hands(self.cluster, self.snapshot.nodes)
        entry = self._planned(fault, target, hands)
        before = [(change, _read(hands, change)) for change in entry.changes]
        entry = entry._replace(changes=tuple(_remembering(change, state) for change, state in before))
        before = [(change, state) for change, (_old, state) in zip(entry.changes, before)]
        outcome = Outcome(entry, before, [(change, change.broken) for change in entry.changes], hands.done, [])
        if dry or not outcome.changed:
            return outcome
        self._refuse_a_second_one(entry, hands)
        mark.remember(self.cluster, entry)
        for change, state in before:
            if state != change.broken:
                KINDS[change.kind].write(hands, change.place, change.key, state, change.broken)
        return outcome

    def _planned(self, fault: Fault, target: Target, hands: Hands) -> Entry:
        """What is remembered of this fault at this target, while any of it is in force; else a new plan."""
        pod = "%s/%s" % (target.pod.namespace, target.pod.name) if target.pod else None
        for known in mark.entries(self.cluster):
            same = known.target == (fault.name, target.node.name, pod)
            if same and any(_read(hands, change) == change.broken for change in known.changes):
                return known
        scene = Scene(self.snapshot, target, lambda name: hands.facts(target.node.name, name), hands.object)
        planned = [change._replace(before=_read(hands, change)) for change in fault.plan(scene)]
        return Entry(fault.name, target.node.name, pod, tuple(planned))

    def _refuse_a_second_one(self, entry: Entry, hands: Hands) -> None:
        """One thing is broken by one fault at a time: healed in another order, the first one's state would stay behind."""
        things = {change[:3] for change in entry.changes}
        for known in mark.entries(self.cluster):
            for change in known.changes:
                if known.target != entry.target and change[:3] in things and _read(hands, change) == change.broken:
                    raise PodnetError(
                        "%s of %s is broken already, by the fault %s. Nothing was changed" % (change.key, change.place, known.fault),
                        "Heal that one first: state: absent, fault: %s." % known.fault,
                    )

    def heal(self, fault: Optional[str] = None, node: Optional[str] = None, pod: Optional[str] = None, dry: bool = False) -> List[Outcome]:
        """Put back what was made and is remembered: of one fault or all, at one node or pod or all. The newest first."""
        found = [
            entry
            for entry in mark.entries(self.cluster)
            if fault in (None, entry.fault) and node in (None, entry.node) and pod in (None, entry.pod)
        ]
        return [self._heal(entry, dry) for entry in reversed(found)]

    def _heal(self, entry: Entry, dry: bool) -> Outcome:
        hands = Hands(self.cluster, self.snapshot.nodes)
        before: List[State] = []
        after: List[State] = []
        left: List[str] = []
        for change in reversed(entry.changes):
            gone = change.kind in settings.KINDS and change.place not in {one.name for one in self.snapshot.nodes}
            state = None if gone else _read(hands, change)
            before.append((change, state))
            ours = not gone and state == change.broken
            after.append((change, change.before if ours else state))
            if ours and not dry:
                KINDS[change.kind].write(hands, change.place, change.key, state, change.before)
            elif not ours and (gone or state != change.before):
                left.append("%s %s: %s" % (change.place, change.key, "the node is gone" if gone else said(state)))
        if not dry:
            mark.forget(self.cluster, entry)
        return Outcome(entry, before, after, hands.done, left)


def _read(hands: Hands, change: Change) -> Any:
    return KINDS[change.kind].read(hands, change.place, change.key)


def _remembering(change: Change, state: Any) -> Change:
    """The change with the state to go back to: the one it is in, unless it is in the broken one already."""
    return change if state == change.broken else change._replace(before=state)


def said(state: Any) -> str:
    """A state for a person."""
    if state is None or state == []:
        return "absent"
    if isinstance(state, dict):
        return json.dumps(state, sort_keys=True)
    return "; ".join(map(str, state)) if isinstance(state, list) else str(state)
