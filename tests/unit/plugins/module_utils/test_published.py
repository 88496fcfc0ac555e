# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is published of a verdict is small, printable and true; what is read back is believed only as far as it is whole."""

from __future__ import annotations

import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _published
from ansible_collections.podnet.calico.plugins.module_utils._shard_files import as_published
from hypothesis import given
from hypothesis import strategies as st

OUTCOMES = ("passed", "failed", "warning", "skipped", "inconclusive")
FAIL_ON = ("failed", "inconclusive")


def counts(**given: int) -> dict:
    summary = {**dict.fromkeys(OUTCOMES, 0), **given}
    return {"total": sum(summary.values()), **summary}


def verdict(*messages: str, **given: int) -> dict:
    findings = [{"cause": None, "message": message} for message in messages]
    return {"summary": counts(**given), "findings": [*findings, {"cause": "c1", "message": "a consequence"}]}


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"passed": 3, "skipped": 1}, "passed"),
        ({"passed": 3, "warning": 1}, "passed"),
        ({"passed": 3, "failed": 1, "inconclusive": 1}, "failed"),
        ({"passed": 3, "inconclusive": 1}, "inconclusive"),
        ({"skipped": 3}, "inconclusive"),
        ({}, "inconclusive"),
    ],
)
def test_the_word_is_what_the_counts_say(given, word):
    assert _published.publish({"host": verdict(**given)}, FAIL_ON)["podnet_verdict"] == word


def test_what_failed_is_no_pass_though_it_does_not_fail_the_play():
    assert _published.publish({"host": verdict(passed=1, failed=1)}, [])["podnet_verdict"] == "failed"
    assert _published.publish({"host": verdict(passed=1, inconclusive=1)}, [])["podnet_verdict"] == "inconclusive"


def test_a_warning_fails_where_that_was_asked_for():
    assert _published.publish({"host": verdict(passed=1, warning=1)}, ["warning"])["podnet_verdict"] == "failed"


def test_of_several_hosts_none_hides_another():
    sound, broken = verdict(passed=5), verdict("no route", passed=1, failed=1)
    both = _published.publish({"one": broken, "two": sound}, FAIL_ON)
    assert both["podnet_verdict"] == "failed" and both["podnet_summary"] == counts(passed=6, failed=1)
    assert both["podnet_headlines"] == ["one: no route"]
    silent = _published.publish({"one": {}, "two": sound}, FAIL_ON)
    assert silent["podnet_verdict"] == "inconclusive" and silent["podnet_headlines"] == ["one has no verdict"]
    assert _published.publish({"one": verdict(skipped=1), "two": sound}, FAIL_ON)["podnet_verdict"] == "inconclusive"


def test_headlines_are_few_short_and_printable():
    messages = ["\x1b[31m red\n" + "\U000e0001" * 5000] + ["{{ 7 * 7 }} %d" % number for number in range(20)]
    told = _published.publish({"host": verdict(*messages, failed=21)}, FAIL_ON)["podnet_headlines"]
    assert len(told) == 6 and told[-1] == "… and 16 more, in the report"
    assert all(len(line) <= 300 and line.isprintable() for line in told)
    assert told[1] == "{ { 7 * 7 }} 0"


def published(**changed: object) -> dict:
    return {"podnet_verdict": "passed", "podnet_summary": counts(passed=2), "podnet_headlines": [], **changed}


@pytest.mark.parametrize("line", ["{{ lookup('pipe', 'id') }}", "{% x %}", "{# x #}", "{{{{ x }}}}", "{{% x"])
def test_no_headline_is_a_template_to_whoever_gives_it_on(line):
    """As variables of a file, Ansible would evaluate them."""
    told = _published.publish({"host": verdict(line, failed=1)}, FAIL_ON)["podnet_headlines"]
    assert told and not any(mark in told[0] for mark in ("{{", "{%", "{#"))
    assert _published.read(published(podnet_headlines=[line])).headlines == told


def test_a_pass_is_a_pass():
    assert _published.read(published()) == ("passed", "", counts(passed=2), [])


