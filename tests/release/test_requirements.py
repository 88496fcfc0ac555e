# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The locks: every package an exact version with hashes, everything that is wanted is there, no index is written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FOLDER = Path(__file__).resolve().parents[2] / "requirements"
LOCKS = sorted(FOLDER.glob("py*.txt"))
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+) \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")


def wanted(name: str, python: str) -> dict[str, Requirement]:
    """What an .in file asks for on a Python, by name; `-r` is followed."""
    found = {}
    for line in (FOLDER / name).read_text().splitlines():
        if line.startswith("-r "):
            found.update(wanted(line[3:], python))
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"python_version": python}):
                found[canonicalize_name(requirement.name)] = requirement
    return found


def pins(lock: Path) -> dict[str, str]:
    return {found[1]: found[2] for found in map(PIN.match, lock.read_text().splitlines()) if found}


def test_there_is_a_lock_of_each_kind_for_each_python():
    kinds = {path.stem for path in FOLDER.glob("*.in")}
    assert {path.stem for path in LOCKS} == {f"py{python}-{kind}" for python in ("311", "312", "313") for kind in kinds}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_a_lock_holds_pins_and_hashes_and_nothing_else(lock):
    lines = [line for line in lock.read_text().splitlines() if line.strip() and not line.strip().startswith("#")]
    assert [line for line in lines if not PIN.match(line) and not HASH.match(line)] == []
    bare = [line for line, following in zip(lines, [*lines[1:], ""]) if PIN.match(line) and not HASH.match(following)]
    assert bare == [], "a package without a hash"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_what_is_wanted_is_locked_in_a_version_that_fits(lock):
    python, kind = re.fullmatch(r"py3(\d+)-(\w+)", lock.stem).groups()
    locked = pins(lock)
    unmet = {
        name: locked.get(name) for name, want in wanted(f"{kind}.in", f"3.{python}").items() if locked.get(name) not in want.specifier
    }
    assert unmet == {}, "run `make lock`"
