# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's own figures: its size and life, its API beside a server that does nothing, its healing beside a real Calico's."""

from __future__ import annotations

import sandbox_api
import sandbox_healing
import sandbox_size


def report(env: dict[str, str], runs: int) -> None:
    """Prints them; leaves nothing up."""
    sandbox_size.report(env, runs)
    sandbox_api.report(env, runs)
    sandbox_healing.report(env, runs)
