# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "original-lab.md"
NAMED = sorted(set(re.findall(r"`((?:roles|tests|molecule|playbooks)/[^`]+)`", DOCUMENT.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("named", NAMED)
def test_what_beats_a_defect_of_the_original_lab_is_there(named):
    if not (ROOT / "molecule").is_dir():
        pytest.skip("the collection is without its tests' other folders; the checkout's own test run holds the document")
    path, test = named.partition("::")[::2]
    assert (ROOT / path).is_file()
    assert not test or f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_what_is_not_modelled_is_in_the_page_on_scope():
    """Each reason that the judgement gives, up to the value it ends with."""
    reasons = set()
    for file in ("case.py", "blocks.py", "nodes.py"):
        text = (ROOT / "plugins/module_utils/_checks" / file).read_text(encoding="utf-8")
        reasons |= set(re.findall(r"""out\("([^":]+?)(?: %s|:|")""", text)) | set(re.findall(r'"(?:%s|not modelled) \((\w+)[ %]', text))
    page = (ROOT / "docs" / "scope.md").read_text(encoding="utf-8")
    assert {"eBPF dataplane", "routeSyncDisabled", "IPAM", "pool"} <= reasons
    assert [reason for reason in reasons if f"| {reason}" not in page] == []
