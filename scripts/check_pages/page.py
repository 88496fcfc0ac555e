# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A check's page: what a person wrote of it, between what the code says and what judging a recording shows."""

from __future__ import annotations

import functools
import json
import pathlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ansible_collections.podnet.calico.plugins.module_utils._checks import OUTCOMES, Check, judge
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS
from ansible_collections.podnet.calico.plugins.module_utils._model import Finding, Verdict
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording

from . import texts
from .asking import asked, commands, not_modelled
from .broken import BROKEN, MADE_UP
from .excerpts import excerpt

_MODES = pathlib.Path(__file__).resolve().parents[2] / "docs" / "failure-modes.md"
_SHOWN = 1200  # characters of a value in an example


def page(check: Check) -> str:
    """The page as Markdown. ValueError if something of it was not written yet, with what to write."""
    told = texts.load(check.id)
    grave = f"A failure is {check.severity}." if "failed" in told["outcomes"] else "It warns, or says what was not seen; it does not fail."
    lines = [f"# {check.id}", "", f"**{check.title}.** {grave} All checks: [the list](../checks.md).", ""]
    lines += ["## What is compared", "", told["compares"].strip(), "", "## How it can end", "", *_outcomes(check, told["outcomes"]), ""]
    lines += ["## Why it matters", "", check.why, "", told["matters"].strip(), ""]
    lines += ["## Evidence", "", *_evidence(check, told), ""]
    lines += ["## A broken one", "", *_example(check), ""]
    lines += ["## What to do", "", check.remedy, "", told["by_hand"].strip(), ""]
    lines += ["## How to see it", "", *_seen(check), ""]
    lines += ["## Known issues", "", *_issues(told["issues"]), ""]
    lines += ["## Limits", "", told["limits"].strip()]
    return "\n".join(lines) + "\n"


def _outcomes(check: Check, own: dict[str, str]) -> Iterator[str]:
    yield "| outcome | when |"
    yield "|---|---|"
    for outcome in OUTCOMES[1:]:
        if outcome in own:
            yield f"| `{outcome}` | {' '.join(own[outcome].split())} |"
    others = not_modelled(check)
    if others:
        yield f"| `inconclusive: not modelled` | {'; '.join(others)} |"
    yield ""
    yield "Evidence that is missing is `inconclusive`, and what was not asked for `skipped`, as [everywhere](../scope.md)."


def _evidence(check: Check, told: Any) -> Iterator[str]:
    reads = told.get("reads", {})
    rows = list(commands(asked(check, reads.get("lists", ()), reads.get("nodes", ()))))
    yield "What is read, and the command that reads it (on a node, in its calico-node pod):"
    yield ""
    yield "| where | command |"
    yield "|---|---|"
    for where, command in rows:
        yield f"| {where} | `{command.replace('|', chr(92) + '|')}` |"
    source, said = excerpt(told["healthy"])
    yield ""
    fields = "" if "lines" in told["healthy"] else ", of which these fields count"
    yield f"Of a healthy cluster, {told['healthy']['where']}, `{told['healthy']['command']}`{fields} (recorded: {source}):"
    yield ""
    yield from _block(said)
    yield ""
    yield _record(check)


@functools.cache
def _healthy_verdict(name: str) -> Verdict:
    return judge(recording(name))


def _record(check: Check) -> str:
    """How the check ends on the recordings of healthy clusters."""
    ends: dict[str, int] = {}
    for name in SCENARIOS:
        found = {result.outcome for result in _healthy_verdict(name).results if result.id == check.id}
        if check.guard and not found:
            continue
        worst = next(one for one in ("failed", "inconclusive", "warning", "passed", "skipped") if one in found)
        ends[worst] = ends.get(worst, 0) + 1
    told = ", ".join(f"{ends[one]} {one}" for one in OUTCOMES if one in ends) or "it has nothing to say"
    return f"On the {len(SCENARIOS)} whole recordings of a real Calico: {told}."


def _example(check: Check) -> Iterator[str]:
    broken = BROKEN.get(check.id)
    if broken is None:
        raise ValueError(f"scripts/check_pages/broken.py has no broken cluster for {check.id}: add one that the check finds something in")
    verdict = judge(broken.edit(broken.healthy), intent=broken.intent)
    finding = next((one for one in verdict.findings if one.id == check.id), None)
    if finding is None:
        raise ValueError(f"scripts/check_pages/broken.py: {check.id} finds nothing in its broken cluster")
    where = f"A cluster {MADE_UP}" if broken.source == MADE_UP else f"Of the recording {broken.source}"
    yield f"{where}. {broken.what} The check says:"
    yield ""
    yield from _block("\n".join(_fields(finding)))
    if finding.cause:
        yield ""
        yield f"In a verdict it stands under its cause, a finding of {_link(finding.cause.split(' ')[0])}."
    under = [one.id for one in verdict.findings if one.key in finding.consequences]
    if under:
        yield ""
        yield (
            "What follows from it stands under it: " + ", ".join(f"{under.count(one)} of {_link(one)}" for one in sorted(set(under))) + "."
        )


def _fields(finding: Finding) -> Iterator[str]:
    evidence = finding.evidence
    pairs = (
        ("outcome", f"{finding.outcome}, {finding.severity}, {finding.node or 'of the cluster'}"),
        ("message", finding.message),
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("evidence", f"{evidence.where}: {evidence.command}\n{evidence.output}"),
        ("remedy", finding.remedy),
    )
    for name, value in pairs:
        first, *rest = value[:_SHOWN].strip().splitlines()
        yield f"{name + ':':<10}{first}".rstrip()
        yield from (" " * 10 + line for line in rest)


def _seen(check: Check) -> Iterator[str]:
    own = [fault for fault in FAULTS.values() if fault.check == check.id]
    for fault in own:
        yield f"- `make break FAULT={fault.name}` in a lab: {fault.title} ([{fault.name}](../faults.md#{fault.name}))"
    if not own:
        yield "- No named fault makes it in a lab; the example above is judged by the tests."
    for number, what in _modes(check.id):
        yield f"- {number} of the [failure modes](../failure-modes.md): {what}"
    yield ""
    alone = json.dumps({"pod_routing_checks": [check.id]})
    yield f"Alone: `checks: [{check.id}]` of `podnet.calico.routing_assert`, or `-e '{alone}'` of `podnet.calico.verify`."


def _modes(check: str) -> list[tuple[str, str]]:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in _MODES.read_text(encoding="utf-8").splitlines()]
    return [(row[0], row[1]) for row in rows if re.fullmatch(r"F\d+", row[0]) and f"[{check}]" in row[2]]


def _issues(issues: dict[str, str]) -> Sequence[str]:
    if not issues:
        return ["None is known to us."]
    return [f"- [{name}](https://github.com/{name.replace('#', '/issues/')}): {' '.join(what.split())}" for name, what in issues.items()]


def _link(check: str) -> str:
    return f"[{check}]({check}.md)"


def _block(text: str) -> Iterator[str]:
    yield "```text"
    yield from text.splitlines()
    yield "```"
