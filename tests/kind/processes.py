# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends processes as a machine that goes dark does: at once, without a word to them."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path


def kill(pid: int, *, with_children: bool) -> None:
    """SIGKILL to a process that this one started, and to all that it started in turn, in whatever session they are."""
    if not with_children:
        _signal([pid], signal.SIGKILL)
        return
    # Stopped first, from the top on: what is stopped starts nobody any more.
    stopped: list[int] = []
    while fresh := [one for one in _tree(pid) if one not in stopped]:
        _signal(fresh, signal.SIGSTOP)
        stopped.extend(fresh)
    _signal(stopped, signal.SIGKILL)


def kill_users(folder: Path) -> None:
    """SIGKILL to every process that has a file below ``folder`` open, or is run on one: whoever started it, and whenever."""
    while found := [pid for pid in _all() if pid != os.getpid() and _uses(pid, str(folder))]:
        _signal(found, signal.SIGKILL)


def _tree(root: int) -> list[int]:
    parents = {pid: _parent(pid) for pid in _all()}
    found, level = [], [root]
    while level:
        found += level
        level = [pid for pid, parent in parents.items() if parent in level]
    return found


def _all() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        # The name before it, in brackets, may hold anything.
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1])
    return 0


def _uses(pid: int, folder: str) -> bool:
    with contextlib.suppress(OSError):
        if folder.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
            return True
        return any(os.readlink(entry).startswith(folder) for entry in Path(f"/proc/{pid}/fd").iterdir())
    return False


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
