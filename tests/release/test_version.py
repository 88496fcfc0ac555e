# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One version, and a changelog that the fragments become by antsibull-changelog."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from itertools import chain
from pathlib import Path

import pytest
import yaml
from conftest import CHECKOUT, run
from packaging.requirements import Requirement
from packaging.version import Version

GALAXY = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())
FRAGMENTS = sorted((CHECKOUT / "changelogs" / "fragments").glob("*.yaml"))
SUMMARY = "release_summary"
UNTOLD = "trivial"  # kept out of the changelog: nothing that a user would notice


def test_the_version_is_semantic_and_the_tarballs(tarball):
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?", GALAXY["version"])
    assert tarball.name == f"podnet-calico-{GALAXY['version']}.tar.gz"
    with tarfile.open(tarball) as packed:
        assert json.load(packed.extractfile("MANIFEST.json"))["collection_info"]["version"] == GALAXY["version"]


def test_a_released_version_has_no_fragments_left_and_an_unreleased_one_has():
    """`antsibull-changelog release` takes the fragments; whoever adds one after it raises the version."""
    written = CHECKOUT / "changelogs" / "changelog.yaml"
    released = list(yaml.safe_load(written.read_text())["releases"]) if written.exists() else []
    assert all(Version(GALAXY["version"]) >= Version(version) for version in released)
    assert (GALAXY["version"] in released) == (not FRAGMENTS)


@pytest.mark.skipif(not FRAGMENTS, reason="released: there are no fragments")
def test_the_fragments_become_the_changelog(tmp_path):
    copy = tmp_path / "ansible_collections" / "podnet" / "calico"
    for name in ("changelogs", "plugins", "meta"):
        shutil.copytree(CHECKOUT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "galaxy.yml", copy)
    done = run("antsibull-changelog", "release", "--date", "2026-01-01", cwd=copy)
    assert done.returncode == 0, done.stdout
    written = yaml.safe_load((copy / "changelogs" / "changelog.yaml").read_text())["releases"][GALAXY["version"]]["changes"]
    wanted: dict[str, list[str]] = {}
    for fragment in FRAGMENTS:
        for section, entries in yaml.safe_load(fragment.read_text()).items():
            if section != UNTOLD:
                wanted.setdefault(section, []).extend([entries] if section == SUMMARY else entries)
    assert {section: sorted([entries] if section == SUMMARY else entries) for section, entries in written.items()} == {
        section: sorted(entries) for section, entries in wanted.items()
    }
    page = Path(copy, "CHANGELOG.md").read_text()
    assert page.count("\n* ") >= len(list(chain(*wanted.values()))) - len(wanted.get(SUMMARY, []))


def test_the_execution_environment_takes_this_version_and_an_ansible_that_is_tested(tarball):
    definition = yaml.safe_load((CHECKOUT / "execution-environment.yml").read_text())
    (wanted,) = definition["dependencies"]["galaxy"]["collections"]
    (added,) = definition["additional_build_files"]
    assert Path(wanted["name"]).name == Path(added["src"]).name == tarball.name
    for part, package in (("ansible_core", "ansible-core"), ("ansible_runner", "ansible-runner")):
        allowed = Requirement(definition["dependencies"][part]["package_pip"]).specifier
        locks = [path.read_text() for path in (CHECKOUT / "requirements").glob("py*-run.txt")]
        pinned = [re.search(rf"^{package}==(\S+)", lock, re.MULTILINE)[1] for lock in locks]
        assert [version for version in pinned if version not in allowed] == []
