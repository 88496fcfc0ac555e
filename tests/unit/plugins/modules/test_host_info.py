# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_info tells about the machine it runs on, and changes nothing."""

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.plugins.modules import host_info


@pytest.fixture
def look(tmp_path, capsys):
    def run(**arguments):
        given = {"docker_socket": str(tmp_path / "docker.sock"), **arguments}
        with patch_module_args(given), pytest.raises(SystemExit):
            host_info.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_it_tells_what_was_asked_for_and_changes_nothing(look):
    result = look(
        kernel_modules=["no_such_module"],
        sysctls=["net.ipv4.ip_forward"],
        packages={"shell": "command:sh", "x": "command:no-such"},
        users=["nobody-here"],
    )
    host = result["host"]
    assert result["changed"] is False
    assert set(host["kernel_modules"]) == {"no_such_module"}
    assert host["sysctls"]["net.ipv4.ip_forward"]["value"] in (0, 1)
    assert (host["missing"], host["unknown_users"]) == (["x"], ["nobody-here"])
    assert (host["architecture"], host["uid"]) == (os.uname().machine, os.geteuid())


def test_a_docker_that_does_not_answer_is_no_failure(look):
    result = look(_ansible_check_mode=True)
    assert "failed" not in result
    assert result["host"]["docker"]["running"] is False
