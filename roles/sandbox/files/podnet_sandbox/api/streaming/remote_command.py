# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command's (exec) or a container's (attach) streams, copied between a client and a `Session`, whatever carries them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multidict import MultiMapping

from ..errors import ApiError, bad_request
from ..media import encode
from ..request import truth
from ..runtime import Session
from .streams import Stream

STDIN, STDOUT, STDERR, ERROR, RESIZE = "stdin", "stdout", "stderr", "error", "resize"
_CHUNK = 32 * 1024


@dataclass(frozen=True)
class Wanted:
    """Which streams a client asks for."""

    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool

    def names(self, *, resize: bool) -> frozenset[str]:
        """The streams a client has to open itself, ``resize``: where its protocol has that."""
        asked = {STDIN: self.stdin, STDOUT: self.stdout, STDERR: self.stderr, RESIZE: resize and self.tty}
        return frozenset({ERROR, *(name for name, wanted in asked.items() if wanted)})


def wanted_streams(query: MultiMapping[str]) -> Wanted:
    """What the parameters of exec and attach ask for. Raises `ApiError` 400 for what makes no sense."""
    wanted = Wanted(*(truth(query.get(name)) for name in (STDIN, STDOUT, STDERR, "tty")))
    if not (wanted.stdin or wanted.stdout or wanted.stderr):
        raise bad_request("you must specify at least one of stdin, stdout, stderr")
    if wanted.tty and wanted.stderr:
        raise bad_request("tty and stderr cannot both be true")
    return wanted


async def converse(session: Session, streams: Mapping[str, Stream], wanted: Wanted) -> int:
    """Copy until the command has ended and all its output is sent; its exit code."""
    inputs = [asyncio.create_task(_resizes(streams[RESIZE], session))] if RESIZE in streams else []
    if wanted.stdin:
        inputs.append(asyncio.create_task(_input(streams[STDIN], session)))
    try:
        await asyncio.gather(
            _output(session.stdout, streams[STDOUT] if wanted.stdout else None),
            _output(session.stderr, streams[STDERR] if wanted.stderr else None),
        )
        return await session.wait()
    finally:
        for task in inputs:
            task.cancel()
        await asyncio.gather(*inputs, return_exceptions=True)


async def conclude(streams: Mapping[str, Stream], status: bytes) -> None:
    """End all streams, with ``status`` on the one for errors."""
    for name, stream in streams.items():
        stream.discard()
        if name == ERROR:
            await stream.write(status)
        await stream.close()


async def _input(stream: Stream, session: Session) -> None:
    while data := await stream.read():
        await session.write_stdin(data)
    await session.close_stdin()


async def _output(source: asyncio.StreamReader, stream: Stream | None) -> None:
    while data := await source.read(_CHUNK):
        if stream is not None:
            await stream.write(data)
    if stream is not None:
        await stream.close()


async def _resizes(stream: Stream, session: Session) -> None:
    while data := await stream.read():
        try:
            size = json.loads(data)
            session.resize(int(size["Height"]), int(size["Width"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            continue  # kubelet, too, drops a size it cannot read


#: How a protocol tells the end: from a Status to what is written on the stream for errors.
Ending = Callable[[Mapping[str, Any]], bytes]


def as_json(status: Mapping[str, Any]) -> bytes:
    """From ``v4`` on: always, as JSON."""
    return encode(status)


def as_text(status: Mapping[str, Any]) -> bytes:
    """Before: only what went wrong, in words."""
    return b"" if status["status"] == "Success" else str(status["message"]).encode()


def exit_status(code: int, command: Sequence[str]) -> dict[str, Any]:
    """The Status that ends an exec: success, or the exit code as a cause."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": (
            "command terminated with non-zero exit code: error executing command "
            f"[{' '.join(command)}], exit code {code}"
        ),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }


def error_status(error: ApiError) -> dict[str, Any]:
    """The Status of a command that could not be run."""
    cause = error.message.removeprefix("Internal error occurred: ")
    return {
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.reason,
        "details": {"causes": [{"message": cause}]},
        "code": error.code,
    }
