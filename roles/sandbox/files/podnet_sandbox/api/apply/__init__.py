# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Server-side apply: who owns which field, and merging by ownership."""

from .applying import apply
from .ownership import record_update

__all__ = ["apply", "record_update"]
