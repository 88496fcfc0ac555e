# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox role's look at the machine names what is missing, and only that."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "roles/sandbox/files/inspect_machine.py"


def inspect(*wanted: str, path: str = os.environ["PATH"], **environment: str) -> dict:
    ended = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *wanted],
        env={"PATH": path, **environment},
        text=True,
        capture_output=True,
        check=True,
    )
    return json.loads(ended.stdout)


def test_what_is_there_is_not_missing():
    found = inspect("command:env", "module:json")
    assert (found["missing_commands"], found["missing_modules"]) == ([], [])


def test_what_is_not_there_is_named_in_the_order_asked():
    found = inspect("command:no-such-bird", "command:env", "command:absent", "module:no_such_module")
    assert found["missing_commands"] == ["no-such-bird", "absent"]
    assert found["missing_modules"] == ["no_such_module"]


def test_a_command_of_root_is_found_with_an_ordinary_users_path(tmp_path):
    assert inspect("command:chroot", path=str(tmp_path))["missing_commands"] == []  # /usr/sbin/chroot


def test_it_says_who_asked_with_which_python():
    found = inspect()
    assert found["uid"] == os.geteuid()
    assert Path(found["python"]).samefile(sys.executable)


def test_a_job_of_awx_is_no_machine():
    assert inspect(AWX_PRIVATE_DATA_DIR="/runner")["execution_environment"] == "AWX set AWX_PRIVATE_DATA_DIR"


@pytest.mark.skipif(Path("/opt/builder/bin/entrypoint").exists(), reason="this is an execution environment")
def test_a_machine_is_no_execution_environment():
    assert inspect()["execution_environment"] == ""


def test_an_image_of_ansible_builder_is_known_by_its_entrypoint(tmp_path, monkeypatch):
    spec = importlib.util.spec_from_file_location("inspect_machine", SCRIPT)
    looked = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(looked)
    monkeypatch.delenv("AWX_PRIVATE_DATA_DIR", raising=False)
    monkeypatch.setattr(looked, "_OF_ANSIBLE_BUILDER", str(tmp_path / "entrypoint"))
    assert looked.execution_environment() == ""
    (tmp_path / "entrypoint").touch()
    assert looked.execution_environment() == f"{tmp_path}/entrypoint of ansible-builder is here"
