# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One self-contained HTML page (private): the verdict, what is wrong, and the lesson with this cluster's own outputs.

It holds no script and loads nothing: it can be mailed, archived as a build's artifact, and opened years later.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence

from .._checks.judging import OUTCOMES
from .._model import Finding, Snapshot, Verdict
from .._plain import count
from .combined import by_cause, by_family, page_of, place, unseen
from .diagram import path_diagram
from .elements import Element, document, element, table
from .lesson import Exercise, Lesson, Step, proof
from .style import CSS

_WORDS = {
    "passed": "passed", "failed": "failed", "warning": "warnings", "skipped": "not applicable", "inconclusive": "undecided",
}  # fmt: skip
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(verdict: Verdict, snapshot: Optional[Snapshot], title: str) -> str:
    """The page as text."""
    exercises = Lesson(snapshot).exercises() if snapshot is not None else []
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", "%s: %s" % (title, "failed" if verdict.failed else "passed")),
        element("style", CSS),
    )
    main = element("main", _verdict(verdict, title), _findings(verdict), id="content")
    if exercises:
        main.append(element("h2", "The lesson", id="lesson"))
        main.append(element("p", _preface(snapshot), class_="soft"))
        main.extend(_exercise(verdict, exercise) for exercise in exercises)
    main.append(_checked(verdict))
    main.append(_not_judged(verdict))
    main.append(element("footer", "Written by podnet.calico. The page loads nothing and runs no script."))
    layout = element("div", _navigation(verdict, exercises), main, class_="layout")
    return document(head, element("body", element("a", "To the content", href="#content", class_="skip"), layout))


def _badge(outcome: str, text: Optional[str] = None) -> Element:
    return element("span", text or outcome, class_="badge " + outcome)


def _navigation(verdict: Verdict, exercises: List[Exercise]) -> Element:
    def link(anchor: str, text: str, outcome: Optional[str] = None) -> Element:
        return element("a", element("span", class_="dot " + outcome) if outcome else None, element("span", text), href="#" + anchor)

    parts: List[Element] = [element("strong", "Verdict"), link("verdict", "Overview", "failed" if verdict.failed else "passed")]
    if verdict.findings:
        parts.append(link("findings", "What is wrong (%d)" % len(by_cause(verdict.findings)), verdict.findings[0].outcome))
    if exercises:
        parts.append(element("strong", "Lesson"))
        for exercise in exercises:
            name = "%s  %s" % (exercise.number, exercise.title)
            parts.append(link(_anchor(exercise), name, proof(verdict, exercise.checks).outcome))
    parts += [element("strong", "Record"), link("checked", "What was checked"), link("unseen", "What was not")]
    return element("nav", element("div", parts, class_="list"), aria_label="Contents")


def _anchor(exercise: Exercise) -> str:
    return "e" + "".join(letter if letter.isalnum() else "-" for letter in exercise.number)


def _verdict(verdict: Verdict, title: str) -> Element:
    state = "failed" if verdict.failed else "passed"
    header = verdict.header
    facts = []
    if header is not None:
        facts = [
            "Calico %s" % (header.calico_version or "of unknown version"),
            "Kubernetes %s" % (header.kubernetes_version or "of unknown version"),
            header.server or "",
            "collected %s" % header.collected_at if header.collected_at else "",
        ]
    tiles = [
        element("li", element("b", verdict.summary.get(outcome, 0)), _WORDS[outcome],
                class_=outcome + ("" if verdict.summary.get(outcome) else " zero"))
        for outcome in OUTCOMES
    ]  # fmt: skip
    return element(
        "section",
        element(
            "div", element("h1", title, " ", _badge(state)), element("p", verdict.msg, class_="headline"),
            element("p", " · ".join(fact for fact in facts if fact), class_="soft"), class_="verdict " + state,
        ),
        element("ul", tiles, class_="tiles"),
        element("p", "Checks by outcome; one check counts once for each node it was made on.", class_="soft"),
        id="verdict",
    )  # fmt: skip


def _findings(verdict: Verdict) -> Optional[Element]:
    causes = by_cause(verdict.findings)
    if not causes:
        return None
    return element("section", element("h2", "What is wrong"), [_finding(*pair) for pair in causes], id="findings")


