# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m podnet_sandbox`."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())
