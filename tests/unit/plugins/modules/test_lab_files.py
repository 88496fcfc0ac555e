# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""lab_files writes what differs and nothing else."""

from __future__ import annotations

import json
import stat

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.plugins.modules import lab_files


@pytest.fixture
def write(tmp_path, capsys):
    """Run the module on the folder ``lab`` and give its result; its temporary files are the test's."""

    def run(*files, **arguments):
        given = {"dir": str(tmp_path / "lab"), "files": list(files), "_ansible_tmpdir": str(tmp_path), **arguments}
        with patch_module_args(given), pytest.raises(SystemExit):
            lab_files.main()
        return json.loads(capsys.readouterr().out)

    return run


def mode(path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_a_new_file_is_written_in_new_private_folders(write, tmp_path):
    result = write({"path": "tools/pod.yaml", "content": "kind: Pod\n"})
    assert result["changed"] and result["written"] == ["tools/pod.yaml"]
    assert (tmp_path / "lab/tools/pod.yaml").read_text() == "kind: Pod\n"
    assert [mode(tmp_path / path) for path in ("lab", "lab/tools", "lab/tools/pod.yaml")] == ["0o700", "0o700", "0o600"]


def test_the_same_again_changes_nothing(write):
    file = {"path": "a", "content": "ä\n"}
    write(file)
    assert write(file)["changed"] is False


def test_only_the_file_that_differs_is_written(write):
    write({"path": "a", "content": "1\n"}, {"path": "b", "content": "1\n"})
    result = write({"path": "a", "content": "1\n"}, {"path": "b", "content": "2\n"})
    assert result["written"] == ["b"]
    assert [(change["before"], change["after"]) for change in result["diff"]] == [("1\n", "2\n")]


def test_a_mode_that_differs_is_set(write, tmp_path):
    write({"path": "a", "content": "1\n"})
    (tmp_path / "lab/a").chmod(0o644)
    assert write({"path": "a", "content": "1\n"})["changed"] is True
    assert mode(tmp_path / "lab/a") == "0o600"


def test_check_mode_says_what_it_would_write_and_writes_nothing(write, tmp_path):
    assert write({"path": "a", "content": "1\n"}, _ansible_check_mode=True)["changed"] is True
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("path", ["../a", "/etc/a", ""])
def test_a_path_out_of_the_folder_is_refused(write, tmp_path, path):
    result = write({"path": path, "content": "1\n"})
    assert result["failed"] and "leads out of" in result["msg"]
    assert not (tmp_path / "a").exists()


def test_removing_takes_the_files_and_the_folders_that_become_empty(write, tmp_path):
    files = [{"path": "tools/pod.yaml", "content": "1\n"}, {"path": "a", "content": "1\n"}]
    write(*files)
    result = write(*files, state="absent")
    assert result["changed"] and result["written"] == ["tools/pod.yaml", "a"]
    assert result["left"] == [] and not (tmp_path / "lab").exists()
    assert tmp_path.exists()


def test_removing_keeps_what_it_was_not_told_of(write, tmp_path):
    write({"path": "tools/pod.yaml", "content": "1\n"}, {"path": "a", "content": "1\n"})
    (tmp_path / "lab/tools/mine").write_text("keep")
    result = write({"path": "tools/pod.yaml"}, {"path": "a"}, state="absent")
    assert result["left"] == ["tools"]
    assert (tmp_path / "lab/tools/mine").read_text() == "keep"


def test_removing_what_is_not_there_changes_nothing(write):
    assert write({"path": "a"}, state="absent")["changed"] is False


def test_check_mode_removes_nothing(write, tmp_path):
    write({"path": "a", "content": "1\n"})
    assert write({"path": "a"}, state="absent", _ansible_check_mode=True)["written"] == ["a"]
    assert (tmp_path / "lab/a").exists()


def test_a_file_to_write_needs_its_content(write):
    result = write({"path": "a"})
    assert result["failed"] and "needs content" in result["msg"]
