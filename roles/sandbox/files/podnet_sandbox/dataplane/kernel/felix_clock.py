# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When one node's Felix looks at what others may have changed: by its own clocks, and at once when it has just started."""

from __future__ import annotations

from dataclasses import dataclass

from ..desired import FelixSettings

#: The VXLAN manager's look at its device; Felix has no setting for it (FINDINGS B: back after 8 to 9 s).
DEVICE_REFRESH = 10.0


@dataclass(frozen=True)
class Looks:
    """What is looked at this time."""

    device: bool = False
    routes: bool = False
    ipsets: bool = False

    def __bool__(self) -> bool:
        return self.device or self.routes or self.ipsets


EVERYTHING = Looks(device=True, routes=True, ipsets=True)


class FelixClock:
    """One node's timers. Times are of one monotonic clock, in seconds; no look is ever due while Felix does not run."""

    def __init__(self) -> None:
        self._running = False
        self._has_run = False
        self._started_anew = False
        self._last: dict[str, float] = {}

    @property
    def running(self) -> bool:
        return self._running

    def run(self, running: bool, now: float) -> None:
        """Felix was started, or has ended. The first start found nothing that others could have changed."""
        if running and not self._running:
            self._started_anew = self._has_run
            self._last = dict.fromkeys(("device", "routes", "ipsets"), now)
            self._has_run = True
        self._running = running

    def due(self, settings: FelixSettings, now: float) -> Looks:
        """What is to be looked at now; it counts as done."""
        if not self._running:
            return Looks()
        if self._started_anew:
            self._started_anew = False
            self._last = dict.fromkeys(self._last, now)
            return EVERYTHING
        intervals = {"device": DEVICE_REFRESH, "routes": settings.route_refresh, "ipsets": settings.ipset_refresh}
        due = {name for name, interval in intervals.items() if interval and now - self._last[name] >= interval}
        self._last |= dict.fromkeys(due, now)
        return Looks(**dict.fromkeys(due, True))
