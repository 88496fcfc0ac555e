# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client attached to a container: its output from now on, and its input."""

from __future__ import annotations

from .container_streams import ContainerStreams


class AttachSession:
    """Ends with the container, or when the client has ended its input, unless the container's input ends with that."""

    def __init__(self, streams: ContainerStreams, *, stdin: bool) -> None:
        self._streams = streams
        self._input = streams.input if stdin else None
        self.stdout, self.stderr = streams.tap()

    async def write_stdin(self, data: bytes) -> None:
        """Wait until the container took ``data``."""
        if self._input is not None:
            await self._input.write(data)

    async def close_stdin(self) -> None:
        """containerd: with stdinOnce the container's input is over, without it (or on a terminal) the client has seen enough."""
        if self._input is None:
            return
        if self._ends_input:
            await self._input.end()
        else:
            self._streams.untap(self.stdout, self.stderr)

    async def wait(self) -> int:
        """What the container ended with is in the pod's status, not here."""
        return 0

    async def close(self) -> None:
        """Let go; the container goes on."""
        self._streams.untap(self.stdout, self.stderr)
        if self._input is not None and self._ends_input:
            await self._input.end()

    def resize(self, rows: int, columns: int) -> None:
        """The terminal's new size. Raises ValueError."""
        if self._input is not None:
            self._input.resize(rows, columns)

    @property
    def _ends_input(self) -> bool:
        return self._streams.stdin_once and not self._streams.tty
