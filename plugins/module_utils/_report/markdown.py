# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict as Markdown (private), for an issue or a pull request's summary."""

from __future__ import annotations

import re
from typing import List

from .._checks.judging import OUTCOMES
from .._model import Finding, Verdict
from .._plain import count
from .combined import by_cause, by_family, page_of, place, unseen

# What has a meaning in GitHub's Markdown or in the HTML that it lets through.
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|<>&~])")


def escape(text: str) -> str:
    """Text that means only itself, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def render(verdict: Verdict, title: str) -> str:
    """Headline, what is wrong by cause, what was proved by family."""
    header = verdict.header
    lines = ["# %s: %s" % (escape(title), "failed" if verdict.failed else "passed"), "", escape(verdict.msg), ""]
    if header is not None:
        lines += [
            "Calico %s · Kubernetes %s · collected %s"
            % tuple(escape(str(part or "unknown")) for part in (header.calico_version, header.kubernetes_version, header.collected_at)),
            "",
        ]
    for cause, effects in by_cause(verdict.findings):
        lines += _finding(cause, effects)
    lines += ["## What was checked", "", "Checks by outcome.", ""]
    lines += ["| family | " + " | ".join(OUTCOMES) + " |", "|---" * (len(OUTCOMES) + 1) + "|"]
    for family, counts in sorted(by_family(verdict.results).items()):
        lines.append("| %s | %s |" % (family, " | ".join(str(counts[outcome]) for outcome in OUTCOMES)))
    reasons = unseen(verdict)
    if reasons:
        lines += ["", "## Not judged", ""]
        lines += ["- %s (%s)" % (escape(reason), count(len(results), "check")) for reason, results in reasons]
    return "\n".join(lines) + "\n"


def _finding(cause: Finding, effects: List[Finding]) -> List[str]:
    lines = [
        "## %s: %s" % (cause.outcome, escape(cause.message)),
        "",
        "| | |",
        "|---|---|",
        "| check | %s |" % _check(cause),
        "| where | %s |" % escape(place(cause)),
        "| expected | %s |" % escape(cause.expected),
        "| actual | %s |" % escape(cause.actual),
        "| do | %s |" % escape(cause.remedy),
        "",
    ]
    if cause.evidence.output:
        lines += _fenced("# %s: %s\n%s" % (cause.evidence.where, cause.evidence.command, cause.evidence.output)) + [""]
    if effects:
        lines += ["Follows from it:", ""] + ["- %s" % escape(effect.message) for effect in effects] + [""]
    return lines


def _check(finding: Finding) -> str:
    page = page_of(finding)
    return "[`%s`](%s)" % (finding.id, page) if page else "`%s`" % finding.id


def _fenced(text: str) -> List[str]:
    """A code block whose fence is longer than any run of backticks in it."""
    longest = max([len(run) for run in re.findall("`+", text)] or [0])
    fence = "`" * max(3, longest + 1)
    return [fence + "text", text, fence]
