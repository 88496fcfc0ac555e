# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped schemas say what the code does."""

from __future__ import annotations

import json
import pathlib

import jsonschema
import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _report, _snapshot, _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS, judge
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording, without_route

ROOT = pathlib.Path(__file__).resolve().parents[4]


def validator(name):
    return jsonschema.Draft202012Validator(json.loads((ROOT / "docs/schemas" / name).read_text()))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_line_of_a_snapshot_is_of_the_schema(scenario):
    lines = [json.loads(line) for line in _snapshot.lines(recording(scenario))]
    assert (lines[0]["line"], lines[-1]["line"]) == ("header", "end")
    check = validator("snapshot-line.schema.json")
    assert [error.message for line in lines for error in check.iter_errors(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        {"line": "secret"},
        {"line": "node", "name": "n", "annotations": {}},
        {"line": "node"},
        {"line": "header", "schema_version": 2, "collected_at": ""},
    ],
)
def test_a_line_of_another_shape_is_not(line):
    with pytest.raises(jsonschema.ValidationError):
        validator("snapshot-line.schema.json").validate(line)


@pytest.mark.parametrize("broken", [False, True])
def test_a_verdict_file_is_of_the_schema(tmp_path, broken):
    snapshot = without_route(recording(), "pod-routing-worker", "192.168.112.192/26") if broken else recording()
    path = tmp_path / "verdict.json"
    _verdict_file.write(str(path), judge(snapshot))
    content = json.loads(path.read_text())
    validator("verdict.schema.json").validate(content)
    assert content["failed"] is broken


def test_a_report_as_json_is_of_the_schema():
    report = json.loads(_report.render([judge(recording())], "json"))
    assert report["results"] and [error.message for error in validator("verdict.schema.json").iter_errors(report)] == []


def test_each_check_says_what_it_proves_why_and_what_to_do():
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.title[0].isupper() and not check.title.endswith(".")
        assert check.why.endswith(".") and check.remedy.endswith((".", ")"))
        assert check.severity in ("critical", "major", "minor")
        family, _dot, name = check.id.partition(".")
        assert family and name and check.id == check.id.lower()
