# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a pod: the table of images this sandbox can stand in for, and the programmes it brings along.

There is no registry and no layer: a container sees this machine's own programmes (read-only), and an image is its
entrypoint, its environment and the commands the machine lacks.
"""

from __future__ import annotations

from .table import Image, find

__all__ = ["Image", "find"]
