# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check has a page, whole; what it says of outcomes holds, and what a missing text needs is said."""

from __future__ import annotations

import pathlib
import re

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS, judge
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording

ROOT = pathlib.Path(__file__).resolve().parents[2]
if not (ROOT / "scripts").is_dir():
    pytest.skip("scripts/ is not part of the collection; the checkout's own test run holds the pages", allow_module_level=True)

from ansible_collections.podnet.calico.scripts import write_docs  # noqa: E402
from ansible_collections.podnet.calico.scripts.check_pages import texts  # noqa: E402
from ansible_collections.podnet.calico.scripts.check_pages.asking import asked, commands, not_modelled  # noqa: E402
from ansible_collections.podnet.calico.scripts.check_pages.broken import BROKEN  # noqa: E402
from ansible_collections.podnet.calico.scripts.check_pages.excerpts import excerpt  # noqa: E402

PAGES = ROOT / "docs" / "checks"
SECTIONS = [
    "What is compared", "How it can end", "Why it matters", "Evidence", "A broken one", "What to do", "How to see it", "Known issues", "Limits",
]  # fmt: skip
BY_ID = {check.id: check for check in CHECKS}


def sections(page):
    """By heading, the text below it."""
    pieces = re.split(r"^## (.+)$", re.sub(r"```.*?```", "(block)", page, flags=re.DOTALL), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], (text.strip() for text in pieces[2::2])))


def test_every_check_has_a_page_and_every_page_a_check():
    assert {path.stem for path in PAGES.iterdir()} == set(BY_ID) == set(BROKEN)
    assert all(check.doc == f"docs/checks/{check.id}.md" for check in CHECKS)


def test_what_was_generated_is_what_would_be():
    for name, content in write_docs.documents().items():
        assert (ROOT / name).read_text() == content, f"{name}: run make docs"


@pytest.mark.parametrize("check", BY_ID)
def test_a_page_has_all_its_sections_with_something_in_them(check):
    found = sections((PAGES / f"{check}.md").read_text())
    assert list(found) == SECTIONS
    assert all(len(text) >= 20 for text in found.values()), found


@pytest.mark.parametrize("check", BY_ID)
def test_known_issues_are_told_by_repository_and_number_or_said_to_be_none(check):
    lines = sections((PAGES / f"{check}.md").read_text())["Known issues"].splitlines()
    form = r"- \[([\w-]+/[\w.-]+)#\d+\]\(https://github.com/\1/issues/\d+\): [\w`]"
    assert lines == ["None is known to us."] or all(re.match(form, line) for line in lines)


def test_links_lead_to_pages_that_are_there():
    """Within docs/, from one page to another and to the headings that pages of faults and checks have."""
    for path in (*PAGES.iterdir(), ROOT / "docs" / "checks.md", ROOT / "docs" / "faults.md", ROOT / "docs" / "failure-modes.md"):
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", path.read_text()):
            there = (path.parent / target).resolve() if target else path
            assert there.is_file(), f"{path}: {target}"
            headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE)
            assert not anchor or anchor in {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}, f"{path}: #{anchor}"


def test_the_list_of_checks_keeps_the_anchors_that_people_have():
    text = (ROOT / "docs" / "checks.md").read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert set(BY_ID) < set(headings) and len(headings) == len(set(headings))


def outcomes_seen():
    """By check, how its results ended by themselves on every recording and every broken cluster."""
    seen = {check: set() for check in BY_ID}
    verdicts = [judge(recording(name)) for name in SCENARIOS]
    verdicts += [judge(one.edit(one.healthy), intent=one.intent) for one in BROKEN.values()]
    for verdict in verdicts:
        for finding in verdict.findings:
            seen.get(finding.id, set()).add(finding.outcome)
    return seen


def test_a_check_ends_in_no_outcome_that_its_page_does_not_name():
    for check, seen in outcomes_seen().items():
        named = set(texts.load(check)["outcomes"])
        gaps = {"inconclusive"} if any(asked(BY_ID[check])) else set()  # evidence that lacks is told for all of them
        assert seen <= named | gaps, check


@pytest.mark.parametrize("check", BY_ID)
def test_a_broken_cluster_ends_as_the_page_says(check):
    broken = BROKEN[check]
    own = [finding for finding in judge(broken.edit(broken.healthy), intent=broken.intent).findings if finding.id == check]
    healthy = [finding for finding in judge(broken.healthy).findings if finding.id == check]
    assert own
    assert own != healthy or broken.what.startswith("Nothing is changed")


@pytest.mark.parametrize("check", BY_ID)
def test_a_page_names_commands_for_all_that_the_check_asks_for(check):
    what, reads = asked(BY_ID[check]), texts.load(check).get("reads", {})
    assert list(commands(asked(BY_ID[check], reads.get("lists", ()), reads.get("nodes", ())))), "it reads nothing: name it under reads"
    assert len(list(commands(what))) >= sum(map(len, what))


def test_what_is_not_modelled_is_told_in_the_words_of_the_engine():
    assert "eBPF dataplane" in not_modelled(BY_ID["nat.masquerade"])
    assert not_modelled(BY_ID["nodes.ready"]) == []


def test_a_check_without_texts_is_told_what_to_write_and_where():
    with pytest.raises(ValueError, match=r"texts/blocks.yaml has nothing of blocks.new(.|\n)*compares: what exactly(.|\n)*broken.py"):
        texts.load("blocks.new")


def test_texts_that_lack_or_are_wrong_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "FOLDER", tmp_path)
    (tmp_path / "new.yaml").write_text("new.one: {compares: x, outcomes: {passed: x}, issues: {'calico 5': x}, extra: 1}\n")
    with pytest.raises(
        ValueError, match=r"matters.*healthy.*by_hand.*limits.*extra: there is no such.*passed is none.*calico 5 is not of the form"
    ):
        texts.load("new.one")


def test_an_excerpt_of_nothing_is_refused():
    with pytest.raises(ValueError, match="holds nothing of"):
        excerpt({"file": "nodes/pod-routing-worker/ip-route.txt", "lines": "no such line"})
