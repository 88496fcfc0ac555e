# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listed differences, `reasons.yaml`: which difference each explains, which are explained by none, and which explain nothing."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from comparing import Difference
from scenario import KINDS

_LIST = Path(__file__).with_name("reasons.yaml")
_FIELDS = {"output", "key", "recorded", "sandbox", "scenario", "reason"}


@dataclass(frozen=True)
class Reason:
    """Patterns in which `*` is any text; what is left out is not asked. ``about`` is the heading it stands under."""

    about: str
    reason: str
    output: str
    key: str = "*"
    recorded: str = "*"
    sandbox: str = "*"
    scenario: str = "*"

    def explains(self, difference: Difference) -> bool:
        return all(_matches(getattr(self, name), getattr(difference, name)) for name in Difference._fields)


def listed() -> list[Reason]:
    """All of the list, in its order; a pattern may be a list of patterns, a scenario one of `KINDS`. Raises `ValueError` on a field that it cannot have."""
    found = []
    for about, entries in yaml.safe_load(_LIST.read_text(encoding="utf-8")).items():
        for entry in entries:
            if unknown := entry.keys() - _FIELDS:
                raise ValueError(f"reasons.yaml, {about}: unknown {sorted(unknown)}; there are {sorted(_FIELDS)}")
            entry["scenario"] = KINDS.get(str(entry.get("scenario")), entry.get("scenario", "*"))
            found.append(Reason(about=about, **{name: _alternatives(value) for name, value in entry.items()}))
    return found


def explained(differences: Iterable[Difference]) -> tuple[Mapping[Reason, list[Difference]], list[Difference]]:
    """What each reason explains, the first that does; and what none does."""
    reasons = listed()
    by: dict[Reason, list[Difference]] = {reason: [] for reason in reasons}
    rest = []
    for difference in differences:
        reason = next((each for each in reasons if each.explains(difference)), None)
        (rest if reason is None else by[reason]).append(difference)
    return by, rest


def _alternatives(value: Any) -> Any:
    return "\n".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value).strip()


def _matches(patterns: str, text: str) -> bool:
    return any(_compiled(pattern).fullmatch(text) for pattern in patterns.split("\n"))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
