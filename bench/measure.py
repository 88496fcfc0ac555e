# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Timing of whole commands: several runs, the median to quote, the spread beside it. Units: seconds of wall clock."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple


class Timing(NamedTuple):
    """The runs of one measurement, in the order they were made."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to quote."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        return f"{self.median:.2f} s (median of {len(self.seconds)}; {min(self.seconds):.2f} to {max(self.seconds):.2f})"


def timed(action: Callable[[], object], runs: int, before: Callable[[], object] | None = None) -> Timing:
    """Runs `action` several times; `before` prepares each run and is not counted."""
    seconds = []
    for _ in range(runs):
        if before is not None:
            before()
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return Timing(tuple(seconds))


def command(argv: Sequence[str], env: dict[str, str] | None = None, accept: Sequence[int] = (0,)) -> str:
    """Runs a command and returns its output; an unaccepted exit code raises with what it said."""
    done = subprocess.run(argv, env=env, text=True, capture_output=True, check=False)
    if done.returncode not in accept:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done.stdout
