# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a terminal (private): what it is, what is wrong and what to do, what was proved, what was not seen."""

from __future__ import annotations

from typing import List

from .._model import FAILED, INCONCLUSIVE, PASSED, WARNING, Finding, Verdict
from .combined import by_cause, by_family, place, unseen

_MARKS = {FAILED: "FAILED", INCONCLUSIVE: "UNDECIDED", WARNING: "WARNING"}
_LISTED_CONSEQUENCES = 3


def render(verdict: Verdict) -> str:
    """Plain text, 100 columns or so, no colour: it goes through Ansible's callbacks and into logs."""
    lines = ["%s  %s" % ("FAILED" if verdict.failed else "PASSED", verdict.msg), ""]
    for cause, effects in by_cause(verdict.findings):
        lines += _finding(cause, effects) + [""]
    lines += ["Proved, by family of checks:"]
    for family, counts in sorted(by_family(verdict.results).items()):
        bad = ["%d %s" % (counts[outcome], outcome) for outcome in (FAILED, INCONCLUSIVE, WARNING) if counts[outcome]]
        if counts[PASSED] or bad:
            lines.append("  %-13s %6d passed%s" % (family, counts[PASSED], "".join(", " + text for text in bad)))
    reasons = unseen(verdict)
    if reasons:
        lines += ["", "Not judged, and why:"] + ["  %s (%d times)" % (_cut(reason, 110), number) for reason, number in reasons]
    return "\n".join(lines) + "\n"


def _finding(cause: Finding, effects: List[Finding]) -> List[str]:
    lines = [
        "%-9s %s  [%s]" % (_MARKS[cause.outcome], cause.message, cause.id),
        "          where     %s" % place(cause),
        "          expected  %s" % cause.expected,
        "          actual    %s" % cause.actual,
        "          do        %s" % cause.remedy,
    ]
    if cause.evidence.command:
        lines.append("          see       %s: %s" % (cause.evidence.where, cause.evidence.command))
    for effect in effects[:_LISTED_CONSEQUENCES]:
        lines.append("          so that   %s" % effect.message)
    if len(effects) > _LISTED_CONSEQUENCES:
        lines.append("          so that   … and %d more" % (len(effects) - _LISTED_CONSEQUENCES))
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