@pytest.mark.parametrize("word", ["failed", "inconclusive"])
def test_another_verdict_says_what_it_counted(word):
    read = _published.read(published(podnet_verdict=word, podnet_summary=counts(passed=1, **{word: 2}), podnet_headlines=["no route"]))
    assert read == (word, "The verdict is %s: of 3 checks 2 %s." % (word, word), counts(passed=1, **{word: 2}), ["no route"])


@pytest.mark.parametrize("nothing", [{}, {"podnet_verdict": None}, {"podnet_verdict": "", "podnet_summary": {}}])
def test_nothing_is_missing(nothing):
    read = _published.read(nothing)
    assert read.verdict == "missing" and "left no verdict" in read.why


@pytest.mark.parametrize(
    "changed",
    [
        {"podnet_verdict": "PASSED"},
        {"podnet_verdict": ["passed"]},
        {"podnet_verdict": True},
        {"podnet_verdict": None},
        {"podnet_summary": None},
        {"podnet_summary": "{}"},
        {"podnet_summary": {"passed": 2}},
        {"podnet_summary": {**counts(passed=2), "more": 0}},
        {"podnet_summary": {**counts(passed=2), "passed": "2"}},
        {"podnet_summary": {**counts(passed=2), "passed": True}},
        {"podnet_summary": {**counts(passed=2), "total": 5}},
        {"podnet_summary": {**counts(passed=2), "failed": -1, "total": 1}},
        {"podnet_summary": counts(skipped=2)},
        {"podnet_summary": counts(passed=2, failed=1)},
        {"podnet_summary": counts(passed=2, inconclusive=1)},
    ],
    ids=str,
)
def test_what_is_not_whole_is_malformed(changed):
    assert _published.read(published(**changed)).verdict == "malformed"


@pytest.mark.parametrize("document", ["", "root:x:0:0", "[]", "{}", json.dumps({"summary": counts(passed=3)})])
def test_the_file_of_another_verdict_is_found_out(document):
    assert _published.read(published(), document).verdict == "malformed"
    assert _published.read(published(), json.dumps({"summary": counts(passed=2)})).verdict == "passed"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(["passed", "failed"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["total", *OUTCOMES, "x"]), inner, max_size=7),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["podnet_verdict", "podnet_summary", "podnet_headlines"]), JSON), st.none() | st.text())
def test_whatever_is_told_it_is_read_without_error_and_a_pass_needs_a_check_that_passed(told, document):
    read = _published.read(told, document)
    assert read.verdict in ("passed", "failed", "inconclusive", "missing", "malformed")
    assert (read.why == "") == (read.verdict == "passed")
    assert all(line.isprintable() and len(line) <= 300 for line in read.headlines) and len(read.headlines) <= 6
    if read.verdict == "passed":
        assert told["podnet_summary"]["passed"] > 0


@given(st.dictionaries(st.text(min_size=1), st.builds(verdict, st.text(), passed=st.integers(0, 9), failed=st.integers(0, 9)), max_size=3))
def test_what_is_published_is_read_back(verdicts):
    made = _published.publish(verdicts, FAIL_ON)
    read = _published.read(json.loads(json.dumps(made)))
    assert (read.verdict, read.summary) == (made["podnet_verdict"], made["podnet_summary"])
    assert len(json.dumps(made)) < 4096 * 6  # a character of another script takes six bytes


def test_a_name_of_digits_is_a_name():
    """ansible-core 2.19 reads what AWX writes as ``!unsafe '1001'`` as a number."""
    told = {"podnet_shard_1": {"name": 1, "collection": 1001, "bytes": 7}, "podnet_shard_x": "x"}
    assert as_published(told) == {"podnet_shard_1": {"name": "1", "collection": "1001", "bytes": 7}, "podnet_shard_x": "x"}


@pytest.mark.parametrize("document", ["", '{"summary": {"total": 1', "[]", "{}", '{"summary": "passed"}'])
def test_a_file_that_is_no_whole_verdict_is_told_as_that(document):
    given = {"podnet_verdict": "passed", "podnet_summary": counts(passed=1), "podnet_headlines": []}
    found = _published.read(given, document)
    assert (found.verdict, found.why) == ("malformed", "The verdict's file is no whole verdict: it is cut off, or another file.")
