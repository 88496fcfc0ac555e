# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox role's look at the machine names what is missing, and only that."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "roles/sandbox/files/inspect_machine.py"


def inspect(*wanted: str, path: str = os.environ["PATH"]) -> dict:
    ended = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *wanted],
        env={"PATH": path},
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
