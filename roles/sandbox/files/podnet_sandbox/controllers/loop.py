# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one loop that runs controllers: a change marks those that watch its kind, each then looks at the whole state.

Level triggered, as Kubernetes' controllers are: many changes make one run, and a run that changed something for
itself comes again until nothing is left to do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable
from typing import Any, Protocol

from ..api.errors import ApiError

LOG = logging.getLogger(__name__)
#: Seconds after which a controller that failed is run again.
RETRY_DELAY = 0.5
#: A round of more seconds than `_LONG` is followed by a rest of so many times its length, and at most so many seconds.
_LONG, _REST, _LONGEST_REST = 0.05, 2.0, 0.5
CONFLICT, GONE = 409, 404


class Controller(Protocol):
    """``watches`` are kinds of objects; `reconcile` may return the seconds after which it wants to run again."""

    watches: frozenset[str]

    def reconcile(self) -> float | None: ...


class ControlLoop:
    """Runs ``controllers`` over ``store``, in the order given, on the event loop's thread."""

    def __init__(self, store: Any, controllers: Iterable[Controller]) -> None:
        self._controllers = tuple(controllers)
        self._due: set[Controller] = set(self._controllers)
        self._wake = asyncio.Event()
        self._wake.set()
        self._timers: dict[Controller, asyncio.TimerHandle] = {}
        store.subscribe(self._changed)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            began = time.monotonic()
            self._round()
            # What others wait for on this thread goes on between two rounds, and what they change is all seen in the next one:
            # looking at a thousand pods takes long, and is not done for each of them.
            took = time.monotonic() - began
            await asyncio.sleep(min(_LONGEST_REST, _REST * took) if took > _LONG else 0)

    def settle(self) -> None:
        """Run what is due until nothing is."""
        while self._due:
            self._round()

    def _round(self) -> None:
        for controller in self._controllers:
            if controller in self._due:
                self._due.discard(controller)
                self._reconcile(controller)

    def stop(self) -> None:
        for timer in self._timers.values():
            timer.cancel()

    def mark(self, controller: Controller) -> None:
        """Have ``controller`` run soon."""
        self._due.add(controller)
        self._wake.set()

    def _changed(self, _event: str, res: Any, _obj: Any, _old: Any) -> None:
        kind = str(res)
        for controller in self._controllers:
            if kind in controller.watches:
                self.mark(controller)

    def _reconcile(self, controller: Controller) -> None:
        try:
            again = controller.reconcile()
        except ApiError as error:
            expected = error.code in (CONFLICT, GONE)  # someone else was faster: look again
            LOG.log(logging.DEBUG if expected else logging.ERROR, "%s: %s", type(controller).__name__, error.message)
            again = RETRY_DELAY
        except Exception:  # one controller's fault must not stop the others
            LOG.exception("%s failed, runs again in %s s", type(controller).__name__, RETRY_DELAY)
            again = RETRY_DELAY
        if again is not None:
            self._later(controller, again)

    def _later(self, controller: Controller, seconds: float) -> None:
        previous = self._timers.pop(controller, None)
        if previous:
            previous.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # `settle` without a loop: the caller decides when to run again
        self._timers[controller] = loop.call_later(seconds, self.mark, controller)
