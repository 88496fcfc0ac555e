# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model objects as what a task returns (private): NamedTuples become mappings with all their fields, tuples lists.

And text of clusters, pods and files as what a terminal may be given.
"""

from __future__ import annotations

from typing import Any


def plain(value: Any) -> Any:
    """``value`` as dicts, lists and scalars, ready for JSON."""
    if hasattr(value, "_fields"):
        return {name: plain(field) for name, field in zip(value._fields, value)}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def count(number: int, noun: str) -> str:
    """``1 check``, ``2 checks``."""
    return "%d %s%s" % (number, noun, "" if number == 1 else "s")


def printable(text: str, width: int = 2000) -> str:
    """``text`` on one line, of printable characters only: what a pod printed must not command a terminal."""
    line = " ".join(text.split())
    line = line if len(line) <= width else line[: width - 1] + "…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in line)
