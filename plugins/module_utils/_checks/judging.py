# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot → Verdict (private, pure): run the checks, fold consequences under their causes, count, and say it in a line."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple

from .._diagnose import diagnose
from .._memory import uncollected
from .._model import FAILED, INCONCLUSIVE, PASSED, SKIPPED, WARNING, CheckResult, Evidence, Finding, Snapshot, Verdict
from .._plain import count, printable
from .case import Case
from .record import CLUSTER, Recorder
from .registry import select

SCHEMA_VERSION = 1
OUTCOMES = (PASSED, FAILED, WARNING, SKIPPED, INCONCLUSIVE)
_EMPTY = "verdict.empty"
_GRAVITY = {FAILED: 0, INCONCLUSIVE: 1, WARNING: 2}
_SEVERITY = {"critical": 0, "major": 1, "minor": 2}


@uncollected()
def judge(
    snapshot: Snapshot,
    intent: Optional[Mapping[str, Any]] = None,
    checks: Optional[Sequence[str]] = None,
    skip_checks: Optional[Sequence[str]] = None,
    fail_on: Sequence[str] = (FAILED, INCONCLUSIVE),
) -> Verdict:
    """Judge a snapshot. The same snapshot gives the same verdict, byte for byte.

    ``failed`` of the verdict is whether any finding has an outcome in ``fail_on``; a verdict in which nothing passed is
    always inconclusive. ValueError for a pattern in ``checks`` or ``skip_checks`` that matches no check.
    """
    case = Case(snapshot, intent)
    results: List[CheckResult] = []
    findings: List[Finding] = []
    for check in select(checks, skip_checks):
        record = Recorder(check, snapshot, case.doubt)
        reason = next((case.not_modelled[aspect] for aspect in check.aspects if aspect in case.not_modelled), None)
        if reason:
            record.inconclusive(None, CLUSTER, reason, what=check.title)
        else:
            check.run(case, record)
            assumed = next((case.assumed[aspect] for aspect in check.aspects if aspect in case.assumed), None)
            if assumed is not None:
                record.assumed(assumed)
        results.extend(record.results())
        findings.extend(record.findings)
    if not any(result.outcome == PASSED for result in results):
        findings.append(_nothing_proved(results))
    findings = sorted(diagnose(case, findings), key=_order)
    summary = {"total": len(results)}
    summary.update({outcome: sum(1 for result in results if result.outcome == outcome) for outcome in OUTCOMES})
    bad = any(finding.outcome in fail_on for finding in findings)
    return Verdict(
        SCHEMA_VERSION, bad, message(summary, findings), summary, tuple(sorted(results, key=_result_order)), tuple(findings),
        snapshot.header,
    )  # fmt: skip


def _nothing_proved(results: Sequence[CheckResult]) -> Finding:
    judged = [result for result in results if result.outcome != SKIPPED]
    if not results:
        reason, remedy = "every check was left out", "Let checks and skip_checks leave some to be made."
    elif not judged:
        reason = "every check was skipped (%s)" % results[0].reason
        remedy = "See why they were skipped: look at more of the cluster, or choose checks that apply to it."
    else:
        reason = "none of %s passed" % count(len(judged), "check")
        remedy = "Check that the snapshot is of the right cluster and that its evidence could be read."
    return Finding(
        _EMPTY, INCONCLUSIVE, "critical", None, CLUSTER, "at least one check that passed", reason,
        "Nothing was proved: " + reason, remedy, Evidence("verdict", "", reason),
    )  # fmt: skip


def _order(finding: Finding) -> Tuple:
    """Causes before consequences, grave before light, then by place: the same from run to run."""
    return (
        finding.cause is not None, _GRAVITY[finding.outcome], _SEVERITY.get(finding.severity, 3), finding.id, finding.node or "",
        tuple(part or "" for part in finding.subject), finding.message,
    )  # fmt: skip


def _result_order(result: CheckResult) -> Tuple[str, str]:
    return (result.id, result.node or "")


def made(summary: Mapping[str, int]) -> int:
    """The checks that were not skipped: of so many it is said how many passed or failed."""
    return summary["total"] - summary[SKIPPED]


def message(summary: Mapping[str, int], findings: Sequence[Finding]) -> str:
    """The verdict in one line that is enough on its own: how many, and the first cause with its remedy's place."""
    failed, unsure, total = summary[FAILED], summary[INCONCLUSIVE], made(summary)
    if not findings:
        return "%d of %d checks passed" % (summary[PASSED], total)
    parts = ["%d of %d checks failed" % (failed, total)] if failed else []
    if unsure:
        parts.append("%d could not be decided" % unsure if failed else "%d of %d checks could not be decided" % (unsure, total))
    if not parts:
        parts.append("%d of %d checks passed, %d with a warning" % (summary[PASSED], total, summary[WARNING]))
    causes = [finding for finding in findings if finding.cause is None]
    more = len(causes) - 1
    if causes[0].id == _EMPTY:
        text = causes[0].message
    else:
        text = "%s%s: %s" % ("" if summary[PASSED] else "Nothing was proved: ", ", ".join(parts), causes[0].message)
    return printable(text) + (" (and %d more)" % more if more > 0 else "")
