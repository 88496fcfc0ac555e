# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a double fails: as the real tool does, or as itself where it cannot imitate."""

from __future__ import annotations


class ToolError(Exception):
    """The real tool's own failure; the text is the real tool's."""


class NotImitated(Exception):
    """Something the real tool can do and the double cannot. Never passed off as the tool's own failure."""

    def __init__(self, tool: str, what: str) -> None:
        super().__init__(f"podnet double of {tool}: {what}")
