# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Indexes of a Job's pods as its status and its policies write them: `0-2,5`."""

from __future__ import annotations


def parsed(text: str) -> set[int]:
    """`0-2,5` → {0, 1, 2, 5}."""
    found: set[int] = set()
    for part in text.split(",") if text else ():
        first, _ignored, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def ranges(indexes: set[int]) -> str:
    """The reverse of `parsed`; two neighbours are written as two."""
    parts: list[list[int]] = []
    for index in sorted(indexes):
        if parts and parts[-1][-1] == index - 1:
            parts[-1].append(index)
        else:
            parts.append([index])
    return ",".join(
        str(part[0]) if len(part) == 1 else f"{part[0]},{part[1]}" if len(part) == 2 else f"{part[0]}-{part[-1]}" for part in parts
    )
