# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a terminal (private): what was proved, what is wrong by cause and what to do, what was not seen or left out.

Plain text without colour: it goes through Ansible's callbacks and into logs. Names and outputs are a cluster's, so each line
is made printable.
"""

from __future__ import annotations

import re
from typing import Iterable, Iterator, List, Optional, Sequence, Tuple

from .._checks.intent import encapsulation_of
from .._checks.judging import made
from .._model import FAILED, INCONCLUSIVE, PASSED, SKIPPED, WARNING, CheckResult, Finding, Snapshot, Verdict
from .._plain import count, printable
from .combined import by_cause, by_family, place, unseen

Row = Tuple[str, str]  # what stands in front of the text, and the text
_LABEL, _FIELD = 13, 10
_SECTIONS = (("Wrong", FAILED), ("Not seen", INCONCLUSIVE), ("Warning", WARNING))
_CAUSES, _CONSEQUENCES, _REASONS, _POOLS = 5, 3, 3, 3
# A command has a line of its own, so that it can be copied.
_COMMAND = re.compile(r"[:;.,]? (?=kubectl (?:exec|delete|patch) )")


def render(verdict: Verdict) -> str:
    """The whole verdict."""
    lines = ["%s  %s" % ("FAILED" if verdict.failed else "PASSED", verdict.msg), ""] + screen(verdict, most=None)
    return "\n".join(lines) + "\n"


def about(snapshot: Snapshot) -> List[str]:
    """The line that says which cluster it is: Calico's version, and how many nodes, pods and pools it has."""
    missing = {gap.what for gap in snapshot.header.unobserved}
    words = ["Calico %s" % (snapshot.header.calico_version or "of unknown version")]
    for plural, listed in (("nodes", snapshot.nodes), ("pods", snapshot.pods), ("ippools", snapshot.pools)):
        noun = plural[:-1].replace("ippool", "pool")
        words.append("%ss not listed" % noun if plural in missing else count(len(listed), noun))
    pools = ["%s %s" % (pool.cidr, encapsulation_of(pool)) for pool in snapshot.pools[:_POOLS]]
    pools += ["…"] if len(snapshot.pools) > _POOLS else []
    return _section("Cluster", [("", ", ".join(words) + (": " if pools else "") + ", ".join(pools))])


def screen(verdict: Verdict, kubectl: str = "kubectl", most: Optional[int] = _CAUSES) -> List[str]:
    """Lines with a label in front: Proved, Wrong, Not seen, Warning, Skipped; of each kind at most ``most`` causes.

    ``kubectl``: how a person asks the same cluster; commands start with it.
    """
    lines = _section("Proved", [("", text) for text in (_counts(verdict), _families(verdict)) if text])
    groups = by_cause(verdict.findings)
    for label, outcome in _SECTIONS:
        chosen = [group for group in groups if group[0].outcome == outcome]
        for number, (cause, effects) in enumerate(chosen[:most]):
            lines += _section("" if number else label, _cause(cause, effects, kubectl))
        if most is not None and len(chosen) > most:
            lines += _section("", [("", "… and %d more, in the report" % (len(chosen) - most))])
    return lines + _section("Skipped", _left_out(verdict, None if most is None else _REASONS))


def _section(label: str, rows: Iterable[Row]) -> List[str]:
    return [(("" if number else label).ljust(_LABEL) + front + printable(text)).rstrip() for number, (front, text) in enumerate(rows)]


def _counts(verdict: Verdict) -> str:
    counts = verdict.summary
    words = ["%d %s" % (counts[one], one) for one in (FAILED, INCONCLUSIVE, WARNING, SKIPPED) if counts[one]]
    return ", ".join(["%d of %d checks passed" % (counts[PASSED], made(counts))] + words)


def _families(verdict: Verdict) -> str:
    """Families of checks (blocks, pods, connectivity …) and how many of each passed."""
    return ", ".join("%s %d" % (name, counts[PASSED]) for name, counts in by_family(verdict.results).items() if counts[PASSED])


def _left_out(verdict: Verdict, most: Optional[int]) -> List[Row]:
    """What was not looked at, by reason; the last of ``most`` rows counts what has none of its own."""
    reasons = unseen(verdict, SKIPPED)
    shown = len(reasons) if most is None or len(reasons) <= most else most - 1
    rows = [("", "%s: %s" % (_what(results), reason)) for reason, results in reasons[:shown]]
    rest = sum(len(results) for _reason, results in reasons[shown:])
    return rows + ([("", "%s for other reasons, in the report" % count(rest, "check"))] if rest else [])


def _what(results: Sequence[CheckResult]) -> str:
    """``12 checks of bgp, nodes on 3 nodes``."""
    nodes = {result.node for result in results if result.node}
    where = " on %s" % count(len(nodes), "node") if nodes else ""
    return "%s of %s%s" % (count(len(results), "check"), ", ".join(by_family(results)), where)


def _cause(cause: Finding, effects: List[Finding], kubectl: str) -> Iterator[Row]:
    yield "", cause.message
    yield _field("where", "%s [%s]" % (place(cause), cause.id))
    if cause.outcome != INCONCLUSIVE:  # there, what is expected is that it can be seen
        yield _field("expected", cause.expected)
        yield _field("actual", cause.actual)
    if cause.evidence.command:
        yield _field("see", "%s: %s" % (cause.evidence.where, cause.evidence.command))
    words, *commands = _COMMAND.split(cause.remedy)
    yield _field("do", words + (":" if commands else ""))
    for command in commands:
        yield _field("", kubectl + command[len("kubectl") :])
    if effects:
        number = count(len(effects), "consequence")
        if cause.outcome == INCONCLUSIVE:  # each says of something else that it was not seen, for the same reason
            yield "  ", "and %s: not seen for the same reason" % number
            return
        yield "  ", "and %s:" % number
        messages = list(dict.fromkeys(effect.message for effect in effects))
        for message in messages[:_CONSEQUENCES]:
            yield "    ", message
        if len(messages) > _CONSEQUENCES:
            yield "    ", "…"


def _field(name: str, text: str) -> Row:
    return "  " + name.ljust(_FIELD), text
