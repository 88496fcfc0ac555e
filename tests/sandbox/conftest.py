# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties are tried with the same examples each time; `make test-all` (PODNET_TEST_ALL=1) looks for new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("podnet", derandomize=os.environ.get("PODNET_TEST_ALL") != "1")
settings.load_profile("podnet")
