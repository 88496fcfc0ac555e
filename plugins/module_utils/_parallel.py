# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bounded concurrency with a deadline that holds (private).

Threads are daemons and are left behind when time is up: a name lookup or a TLS handshake that never ends must neither
hold the task past its deadline nor keep the interpreter from exiting, which concurrent.futures would do.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, TypeVar

Job = TypeVar("Job")


class Deadline:
    """A moment on the monotonic clock, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining() == 0.0


class Outcome(NamedTuple):
    """How one job ended: a value, an error that it raised, or neither when time was up first."""

    value: Any = None
    error: Optional[BaseException] = None
    finished: bool = False


def run_all(function: Callable[[Job], Any], jobs: Sequence[Job], concurrency: int, deadline: Deadline) -> List[Outcome]:
    """Call ``function`` on every job, at most ``concurrency`` at a time; outcomes in the order of the jobs."""
    outcomes = [Outcome() for _unused in jobs]
    todo: "queue.SimpleQueue[int]" = queue.SimpleQueue()
    done: "queue.SimpleQueue[tuple]" = queue.SimpleQueue()
    for index in range(len(jobs)):
        todo.put(index)

    def work() -> None:
        while not deadline.expired:
            try:
                index = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((index, Outcome(value=function(jobs[index]), finished=True)))
            except Exception as error:  # pylint: disable=broad-except
                done.put((index, Outcome(error=error, finished=True)))

    for number in range(min(concurrency, len(jobs))):
        threading.Thread(target=work, name="podnet-%d" % number, daemon=True).start()
    for _unused in jobs:
        try:
            index, outcome = done.get(timeout=deadline.remaining())
        except queue.Empty:
            break
        outcomes[index] = outcome
    return outcomes
