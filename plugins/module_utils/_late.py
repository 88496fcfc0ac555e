# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was not read because the deadline had passed (private, pure): whichever piece it is, the cause is one."""

from __future__ import annotations

import re
from typing import Any, Iterable, List, Optional

from ._model import Snapshot, Unobserved

_LATE = re.compile(r"\bthe deadline of (\S+ s) (?:had )?passed", re.IGNORECASE)
_CHANGES = "changes"  # not a list: whether what was listed still holds


def is_late(reason: str) -> bool:
    """Whether the words say that the deadline was the reason."""
    return _LATE.search(reason) is not None


def late(snapshot: Snapshot) -> Optional[str]:
    """That the deadline passed, and what was not read for it; None where nothing is missing for that reason."""
    gaps = _late(snapshot.header.unobserved)
    nodes = [gap for gap in map(_first, snapshot.nodes) if gap]
    pods = [gap for gap in map(_first, snapshot.pods) if gap]
    probes = [gap for probe in snapshot.probes for gap in _late(probe.unobserved)[:1]]
    found = gaps + nodes + pods + probes
    if not found:
        return None
    unread = ["%d of %d nodes" % (len(nodes), len(snapshot.nodes))] if nodes else []
    unread += ["%d of %d pods" % (len(pods), len(snapshot.pods))] if pods else []
    unread += ["%d of %d probes" % (len(probes), len(snapshot.probes))] if probes else []
    unread += sorted({gap.what for gap in gaps} - {_CHANGES})
    unread += ["what changed meanwhile"] if any(gap.what == _CHANGES for gap in gaps) else []
    seconds = _LATE.search(found[0].reason)
    return "the deadline of %s passed before all was read; not read: %s" % (seconds and seconds[1], ", ".join(unread))


def _late(gaps: Iterable[Unobserved]) -> List[Unobserved]:
    return [gap for gap in gaps if is_late(gap.reason)]


def _first(subject: Any) -> Optional[Unobserved]:
    """One gap of a node or pod that was not read, or not to its end."""
    return next(iter(_late(subject.facts.unobserved)), None) if subject.facts else None
