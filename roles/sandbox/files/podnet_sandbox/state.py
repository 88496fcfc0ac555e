# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox's folder: who runs, with which settings, and what is left when nobody does.

    kubeconfig    0600, for kubectl and the collection
    state.json    holder's pid and start time, configuration, server, nodes
    sandbox.log   what the sandbox's own processes said
    sandbox.log.previous  what those of one said that ended without `down`
    sandbox.lock  locked (flock) by every process of a living sandbox, and by nobody when it is dead
    mnt/          an empty folder: where a container's root file system is put together, in its own mount namespace

Other files there (a lab's rendered manifests, its runs) are not the sandbox's and stay.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KUBECONFIG = "kubeconfig"
LOG = "sandbox.log"
_PREVIOUS_LOG = "sandbox.log.previous"
_NEW = ".new"
_STATE = "state.json"
_LOCK = "sandbox.lock"
_MOUNTPOINT = "mnt"
_POLL = 0.01


class StateError(Exception):
    """The folder cannot be used; the text says why."""


def default_folder(name: str) -> Path:
    """`$XDG_STATE_HOME/podnet/<name>`."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "podnet" / name


class StateFolder:
    """One sandbox's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def kubeconfig(self) -> Path:
        """Where the kubeconfig is, or will be."""
        return self.path / KUBECONFIG

    @property
    def log(self) -> Path:
        """Where the sandbox's processes write."""
        return self.path / LOG

    @property
    def previous_log(self) -> Path:
        """What the sandbox before this one said, which died."""
        return self.path / _PREVIOUS_LOG

    @property
    def mountpoint(self) -> Path:
        """An empty folder."""
        return self.path / _MOUNTPOINT

    def create(self) -> None:
        """Have the folder, for this user only. Raises `StateError`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.mkdir(mode=0o700, exist_ok=True)
            self.path.chmod(0o700)
            self.mountpoint.mkdir(exist_ok=True)
        except OSError as error:
            raise StateError(f"the lab folder {self.path} cannot be made: {error}") from error

    def lock(self) -> int | None:
        """The lock's descriptor, or None while a sandbox lives here. Whoever inherits it keeps the lock alive.

        Raises `OSError` where the file cannot be made or is another user's.
        """
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def alive(self) -> bool:
        """Whether a sandbox (or one that starts, or ends) lives here."""
        if not (self.path / _LOCK).exists():
            return False
        descriptor = self.lock()
        if descriptor is not None:
            os.close(descriptor)
        return descriptor is None

    def read(self) -> dict[str, Any] | None:
        """state.json of the sandbox that lives here or last did; None where there is none (yet)."""
        try:
            state = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return state if isinstance(state, dict) else None

    def write(self, state: Mapping[str, Any], kubeconfig: str) -> None:
        """Both files, 0600; state.json last: it says that the sandbox is up. Raises `StateError` where the disk is full."""
        self._write(KUBECONFIG, kubeconfig)
        self._write(_STATE, json.dumps(state, indent=2, sort_keys=True) + "\n")

    def own_files(self) -> list[str]:
        """The names of the sandbox's files that are there."""
        names = (KUBECONFIG, KUBECONFIG + _NEW, _STATE, _STATE + _NEW, LOG, _PREVIOUS_LOG, _LOCK)
        return [name for name in names if (self.path / name).exists()]

    def clear_stale(self) -> dict[str, Any] | None:
        """With the lock in hand: remove what a dead sandbox left, but for its log; what is known of one that had been up."""
        state = self.read()
        if self.log.exists():
            self.log.replace(self.previous_log)
        for name in self.own_files():
            if name not in (_LOCK, _PREVIOUS_LOG):
                (self.path / name).unlink()
        return None if state is None else {"pid": state.get("pid"), "uuid": state.get("uuid"), "log": str(self.previous_log)}

    def clear(self) -> list[str]:
        """Remove what a sandbox leaves; the names of what was there."""
        removed = self.own_files()
        for name in removed:
            (self.path / name).unlink()
        with contextlib.suppress(OSError):
            self.mountpoint.rmdir()
        return removed

    def clear_unless_told(self) -> None:
        """After a start that failed: remove everything, but for a log that says something, and what goes with it."""
        if not self.log.exists() or not self.log.stat().st_size:
            self.clear()
            with contextlib.suppress(OSError):  # a lab's folder has more in it
                self.path.rmdir()

    def wait_dead(self, seconds: float) -> bool:
        """Whether nobody lives here any more within ``seconds``."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def _write(self, name: str, text: str) -> None:
        temporary = self.path / f"{name}{_NEW}"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.rename(self.path / name)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            what = f"{self.path / name} cannot be written: {error.strerror}"
            raise StateError(f"{what}. Have room there, or choose another --state-dir") from error


def start_time(pid: int) -> int | None:
    """When the process started (clock ticks since boot), which tells it from a later one of the same number."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return int(text.rpartition(")")[2].split()[19])
