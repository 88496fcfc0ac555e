# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node's BIRD process: started, reconfigured gracefully, started again when it dies (runit's part), stopped."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable
from functools import cache

from ...confinement import inside
from ...zygote_client import StartError
from ..desired import Bgp
from .configuration import render

_log = logging.getLogger(__name__)

CONFIGURATION = "/etc/calico/confd/config/bird.cfg"
CONTROL_SOCKET = "/run/calico/bird.ctl"
_VERSION = re.compile(r"BIRD version (\d+)\.(\S+)")
_LAST_LINE = re.compile(rb"(0\d{3}|[89]\d{3}) ")  # done, or an error; a hyphen after the code means more to come
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
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    match = _VERSION.search(said.stdout + said.stderr)
    if match is None:
        raise BirdError(f"`{path} --version` says {(said.stdout + said.stderr).strip()!r}, expected BIRD version 1.6 or 2")
    return path, int(match[1])


#: Starts argv in the node's namespaces, writing to a descriptor: (pid, future with the exit code). Then: a signal to it.
Spawn = Callable[[tuple[str, ...], int], Awaitable[tuple[int, "asyncio.Future[int]"]]]
Kill = Callable[[int, int], None]


class BirdDaemon:
    """BIRD of one node, whose file system is seen at ``root()`` (/proc/<pid>/root)."""

    def __init__(self, root: Callable[[], str], spawn: Spawn, kill: Kill) -> None:
        self._root = root
        self._spawn = spawn
        self._kill = kill
        self._applied: Bgp | None = None
        self._pid = 0
        self._said = open(os.memfd_create("bird"), "r+b", buffering=0)  # noqa: SIM115 - as long as the daemon
        self._keeper: asyncio.Task[None] | None = None

    async def apply(self, bgp: Bgp | None) -> None:
        """Run with ``bgp``, or not at all. Raises `BirdError`."""
        if bgp == self._applied and (bgp is None or self._pid):
            return
        if bgp is None:
            await self._stop()
        else:
            text = render(bgp, major=installed()[1])
            inside.write(self._root(), CONFIGURATION, text.encode())
            if self._keeper is None:
                await self._start(text)
            elif self._pid:
                await self._reconfigure(text)  # else it just died, and the keeper starts it with the new text
        self._applied = bgp

    async def end(self) -> None:
        """The node is killed with everything on it, now or in a moment."""
        await self._abandon()
        self._said.close()

    async def _abandon(self) -> None:
        """Do not start it again."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None

    async def _start(self, text: str) -> None:
        exited = await self._launch()
        self._keeper = asyncio.create_task(self._keep(exited))
        await self._answering(exited, text)

    async def _launch(self) -> asyncio.Future[int]:
        """As Calico's runit service does: foreground, graceful-restart recovery."""
        argv = (installed()[0], "-R", "-f", "-s", CONTROL_SOCKET, "-c", CONFIGURATION)
        self._said.seek(0)  # the daemon writes where this one stands
        self._said.truncate()
        self._pid, exited = await self._spawn(argv, self._said.fileno())
        return exited

    async def _keep(self, exited: asyncio.Future[int]) -> None:
        """Start it again, as runit would, until the task is cancelled."""
        while True:
            started = time.monotonic()
            await asyncio.shield(exited)
            self._pid = 0
            if time.monotonic() - started < _SHORT_LIFE:
                await asyncio.sleep(_RESTART_DELAY)
            while True:
                try:
                    exited = await self._launch()
                    break
                except StartError as error:
                    _log.warning("BIRD could not be started again: %s", error)
                    await asyncio.sleep(_RESTART_DELAY)

    async def _stop(self) -> None:
        """As with calico-node's container, whose first process does not wait for BIRD: killed, the control socket stays behind
        (recording vxlan-bgp-disabled), peers and kernel keep the routes (graceful restart, `persist`).
        """
        await self._abandon()
        if self._pid:
            self._kill(self._pid, signal.SIGKILL)
            deadline = time.monotonic() + _STOP_WAIT
            while os.path.exists(f"/proc/{self._pid}") and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
            self._pid = 0

    async def _answering(self, exited: asyncio.Future[int], text: str) -> None:
        deadline = time.monotonic() + _STOP_WAIT
        while time.monotonic() < deadline and not exited.done():
            with contextlib.suppress(OSError):
                await self._ask("show status")
                return
            await asyncio.sleep(0.01)
        await self._stop()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        raise BirdError(f"BIRD did not start: {said or 'it said nothing'}. Its {CONFIGURATION}:\n{_without_passwords(text)}")

    async def _reconfigure(self, text: str) -> None:
        answer = await self._ask("configure")
        if not re.search(r"^(0003|0004|0018)", answer, re.MULTILINE):  # Reconfigured, in progress, queued
            raise BirdError(f"BIRD refused {CONFIGURATION}: {answer.strip()}\n{_without_passwords(text)}")

    async def _ask(self, command: str) -> str:
        """One command on the control socket; the answer with its numeric codes."""
        with inside.socket_path(self._root(), CONTROL_SOCKET) as path:
            reader, writer = await asyncio.open_unix_connection(path)
        try:
            await reader.readline()
            writer.write(f"{command}\n".encode())
            answer = b""
            last = b""
            while not _LAST_LINE.match(last):
                last = await asyncio.wait_for(reader.readline(), timeout=_STOP_WAIT)
                if not last:
                    break
                answer += last
            return answer.decode(errors="replace")
        finally:
            writer.close()


def _without_passwords(text: str) -> str:
    """bird.cfg as it may stand in a log."""
    return re.sub(r'password "[^"]*"', 'password "…"', text)
