# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball: the same bytes each time, nothing in it that is not meant to be, and installed it is what was built."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from conftest import CHECKOUT, run

BUILD = CHECKOUT / "scripts" / "build_collection.py"
PATTERNS = [line for line in (Path(__file__).parent / "contents.txt").read_text().splitlines() if line and not line.startswith("#")]
#: Bytes. The largest file is the licence, 35 kB; one recording or cache more would show.
LARGEST_FILE, LARGEST_TARBALL = 64_000, 1_200_000
DATE = "1700000000"


def members(tarball: Path) -> list[tarfile.TarInfo]:
    with tarfile.open(tarball) as packed:
        return packed.getmembers()


@pytest.fixture(scope="module")
def files(tarball) -> list[str]:
    return [member.name for member in members(tarball) if not member.isdir()]


def other_checkout(folder: Path) -> Path:
    """The same files elsewhere: made in the reverse order, by another umask, at another time, under a git of their own."""
    names = subprocess.check_output(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=CHECKOUT, text=True).splitlines()
    before = os.umask(0o077)
    try:
        for name in reversed(names):
            if (CHECKOUT / name).is_symlink():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).symlink_to(os.readlink(CHECKOUT / name))
            elif (CHECKOUT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(CHECKOUT / name, folder / name)
                (folder / name).chmod(0o700 if os.access(CHECKOUT / name, os.X_OK) else 0o600)
    finally:
        os.umask(before)
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    return folder


def test_two_builds_are_equal_byte_for_byte(tarball, tmp_path):
    first = run(sys.executable, BUILD, CHECKOUT, tmp_path / "one", SOURCE_DATE_EPOCH=DATE)
    source = other_checkout(tmp_path / "elsewhere")
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "left.pyc").write_bytes(b"\0")
    second = run(sys.executable, BUILD, source, tmp_path / "two", SOURCE_DATE_EPOCH=DATE, TZ="Asia/Tokyo")
    assert first.returncode == second.returncode == 0, first.stdout + second.stdout
    assert (tmp_path / "one" / tarball.name).read_bytes() == (tmp_path / "two" / tarball.name).read_bytes()


def test_nothing_of_the_machine_that_built_it_is_in_it(tarball):
    odd = [
        (member.name, member.mode, member.uid, member.gid, member.uname, member.gname)
        for member in members(tarball)
        if member.mode not in (0o644, 0o755) or member.uid or member.gid or member.uname or member.gname
    ]
    assert odd == []
    assert len({member.mtime for member in members(tarball)}) == 1


def test_it_holds_what_the_list_allows_and_nothing_else(files):
    assert [name for name in files if not any(fnmatchcase(name, pattern) for pattern in PATTERNS)] == [], "tests/release/contents.txt"


def test_each_line_of_the_list_is_there_for_something(files):
    assert [pattern for pattern in PATTERNS if not any(fnmatchcase(name, pattern) for name in files)] == []


def test_nothing_in_it_is_huge(tarball):
    large = [(member.name, member.size) for member in members(tarball) if member.size > LARGEST_FILE and member.name != "FILES.json"]
    assert large == []
    assert tarball.stat().st_size < LARGEST_TARBALL


def test_programs_can_be_executed_and_nothing_else(tarball):
    with tarfile.open(tarball) as packed:
        files = [member for member in packed.getmembers() if member.isreg()]
        scripts = {member.name for member in files if packed.extractfile(member).read(2) == b"#!"}
    assert {member.name for member in files if member.mode & 0o111} == {
        name for name in scripts if (CHECKOUT / name).exists() and os.access(CHECKOUT / name, os.X_OK)
    }


def verify(folder: Path) -> subprocess.CompletedProcess[str]:
    verifying = ("ansible-galaxy", "collection", "verify", "--offline", "podnet.calico", "-p", folder)
    return run(*verifying, cwd=folder, ANSIBLE_COLLECTIONS_PATH=str(folder))


def test_ansible_galaxy_verifies_what_it_installed(installed):
    verified = verify(installed)
    assert verified.returncode == 0, verified.stdout
    assert "Successfully verified" in verified.stdout


def test_ansible_galaxy_names_a_file_that_was_changed_after(installed, tmp_path):
    ours = Path("ansible_collections/podnet/calico")
    shutil.copytree(installed / ours, tmp_path / ours)
    with open(tmp_path / ours / "playbooks" / "verify.yml", "a") as stream:
        stream.write("# something else\n")
    verified = verify(tmp_path)
    assert verified.returncode != 0
    assert "playbooks/verify.yml" in verified.stdout


def test_the_manifest_seals_the_list_and_the_list_each_file(tarball):
    with tarfile.open(tarball) as packed:
        content = {member.name: packed.extractfile(member).read() for member in packed.getmembers() if member.isreg()}
    manifest = json.loads(content.pop("MANIFEST.json"))
    assert manifest["file_manifest_file"]["chksum_sha256"] == hashlib.sha256(content["FILES.json"]).hexdigest()
    listed = {entry["name"]: entry["chksum_sha256"] for entry in json.loads(content.pop("FILES.json"))["files"] if entry["ftype"] == "file"}
    assert listed == {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
