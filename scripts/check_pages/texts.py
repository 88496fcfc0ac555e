# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wrote of each check, in texts/<family>.yaml; the rest of its page follows from the code."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from typing import Any

import yaml
from ansible_collections.podnet.calico.plugins.module_utils._checks import OUTCOMES

FOLDER = pathlib.Path(__file__).resolve().parent / "texts"
#: What each check must have, and what to write there.
FIELDS = {
    "compares": "what exactly is compared with what, for each subject",
    "outcomes": "a line for each outcome that it can end in by itself (failed, warning, skipped, inconclusive): when",
    "matters": "what happens to packets or people when it is not so",
    "healthy": "where, command, file (in a recording) and lines or pick: what a healthy cluster says",
    "by_hand": "how to look further and put it right by hand",
    "issues": "real issues that it would have named, repository#number: one line in words of your own; {} if none is known",
    "limits": "what it cannot see",
}
OPTIONAL = {"reads": "evidence that it reads without asking for it: lists and nodes, each by name"}
_ISSUE = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._-]+#[1-9][0-9]*")


def load(check: str) -> Mapping[str, Any]:
    """The texts of a check. ValueError says what is to be written, and where."""
    path = FOLDER / (check.partition(".")[0] + ".yaml")
    where = f"scripts/check_pages/texts/{path.name}"
    texts = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else {}).get(check)
    if texts is None:
        wanted = "\n".join(f"  {name}: {what}" for name, what in FIELDS.items())
        raise ValueError(
            f"{where} has nothing of {check}. Write there, under {check}:\n{wanted}\n"
            "and give scripts/check_pages/broken.py a broken cluster, for the page to show what the check says of it."
        )
    outcomes, issues = texts.get("outcomes") or {}, texts.get("issues")
    wrong = [f"{name} ({what})" for name, what in FIELDS.items() if not texts.get(name) and (name != "issues" or issues is None)]
    wrong += [f"{name}: there is no such field" for name in texts if name not in {**FIELDS, **OPTIONAL}]
    wrong += [f"outcomes: {name} is none" for name in outcomes if name not in OUTCOMES[1:]]
    wrong += [f"issues: {name} is not of the form repository#number" for name in issues or () if not _ISSUE.fullmatch(name)]
    if wrong:
        raise ValueError(f"{where}, {check}: these lack or are wrong: {'; '.join(wrong)}")
    return texts
