# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a terminal (private): what was proved, what is wrong by cause and what to do, what was not seen.

Plain text without colour: it goes through Ansible's callbacks and into logs. Names and outputs are a cluster's, so each line
is made printable.
"""

from __future__ import annotations

import re
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

from .._model import FAILED, INCONCLUSIVE, PASSED, SKIPPED, WARNING, Finding, Verdict
from .._plain import printable
from .combined import by_cause, place, unseen

Row = Tuple[str, str]  # what stands in front of the text, and the text
_LABEL, _FIELD = 13, 10
_SECTIONS = (("Wrong", FAILED), ("Not seen", INCONCLUSIVE), ("Warning", WARNING))
_CAUSES, _CONSEQUENCES = 5, 3
# A command has a line of its own, so that it can be copied.
_COMMAND = re.compile(r"[:;.,]? (?=kubectl (?:exec|delete|patch) )")


def render(verdict: Verdict) -> str:
    """The whole verdict, and why checks were skipped."""
    lines = ["%s  %s" % ("FAILED" if verdict.failed else "PASSED", verdict.msg), ""] + screen(verdict, most=None)
    lines += _section("Skipped", [("", "%s (%d checks)" % entry) for entry in unseen(verdict, SKIPPED)])
    return "\n".join(lines) + "\n"


def screen(verdict: Verdict, kubectl: str = "kubectl", most: Optional[int] = _CAUSES) -> List[str]:
    """Lines with a label in front: Proved, Wrong, Not seen, Warning; of each kind at most ``most`` causes.

    ``kubectl``: how a person asks the same cluster; commands start with it.
    """
    lines = _section("Proved", [("", _counts(verdict)), ("", _families(verdict))])
    groups = by_cause(verdict.findings)
    for label, outcome in _SECTIONS:
        chosen = [group for group in groups if group[0].outcome == outcome]
        for number, (cause, effects) in enumerate(chosen[:most]):
            lines += _section("" if number else label, _cause(cause, effects, kubectl))
        if most is not None and len(chosen) > most:
            lines += _section("", [("", "… and %d more, in the report" % (len(chosen) - most))])
    return lines


def _section(label: str, rows: Iterable[Row]) -> List[str]:
    return [(("" if number else label).ljust(_LABEL) + front + printable(text)).rstrip() for number, (front, text) in enumerate(rows)]


def _counts(verdict: Verdict) -> str:
    counts = verdict.summary
    words = ["%d %s" % (counts[one], one) for one in (FAILED, INCONCLUSIVE, WARNING, SKIPPED) if counts[one]]
    return ", ".join(["%d of %d checks passed" % (counts[PASSED], counts["total"])] + words)


def _families(verdict: Verdict) -> str:
    """Families of checks (blocks, pods, connectivity …) and how many of each passed."""
    families: Dict[str, int] = {}
    for result in verdict.results:
        if result.outcome == PASSED:
            family = result.id.partition(".")[0]
            families[family] = families.get(family, 0) + 1
    return ", ".join("%s %d" % entry for entry in families.items()) or "nothing"


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
        number = "%d consequence%s" % (len(effects), "" if len(effects) == 1 else "s")
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
