# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that lose their first process, and with it all that runs on them: they come back as a machine that was switched on again.

kind starts its nodes' containers with `--restart=on-failure:1` (pkg/cluster/internal/providers/docker/provision.go): one whose first
process is killed is started again by Docker, with the addresses and files it had, before anybody misses its heartbeats; its kubelet
finds no pod sandbox and makes them anew.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from .zygote_client import StartError

LOG = logging.getLogger(__name__)
#: Seconds until a machine that did not start is tried again.
RETRY_DELAY = 1.0

Boot = Callable[[str], Awaitable[None]]


class Machines:
    """Switches nodes off and on in all that knows of them. ``boot(node)`` has the kernel make one, as at the sandbox's start."""

    def __init__(self, kernel: Any, kubelet: Any, reconciler: Any, boot: Boot) -> None:
        self._kernel, self._kubelet, self._reconciler, self._boot = kernel, kubelet, reconciler, boot
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[None]] = set()

    def lost(self, node: str) -> None:
        """The node's first process has ended."""
        LOG.warning("node %s: its first process was killed, it starts again", node)
        task = asyncio.ensure_future(self._restart(node))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """No machine starts any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _restart(self, node: str) -> None:
        async with self._turns[node]:
            await self._reconciler.switch_off(node)
            await self._kubelet.switch_off(node)
            await self._kernel.switch_off(node)
            while not await self._booted(node):
                await asyncio.sleep(RETRY_DELAY)
                await self._kernel.switch_off(node)
            self._kubelet.switch_on(node)
            self._reconciler.switch_on(node)

    async def _booted(self, node: str) -> bool:
        try:
            await self._boot(node)
        except (StartError, OSError) as error:
            LOG.warning("node %s did not start: %s", node, error)
            return False
        return True
