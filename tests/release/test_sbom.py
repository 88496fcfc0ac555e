# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SBOMs say what the locks pin, version and hashes; the checksums are those of the files beside them."""

from __future__ import annotations

import json
import re

import pytest
from conftest import CHECKOUT, run

LOCKS = sorted((CHECKOUT / "requirements").glob("py*-run.txt"))


def locked(text: str) -> dict[tuple[str, str], set[str]]:
    """Hashes by name and version."""
    found = {}
    for line in text.splitlines():
        if pin := re.match(r"([a-z0-9.-]+)==(\S+)", line):
            hashes = found[pin.groups()] = set()
        elif digest := re.search(r"--hash=sha256:(\w+)", line):
            hashes.add(digest[1])
    return found


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.stem)
def test_an_sbom_holds_exactly_what_is_pinned(release, lock):
    (file,) = release.glob(f"podnet-calico-*-{lock.stem.removesuffix('-run')}.cdx.json")
    bill = json.loads(file.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    told = {
        (part["name"], part["version"]): {digest["content"] for place in part["externalReferences"] for digest in place["hashes"]}
        for part in bill["components"]
    }
    assert told == locked(lock.read_text())
    assert {part["purl"] for part in bill["components"]} == {f"pkg:pypi/{name}@{version}" for name, version in told}


def test_the_checksums_are_those_of_every_other_file(release):
    lines = (release / "SHA256SUMS").read_text().splitlines()
    assert {line.split()[1] for line in lines} == {path.name for path in release.iterdir()} - {"SHA256SUMS"}
    checked = run("sha256sum", "--check", "SHA256SUMS", cwd=release)
    assert checked.returncode == 0, checked.stdout
