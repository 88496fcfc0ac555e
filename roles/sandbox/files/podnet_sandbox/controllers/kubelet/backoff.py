# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's patience: nothing before the first repetition, then 10 s, doubled up to five minutes, forgotten after ten."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST, MOST = 10.0, 300.0
_FORGOTTEN = 2 * MOST


class Backoff:
    """Of one container, or of one image's pull."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._delay = 0.0
        self._last = clock()

    def next(self) -> float:
        """Seconds to wait before the attempt that is to be made now."""
        now = self._clock()
        if now - self._last > _FORGOTTEN + self._delay:
            self._delay = 0.0
        self._last = now
        delay, self._delay = self._delay, min(MOST, max(FIRST, 2 * self._delay))
        return delay
