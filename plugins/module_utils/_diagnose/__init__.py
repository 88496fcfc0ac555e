# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, its consequences folded under it (private, pure): ``places`` findings are about, ``rules`` what follows from what."""

from __future__ import annotations

from .folding import diagnose

__all__ = ["diagnose"]
