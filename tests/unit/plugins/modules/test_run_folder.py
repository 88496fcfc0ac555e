# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of one verification: what routing_assert leaves there."""

from __future__ import annotations

import json
import stat

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.modules import routing_assert
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster


@pytest.fixture(name="judge")
def judge_fixture(tmp_path, capsys):
    """Judge a snapshot from a file, with more options; the result."""
    snapshot = str(tmp_path / "snapshot.jsonl")
    _snapshot.write(snapshot, collect(FakeCluster(), EVIDENCE))

    def judge(check_mode=False, **options):
        with patch_module_args(dict(options, snapshots=[snapshot], _ansible_check_mode=check_mode)), pytest.raises(SystemExit):
            routing_assert.main()
        return json.loads(capsys.readouterr().out)

    return judge


def test_all_files_of_a_run_lie_in_its_folder_and_are_the_owners_only(judge, tmp_path):
    run = tmp_path / "lab" / "runs" / "1"
    result = judge(run_dir=str(run), reports=["html", "junit"], intent={"bgp": "Enabled"})
    assert {path.name for path in run.iterdir()} == {"intent.json", "snapshot.jsonl.gz", "verdict.json", "report.html", "report.xml"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in run.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (run, run.parent, run.parent.parent)} == {0o700}
    assert result["verdict_path"] == str(run / "verdict.json")
    assert result["reports"] == {"html": str(run / "report.html"), "junit": str(run / "report.xml")}
    assert json.loads((run / "intent.json").read_text()) == {"bgp": "Enabled"}


def test_latest_points_at_the_last_run(judge, tmp_path):
    for name in ("1", "2"):
        judge(run_dir=str(tmp_path / "runs" / name))
        assert (tmp_path / "runs" / "latest").resolve() == tmp_path / "runs" / name


def test_a_file_that_is_called_latest_is_left_alone(judge, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").write_text("mine")
    judge(run_dir=str(tmp_path / "runs" / "1"))
    assert (tmp_path / "runs" / "latest").read_text() == "mine"


def test_a_path_that_is_named_wins_over_the_folder(judge, tmp_path):
    result = judge(run_dir=str(tmp_path / "run"), verdict_path=str(tmp_path / "mine.json"))
    assert result["verdict_path"] == str(tmp_path / "mine.json")
    assert not (tmp_path / "run" / "verdict.json").exists()


def test_check_mode_leaves_nothing(judge, tmp_path):
    result = judge(check_mode=True, run_dir=str(tmp_path / "runs" / "1"), reports=["html"])
    assert not (tmp_path / "runs").exists()
    assert result["reports"] == {}


def test_reports_without_a_folder_are_refused(judge):
    result = judge(reports=["html"])
    assert result["failed"] and "Name run_dir" in result["msg"]


def test_a_folder_that_cannot_be_made_is_named(judge, tmp_path):
    (tmp_path / "file").write_text("")
    result = judge(run_dir=str(tmp_path / "file" / "run"))
    assert result["failed"] and str(tmp_path / "file" / "run") in result["msg"]
