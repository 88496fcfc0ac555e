# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wrote of each message, in texts/<area>.yaml: which it is, what it means, what to do."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import yaml

from .extraction import Message

FOLDER = pathlib.Path(__file__).resolve().parent / "texts"
#: In the order in which a person meets them.
AREAS = ("environment", "lab", "addresses", "host", "sandbox", "kind", "calico", "cluster", "judging", "shards", "faults", "offline", "awx")


def areas() -> dict[str, Any]:
    """Each area by its name, with title, intro and messages."""
    return {name: yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")) for name in AREAS}


def lacking(found: Sequence[Message]) -> list[str]:
    """What is to be written, or to be taken out: a message without a text, a text without its message, one that says nothing."""
    told = [(name, entry) for name, area in areas().items() for entry in area["messages"]]
    known, says = {one.text: one for one in found}, [entry["says"] for _name, entry in told]
    problems = [
        f"nothing is told of «{text}» ({one.source}): add it to an area under {FOLDER}" for text, one in known.items() if text not in says
    ]
    problems += [
        f"{name}.yaml tells of «{entry['says']}», which nothing says any more" for name, entry in told if entry["says"] not in known
    ]
    problems += [f"{name}.yaml: «{entry['says']}» has no do" for name, entry in told if not str(entry.get("do", "")).strip()]
    return problems + [f"«{text}» is told of twice" for text in sorted({one for one in says if says.count(one) > 1})]
