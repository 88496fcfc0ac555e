# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet asks the kernel room to run, and what it hears back: the words, no I/O."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class WorkloadError(Exception):
    """A pod, container or exec session could not be had; the text is meant for the person who asked."""


class ImageUnknown(WorkloadError):
    """No image of that name is in the sandbox's image table: ErrImagePull to the kubelet."""


class NotRunning(WorkloadError):
    """No such pod or container, or it has ended."""


class ExecFailed(WorkloadError):
    """The command could not be started; text in the words of runc (`exec: "x": executable file not found in $PATH`)."""


@dataclass(frozen=True)
class Mount:
    """A volume of the pod, or the part ``sub_path`` of it, in a container at ``path``."""

    volume: str
    path: str
    sub_path: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class PodFile:
    """A file that the kubelet writes into a volume."""

    content: bytes
    mode: int = 0o644


@dataclass(frozen=True)
class ContainerSpec:
    """One container as the kubelet resolved it: ``env`` complete, ``command``/``args`` as in the pod spec."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    capabilities: tuple[str, ...] = ()  # added by securityContext: NET_ADMIN, NET_RAW …
    privileged: bool = False
    mounts: tuple[Mount, ...] = ()
    stdin: bool = False  # has an input to attach to; stdin_once: which ends with the first who was attached
    stdin_once: bool = False
    tty: bool = False


@dataclass(frozen=True)
class PodProcessSpec:
    """A pod, and the containers to start with it. ``files``: absolute path → content, the same in each container (hosts …)."""

    namespace: str
    name: str
    containers: tuple[ContainerSpec, ...]
    hostname: str = ""  # default: the pod's name; ignored on the host network
    files: Mapping[str, bytes] = field(default_factory=dict)
    capture_logs: bool = True


@dataclass(frozen=True)
class Answer:
    """What a probe was answered: true where that is good, else with the reason in a kubelet's words."""

    good: bool
    why: str = ""

    def __bool__(self) -> bool:
        return self.good


@dataclass
class ContainerState:
    """What the kubelet reads for containerStatuses. Times are seconds since the epoch."""

    name: str
    image_id: str
    pid: int = 0  # in the sandbox's process namespace; 0: not running
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int | None = None  # 128 + signal where one ended it
    restarts: int = 0

    @property
    def running(self) -> bool:
        """Whether its first process lives."""
        return self.pid > 0


@dataclass
class PodHandle:
    """A pod that runs: its containers' states, kept current by the kernel room."""

    namespace: str
    name: str
    node: str
    containers: dict[str, ContainerState]


#: Called in the sandbox's event loop when a container's first process has ended: (handle, container's state).
ExitCallback = Callable[[PodHandle, ContainerState], None]


class ForwardFailed(WorkloadError):
    """A port of a pod cannot be connected to; text in containerd's words."""


class Session(Protocol):
    """A command running in a container, or a container attached to. With a terminal everything arrives on ``stdout``."""

    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader

    async def write_stdin(self, data: bytes) -> None:
        """Wait until ``data`` is taken; a command that closed its input just drops it."""

    async def close_stdin(self) -> None:
        """End of input (on a terminal: Ctrl-D)."""

    async def wait(self) -> int:
        """Exit code, or 128 + signal; 0 of what was attached to."""

    async def close(self) -> None:
        """SIGKILL to the command and what it started; a container attached to goes on."""

    def resize(self, rows: int, columns: int) -> None:
        """New size of the terminal; nothing without one."""