def _finding(cause: Finding, effects: List[Finding]) -> Element:
    rows = [("check", _check(cause)), ("where", place(cause)), ("expected", cause.expected), ("actual", cause.actual)]
    rows.append(("do", element("b", cause.remedy)))
    inner: List[Optional[Element]] = [
        element("dl", [[element("dt", name), element("dd", value)] for name, value in rows]),
    ]
    if cause.evidence.command or cause.evidence.output:
        inner.append(_terminal(Step(cause.evidence.where, cause.evidence.command, cause.evidence.output)))
    if effects:
        listed = element("ul", [element("li", effect.message, " ", element("code", effect.id)) for effect in effects])
        inner.append(element("details", element("summary", "Follows from it: %s" % count(len(effects), "finding")), listed))
    return element(
        "article", element("header", element("h3", cause.message), _badge(cause.outcome)), element("div", inner, class_="inner"),
        class_="card",
    )  # fmt: skip


def _check(finding: Finding) -> Element:
    """Its check, which leads to the page that says what is compared, why, and what is known of it."""
    name, page = element("code", finding.id), page_of(finding)
    return element("a", name, href=page, rel="noreferrer") if page else name


def _preface(snapshot: Optional[Snapshot]) -> str:
    probes = len(snapshot.probes) if snapshot else 0
    sent = "Real packets were sent between %s of pods." % count(probes, "pair") if probes else "No packets were sent here."
    return (
        "Each exercise with this cluster's own commands and what they said, what it means, and the verdict, which holds for every "
        "pod and node and not only for those shown. " + sent + " Outputs of ip are its own text form, written from the JSON that was read."
    )


def _exercise(verdict: Verdict, exercise: Exercise) -> Element:
    shown = proof(verdict, exercise.checks)
    if shown.outcome == "passed":
        text = "proved: %s" % count(shown.passed, "subject")
    else:
        text = {"skipped": "not judged"}.get(shown.outcome, shown.outcome)
    inner: List[Optional[Element]] = [element("p", exercise.shows, class_="shows")]
    inner += [_terminal(step) for step in exercise.steps]
    if exercise.table:
        inner.append(table(list(exercise.table[0]), [list(row) for row in exercise.table[1]]))
    if exercise.path is not None:
        inner.append(path_diagram(exercise.path))
    inner.append(element("p", exercise.meaning, class_="meaning"))
    if exercise.correction:
        inner.append(element("p", element("b", "Mind: "), exercise.correction, class_="note"))
    inner.append(element("p", "Checks: ", _codes(exercise.checks), class_="soft"))
    number = element("span", exercise.number, class_="number")
    header = element("header", number, element("h3", exercise.title), _badge(shown.outcome, text))
    return element("article", header, element("div", inner, class_="inner"), class_="card", id=_anchor(exercise))


def _codes(names: Sequence[str]) -> list:
    parts: list = []
    for name in names:
        parts += [element("code", name), " "]
    return parts


def _terminal(step: Step) -> Element:
    prompt = element("span", "$ ", class_="prompt")
    text = [prompt, element("span", step.command, class_="command")] if step.command else []
    output = ("\n" if text else "") + step.output.rstrip("\n") if step.output else None
    where = element("p", "on " + step.where, class_="where") if step.where else None
    return element("div", where, element("pre", text, output, tabindex="0"))


def _checked(verdict: Verdict) -> Element:
    families: Dict[str, Dict[str, int]] = by_family(verdict.results)
    rows = [[name] + [str(counts[outcome]) for outcome in OUTCOMES] for name, counts in sorted(families.items())]
    every = [
        [element("code", result.id), result.title, result.node or "cluster", _badge(result.outcome), str(result.checked)]
        for result in verdict.results
    ]
    return element(
        "section", element("h2", "What was checked", id="checked"),
        element("p", "Checks by outcome, for each family of them.", class_="soft"),
        table(["family"] + [_WORDS[outcome] for outcome in OUTCOMES], rows),
        element("details", element("summary", "All %d results" % len(every)),
                table(["check", "what it proves", "on", "outcome", "subjects"], every)),
    )  # fmt: skip


def _not_judged(verdict: Verdict) -> Element:
    reasons = unseen(verdict)
    rows = [[reason, str(len(results))] for reason, results in reasons]
    body = table(["reason", "checks"], rows) if rows else element("p", "Nothing: every check had something to judge.")
    return element("section", element("h2", "What was not judged, and why", id="unseen"), body)
