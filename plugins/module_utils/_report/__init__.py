# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verdicts → what people and machines read (private, pure): json, junit, html, markdown, text."""

from __future__ import annotations

from .rendering import FORMATS, TITLE, render
from .text import about, screen

__all__ = ["FORMATS", "TITLE", "about", "render", "screen"]
