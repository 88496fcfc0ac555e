# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/checks/: a page for each check. What people wrote is in texts/; what is shown is made by judging recordings."""

from .page import page

__all__ = ["page"]
