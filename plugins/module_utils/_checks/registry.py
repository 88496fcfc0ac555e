# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check there is (private), in the order in which a person would look: what the rest is derived from comes first."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Iterable, List, Optional, Sequence, Tuple

from . import (
    bgp, blocks, capacity, connectivity, host, intent, ipam, ipip, leftovers, nat, nodes, paths, pods, shards, sysctls, vxlan, workloads,
)  # fmt: skip
from .record import Check

_FAMILIES = (
    shards, intent, nodes, leftovers, workloads, ipam, capacity, pods, host, blocks, vxlan, ipip, sysctls, bgp, nat, paths, connectivity,
)  # fmt: skip
CHECKS: Tuple[Check, ...] = tuple(check for family in _FAMILIES for check in family.CHECKS)


def select(checks: Optional[Sequence[str]], skip_checks: Optional[Sequence[str]]) -> List[Check]:
    """The checks that match any of ``checks`` (all where None, and each guard) and none of ``skip_checks``; wildcards as in a shell.

    ValueError for a pattern that matches no check: a misspelt one would otherwise prove nothing in silence.
    """
    for pattern in list(checks or ()) + list(skip_checks or ()):
        if not any(fnmatchcase(check.id, pattern) for check in CHECKS):
            families = ", ".join(sorted({check.id.partition(".")[0] + ".*" for check in CHECKS}))
            raise ValueError("No check is called %r. There are %s; docs/checks.md lists them all." % (pattern, families))
    return [check for check in CHECKS if (not checks or check.guard or _any(check.id, checks)) and not _any(check.id, skip_checks or ())]


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
