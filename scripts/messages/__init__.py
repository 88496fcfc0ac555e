# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/troubleshooting/: every message the collection can end with. The messages are found in the code, texts/ says what to do."""

from .extraction import Message, messages
from .pages import pages

__all__ = ["Message", "messages", "pages"]
