# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A release as `make release` makes it, of this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
#: What is for a release alone: scripts/environment.
RELEASE = BIN.parent.with_name(BIN.parent.name + "-release") / "bin"


def run(*argv: object, cwd: Path = CHECKOUT, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ended, whatever its code, with both streams in stdout. It finds the tools of the tests first, and no collection
    but those it is given and PyPI's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    path = os.pathsep.join([str(BIN), str(RELEASE), os.environ["PATH"]])
    return subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        env={**inherited, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def release(tmp_path_factory) -> Path:
    """The folder of a release."""
    folder = tmp_path_factory.mktemp("release")
    made = run("scripts/release", folder)
    assert made.returncode == 0, made.stdout
    return folder


@pytest.fixture(scope="session")
def tarball(release) -> Path:
    (found,) = release.glob("podnet-calico-*.tar.gz")
    return found


@pytest.fixture(scope="session")
def installed(tarball, tmp_path_factory) -> Path:
    """A folder of collections: this one, from the tarball, and those that galaxy.yml depends on, which PyPI's `ansible` brings."""
    folder = tmp_path_factory.mktemp("collections")
    done = run("ansible-galaxy", "collection", "install", tarball, "--no-deps", "-p", folder, cwd=folder)
    assert done.returncode == 0, done.stdout
    for dependency in yaml.safe_load((CHECKOUT / "galaxy.yml").read_text())["dependencies"]:
        path = Path("ansible_collections", *dependency.split("."))
        shutil.copytree(Path(sysconfig.get_path("purelib")) / path, folder / path)
    return folder
