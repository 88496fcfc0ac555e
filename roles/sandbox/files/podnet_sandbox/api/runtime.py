# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server needs of whoever runs the containers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class ContainerNotFound(Exception):
    """No such container runs; the text is the kubelet's."""


class ForwardError(Exception):
    """A port of a pod cannot be connected to; the text is the kubelet's."""


class Session(Protocol):
    """A command running in a container, or a container attached to. With a terminal everything arrives on ``stdout``."""

    @property
    def stdout(self) -> asyncio.StreamReader: ...

    @property
    def stderr(self) -> asyncio.StreamReader: ...

    async def write_stdin(self, data: bytes) -> None:
        """Waits until ``data`` is taken."""

    async def close_stdin(self) -> None: ...

    async def wait(self) -> int:
        """The exit code of the command, 128 + n after signal n; 0 at the end of what was attached to."""

    async def close(self) -> None:
        """End the command, or let go of the container: the client is gone, or has all it wanted."""

    def resize(self, rows: int, columns: int) -> None: ...


class Runtime(Protocol):
    """Runs commands in containers, knows what they printed, connects to pods. ``container`` is one of the pod's."""

    async def exec(self, namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool, tty: bool) -> Session:
        """Start ``argv``. Raises `ContainerNotFound`, and `ApiError` with what the container runtime says."""

    async def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> Session:
        """Output from now on, and input where the container has one. Raises `ContainerNotFound`."""

    async def connect(self, namespace: str, pod: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection inside the pod. Raises `ForwardError`."""

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool,
        tail_lines: int | None,
        previous: bool,
        timestamps: bool,
        since_seconds: float | None,
    ) -> AsyncIterator[bytes]:
        """What a container printed. Raises `ApiError` where it has not printed anything yet."""
