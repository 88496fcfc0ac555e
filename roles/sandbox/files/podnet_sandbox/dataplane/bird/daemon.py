# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's BIRD process: started, reconfigured gracefully, started again when it dies (runit's part), stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from functools import cache

from ..desired import Bgp
from .configuration import render

CONFIGURATION = "/etc/calico/confd/config/bird.cfg"
CONTROL_SOCKET = "/run/calico/bird.ctl"
_VERSION = re.compile(r"BIRD version (\d+)\.(\S+)")
_SEARCH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"
#: runit waits a second before it starts a service again that just ended.
_RESTART_DELAY = 1.0
_SHORT_LIFE = 1.0
_STOP_WAIT = 5.0


class BirdError(Exception):
    """BIRD is not there, or refused its configuration."""


class BirdMissing(BirdError):
    """No BIRD on this machine."""


@cache
def installed() -> tuple[str, int]:
    """(path of the daemon, major version). Raises `BirdMissing`."""
    path = shutil.which("bird", path=_SEARCH)
    if path is None:
        raise BirdMissing(
            "BIRD, the BGP daemon the nodes run, is not installed: `apt-get install bird` (1.6) or `apt-get install "
            "bird2`. Its own service need not run (`systemctl disable --now bird`). A lab with bgp: Disabled does "
            "without (--without-bird)."
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    match = _VERSION.search(said.stdout + said.stderr)
    if match is None:
        raise BirdError(f"`{path} --version` says {(said.stdout + said.stderr).strip()!r}, expected BIRD version 1.6 or 2")
    return path, int(match[1])


#: Starts argv in the node's namespaces: (pid, future with the exit code). Then: a signal to such a pid.
Spawn = Callable[[tuple[str, ...]], Awaitable[tuple[int, "asyncio.Future[int]"]]]
Kill = Callable[[int, int], None]


class BirdDaemon:
    """BIRD of one node, whose file system is seen at ``root`` (/proc/<pid>/root)."""

    def __init__(self, root: str, spawn: Spawn, kill: Kill) -> None:
        self._root = root
        self._spawn = spawn
        self._kill = kill
        self._applied: Bgp | None = None
        self._pid = 0
        self._keeper: asyncio.Task[None] | None = None

    async def apply(self, bgp: Bgp | None) -> None:
        """Run with ``bgp``, or not at all. Raises `BirdError`."""
        if bgp == self._applied and (bgp is None or self._pid):
            return
        if bgp is None:
            await self._stop()
        else:
            self._write(render(bgp, major=installed()[1]))
            if self._pid:
                await self._reconfigure()
            else:
                await self._start()
        self._applied = bgp

    async def abandon(self) -> None:
        """The node is about to be killed with everything on it: do not start it again."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def _start(self) -> None:
        exited = await self._launch()
        self._keeper = asyncio.create_task(self._keep(exited))
        await self._answering(exited)

    async def _launch(self) -> asyncio.Future[int]:
        """As Calico's runit service does: foreground, graceful-restart recovery."""
        argv = (installed()[0], "-R", "-f", "-s", CONTROL_SOCKET, "-c", CONFIGURATION)
        self._pid, exited = await self._spawn(argv)
        return exited

    async def _keep(self, exited: asyncio.Future[int]) -> None:
        """Start it again, as runit would, until the task is cancelled."""
        while True:
            started = time.monotonic()
            await asyncio.shield(exited)
            self._pid = 0
            if time.monotonic() - started < _SHORT_LIFE:
                await asyncio.sleep(_RESTART_DELAY)
            exited = await self._launch()

    async def _stop(self) -> None:
        """SIGTERM: peers withdraw at once, the kernel keeps the routes (`persist`)."""
        await self.abandon()
        if self._pid:
            self._kill(self._pid, signal.SIGTERM)
            deadline = time.monotonic() + _STOP_WAIT
            while os.path.exists(f"/proc/{self._pid}") and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            self._pid = 0

    async def _answering(self, exited: asyncio.Future[int]) -> None:
        deadline = time.monotonic() + _STOP_WAIT
        while time.monotonic() < deadline and not exited.done():
            with contextlib.suppress(OSError):
                await self._ask("show status")
                return
            await asyncio.sleep(0.01)
        raise BirdError(f"BIRD did not start with {CONFIGURATION}:\n{self._read()}")

    async def _reconfigure(self) -> None:
        answer = await self._ask("configure")
        if not re.search(r"^(0003|0004|0018)", answer, re.MULTILINE):  # Reconfigured, in progress, queued
            raise BirdError(f"BIRD refused {CONFIGURATION}: {answer.strip()}\n{self._read()}")

    async def _ask(self, command: str) -> str:
        """One command on the control socket; the answer with its numeric codes."""
        reader, writer = await asyncio.open_unix_connection(self._root + CONTROL_SOCKET)
        try:
            await reader.readline()
            writer.write(f"{command}\n".encode())
            answer = b""
            while not re.search(rb"^(0\d{3}|[89]\d{3}) ", answer.rpartition(b"\n")[0].rpartition(b"\n")[2], re.MULTILINE):
                part = await asyncio.wait_for(reader.readline(), timeout=_STOP_WAIT)
                if not part:
                    break
                answer += part
            return answer.decode(errors="replace")
        finally:
            writer.close()

    def _write(self, text: str) -> None:
        path = self._root + CONFIGURATION
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)

    def _read(self) -> str:
        with open(self._root + CONFIGURATION, encoding="ascii") as file:
            return file.read()
