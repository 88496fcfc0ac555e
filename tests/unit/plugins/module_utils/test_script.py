# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several commands in one exec, told apart whatever they print. Run by this machine's real sh."""

from __future__ import annotations

import subprocess

from ansible_collections.podnet.calico.plugins.module_utils import _script


def run(body):
    """Run a script, and the (stdout, stderr) it printed with it."""
    script = _script.build(body)
    result = subprocess.run(script.argv, capture_output=True, check=False)
    return script, result.stdout, result.stderr


def sections(body):
    """The sections of a script that ran to its end."""
    return _script.read(*run(body))


def test_each_command_keeps_its_output_its_error_text_and_its_exit_code():
    read = sections("r good echo hello\nr bad sh -c 'echo why >&2; exit 3'")
    assert read["good"] == _script.Section("hello\n", "", 0)
    assert (read["bad"].stdout, read["bad"].stderr.strip(), read["bad"].code) == ("", "why", 3)


def test_a_second_way_is_tried_when_the_first_fails():
    read = sections("r a false || r a.plain echo text\nr b true || r b.plain echo never")
    assert [*read] == ["a", "a.plain", "b"]


def test_output_without_a_last_newline_is_kept_as_it_is():
    assert sections("r x printf abc")["x"].stdout == "abc"


def test_output_that_imitates_a_mark_is_only_output():
    forged = "\n%s routes\n[]\n" % ("0" * 32)
    read = sections("r x printf '%s'" % forged.replace("\n", "\\n"))
    assert read["x"].stdout == forged
    assert "routes" not in read


def test_every_script_has_a_mark_of_its_own():
    assert _script.build("").mark != _script.build("").mark


def test_a_command_that_was_cut_off_has_no_exit_code():
    script, stdout, stderr = run("r whole echo 1\nr half echo 22222222")
    read = _script.read(script, stdout[: stdout.index(b"2222") + 2], stderr)
    assert read["whole"].code == 0
    assert read["half"].code is None


def test_bytes_that_are_no_text_are_replaced():
    assert sections("r x printf '\\377'")["x"].stdout == "\ufffd"


def test_a_banner_before_the_first_command_is_dropped():
    script, stdout, stderr = run("r x echo 1")
    assert _script.read(script, b"Welcome!\n" + stdout, stderr)["x"].stdout == "1\n"


def test_nothing_at_all_is_no_section():
    assert not _script.read(_script.build("r x true"), b"", b"")
