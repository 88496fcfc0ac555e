# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server needs of whoever runs the containers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Protocol


class ExecSession(Protocol):
    """A command running in a container. With a terminal everything arrives on ``stdout``."""

    @property
    def stdout(self) -> asyncio.StreamReader: ...

    @property
    def stderr(self) -> asyncio.StreamReader: ...

    async def write_stdin(self, data: bytes) -> None: ...

    async def close_stdin(self) -> None: ...

    async def wait(self) -> int:
        """The exit code, 128 + n after signal n."""

    async def kill(self) -> None:
        """For the client that went away."""

    def resize(self, rows: int, columns: int) -> None: ...


class Runtime(Protocol):
    """Runs commands in containers and knows what they printed. Raises `ApiError`."""

    async def exec(
        self, namespace: str, pod: str, container: str | None, argv: Sequence[str], *, stdin: bool, tty: bool
    ) -> ExecSession:
        """Start ``argv``; ``container`` None is the pod's default one."""

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str | None,
        *,
        follow: bool,
        tail_lines: int | None,
        previous: bool,
        timestamps: bool,
        since_seconds: float | None,
    ) -> AsyncIterator[bytes]: ...
