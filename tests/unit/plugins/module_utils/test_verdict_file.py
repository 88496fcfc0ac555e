# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A verdict written and read back is the same verdict."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _verdict_file
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster


@pytest.fixture(name="verdict")
def verdict_fixture():
    """The real judgement on a cluster that has no routes at all."""
    return judge(collect(FakeCluster(), EVIDENCE))


def test_a_verdict_reads_back_as_it_was_with_the_place_of_its_snapshot(verdict, tmp_path):
    assert verdict.findings
    path = str(tmp_path / "verdict.json")
    _verdict_file.write(path, verdict, "/somewhere/snapshot.jsonl")
    assert _verdict_file.read(path) == _verdict_file.Saved(verdict, "/somewhere/snapshot.jsonl")


def test_only_the_owner_may_read_it(verdict, tmp_path):
    path = str(tmp_path / "verdict.json")
    _verdict_file.write(path, verdict)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_a_file_that_cannot_be_written_leaves_nothing_behind(verdict, tmp_path):
    (tmp_path / "verdict.json").mkdir()
    with pytest.raises(PodnetError, match="verdict.json cannot be written"):
        _verdict_file.write(str(tmp_path / "verdict.json"), verdict)
    assert [entry.name for entry in tmp_path.iterdir()] == ["verdict.json"]


def test_all_findings_are_counted_and_none_is_returned_where_none_is_wanted(verdict):
    result = _verdict_file.as_result(verdict, 0)
    assert result["findings"] == []
    assert "0 of %d findings are returned" % len(verdict.findings) in result["msg"]
