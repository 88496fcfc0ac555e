# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict as JUnit XML (private): one test case for each check and node, a suite for each family."""

from __future__ import annotations

import re
from typing import Dict, List, Sequence, Tuple
from xml.etree import ElementTree

from .._model import FAILED, INCONCLUSIVE, SKIPPED, CheckResult, Finding, Verdict
from .combined import place

# XML 1.0 has no form for most control characters, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(verdict: Verdict, title: str) -> str:
    """XML that CI systems read. A verdict knows no durations, so none are claimed."""
    findings: Dict[Tuple[str, str], List[Finding]] = {}
    for finding in verdict.findings:
        findings.setdefault((finding.id, finding.node or ""), []).append(finding)
    # That nothing was proved is a finding of no check; without a case of its own all that is left is skipped, and CI is green.
    judged = {(result.id, result.node or "") for result in verdict.results}
    more = [one for one in verdict.findings if (one.id, one.node or "") not in judged]
    results = [*verdict.results, *(CheckResult(one.id, one.expected, one.node, one.outcome) for one in more)]
    families: Dict[str, List[CheckResult]] = {}
    for result in results:
        families.setdefault(result.id.partition(".")[0], []).append(result)
    root = ElementTree.Element("testsuites", _totals(results, name=_clean(title)))
    for family in sorted(families):
        suite = ElementTree.SubElement(root, "testsuite", _totals(families[family], name=family))
        for result in families[family]:
            _case(suite, result, findings.get((result.id, result.node or ""), []))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _totals(results: Sequence[CheckResult], **attributes: str) -> Dict[str, str]:
    for name, outcome in (("failures", FAILED), ("errors", INCONCLUSIVE), ("skipped", SKIPPED)):
        attributes[name] = str(sum(1 for result in results if result.outcome == outcome))
    return dict(attributes, tests=str(len(results)))


def _case(suite: ElementTree.Element, result: CheckResult, findings: List[Finding]) -> None:
    name = _clean("%s [%s]" % (result.title, result.node or "cluster"))
    case = ElementTree.SubElement(suite, "testcase", {"classname": result.id, "name": name})
    tag = {FAILED: "failure", INCONCLUSIVE: "error", SKIPPED: "skipped"}.get(result.outcome)
    text = "\n\n".join(_text(finding) for finding in findings)
    if tag is None:
        if text:
            ElementTree.SubElement(case, "system-out").text = _clean(text)
        return
    headline = findings[0].message if findings else result.reason or result.outcome
    element = ElementTree.SubElement(case, tag, {"message": _clean(headline)})
    if tag != "skipped":
        element.set("type", result.id)
        element.text = _clean(text)


def _text(finding: Finding) -> str:
    lines = [
        finding.message,
        "where:    %s" % place(finding),
        "expected: %s" % finding.expected,
        "actual:   %s" % finding.actual,
        "do:       %s" % finding.remedy,
    ]
    if finding.cause:
        lines.append("because:  %s" % finding.cause)
    if finding.evidence.command:
        lines += ["%s $ %s" % (finding.evidence.where, finding.evidence.command), finding.evidence.output]
    return "\n".join(lines)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
