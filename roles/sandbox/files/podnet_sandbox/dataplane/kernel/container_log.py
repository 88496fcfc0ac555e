# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container wrote: the last lines of it, and those to come."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime

#: As much of a container's output is kept; kubelet keeps 10 MiB by default, a lab needs less.
MAXIMUM_BYTES = 1 << 20


class ContainerLog:
    """Lines, each with the time it came (seconds since the epoch)."""

    def __init__(self) -> None:
        self._lines: deque[tuple[float, bytes]] = deque()
        self._rests: dict[int, bytes] = {}
        self._size = 0
        self._dropped = 0
        self._open = True
        self._changed = asyncio.Event()

    def take(self, stream: int, part: bytes) -> None:
        """Some output; lines of one ``stream`` are not torn by another."""
        *whole, rest = (self._rests.get(stream, b"") + part).split(b"\n")
        if len(rest) > MAXIMUM_BYTES // 16:
            whole, rest = [*whole, rest], b""
        self._rests[stream] = rest
        for line in whole:
            self._add(line + b"\n")
        self._wake()

    def close(self) -> None:
        """No more will come: the container has ended."""
        for rest in self._rests.values():
            if rest:
                self._add(rest)
        self._rests.clear()
        self._open = False
        self._wake()

    async def read(
        self, *, follow: bool = False, tail_lines: int | None = None, timestamps: bool = False, since: float = 0.0
    ) -> AsyncIterator[bytes]:
        """Lines with their newline, oldest first; ``since`` as a time."""
        start = self._dropped
        if tail_lines is not None:
            start += max(0, len(self._lines) - tail_lines)
        while True:
            changed = self._changed
            fresh = list(self._lines)[max(0, start - self._dropped) :]
            start = self._dropped + len(self._lines)
            for moment, line in fresh:
                if moment >= since:
                    yield _stamped(moment, line) if timestamps else line
            if not follow or not self._open:
                return
            await changed.wait()

    def _add(self, line: bytes) -> None:
        self._lines.append((time.time(), line))
        self._size += len(line)
        while self._size > MAXIMUM_BYTES:
            self._size -= len(self._lines.popleft()[1])
            self._dropped += 1

    def _wake(self) -> None:
        """Who waits holds the old event; the next to wait finds a new one."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _stamped(moment: float, line: bytes) -> bytes:
    whole, fraction = divmod(moment, 1)
    stamp = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{stamp}.{int(fraction * 1e9):09d}Z ".encode() + line
