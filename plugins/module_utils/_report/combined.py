# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several verdicts as one, and the groupings that every format shows (private)."""

from __future__ import annotations

import re
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from .._checks.judging import OUTCOMES, message
from .._model import FAILED, INCONCLUSIVE, SKIPPED, WARNING, CheckResult, Finding, Verdict

ORDER = (FAILED, INCONCLUSIVE, WARNING)
#: Where a check's page is for a reader who has only the report. A link, which loads nothing.
PAGES = "https://github.com/podnet/podnet.calico/blob/main/"
_PAGE = re.compile(r"docs/checks/[a-z0-9.-]+\.md")


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of all: of the same check on the same node, a result that says something beats a skipped one."""
    if len(verdicts) == 1:
        return verdicts[0]
    results: Dict[Tuple[str, str], CheckResult] = {}
    for verdict in verdicts:
        for result in verdict.results:
            place = (result.id, result.node or "")
            if place not in results or results[place].outcome == SKIPPED:
                results[place] = result
    spoken = {result.id for result in results.values() if result.outcome != SKIPPED}
    kept = [result for result in results.values() if result.outcome != SKIPPED or result.node or result.id not in spoken]
    alike: Dict[Finding, Finding] = {}
    for finding in (finding for verdict in verdicts for finding in verdict.findings):
        bare = finding._replace(consequences=())
        known = alike.setdefault(bare, finding).consequences
        alike[bare] = finding._replace(consequences=tuple(dict.fromkeys(known + finding.consequences)))
    findings = sorted(alike.values(), key=lambda finding: (finding.cause is not None, ORDER.index(finding.outcome)))
    summary = {"total": len(kept)}
    summary.update({outcome: sum(1 for result in kept if result.outcome == outcome) for outcome in OUTCOMES})
    header = next((verdict.header for verdict in verdicts if verdict.header), None)
    return Verdict(
        verdicts[0].schema_version, any(verdict.failed for verdict in verdicts), message(summary, findings), summary,
        tuple(sorted(kept, key=lambda result: (result.id, result.node or ""))), tuple(findings), header,
    )  # fmt: skip


def by_cause(findings: Iterable[Finding]) -> List[Tuple[Finding, List[Finding]]]:
    """Each cause with the findings that it explains."""
    listed = list(findings)
    effects: Dict[str, List[Finding]] = {}
    for finding in listed:
        if finding.cause is not None:
            effects.setdefault(finding.cause, []).append(finding)
    # In several verdicts that are shown as one, two findings may have the same key: each effect is told once.
    return [(finding, effects.pop(finding.key, [])) for finding in listed if finding.cause is None]


def by_family(results: Iterable[CheckResult]) -> Dict[str, Dict[str, int]]:
    """Results by outcome for each family of checks, as the verdict's summary counts them."""
    families: Dict[str, Dict[str, int]] = {}
    for result in results:
        families.setdefault(result.id.partition(".")[0], dict.fromkeys(OUTCOMES, 0))[result.outcome] += 1
    return families


def unseen(verdict: Verdict, *outcomes: str) -> List[Tuple[str, List[CheckResult]]]:
    """Why something was skipped or inconclusive (or only one of them), with the results that say so; the most frequent first."""
    reasons: Dict[str, List[CheckResult]] = {}
    for result in verdict.results:
        if result.reason and result.outcome in (outcomes or (SKIPPED, INCONCLUSIVE)):
            reasons.setdefault(result.reason, []).append(result)
    return sorted(reasons.items(), key=lambda entry: (-len(entry[1]), entry[0]))


def place(finding: Finding) -> str:
    """Where and what, for a heading."""
    subject = finding.subject
    what = "/".join(part for part in (subject.namespace, subject.name) if part)
    words = [finding.node or "cluster", subject.kind, what, subject.prefix or subject.ip or ""]
    return " · ".join(word for word in words if word)


def page_of(finding: Finding) -> Optional[str]:
    """The address of its check's page; None where a verdict that was read from a file names none of ours."""
    return PAGES + finding.doc if _PAGE.fullmatch(finding.doc) else None
