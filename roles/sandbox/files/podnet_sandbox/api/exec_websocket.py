# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``pods/exec`` over WebSocket: the channels of ``v4.channel.k8s.io`` and ``v5.channel.k8s.io``.

Every message starts with a byte that names the channel: 0 stdin, 1 stdout, 2 stderr, 3 the final Status, 4 terminal size, and
255 (v5) that the channel named by the next byte is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web
from multidict import MultiMapping

from .errors import ApiError, bad_request, internal
from .media import encode
from .request import truth
from .runtime import ExecSession, Runtime

_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDIN, _STDOUT, _STDERR, _ERROR, _RESIZE, _CLOSE = 0, 1, 2, 3, 4, 255
_CHUNK = 32 * 1024
#: Stdin in one message; kubectl sends 32 KiB, the Python client whatever it was given.
_MAX_MESSAGE = 64 * 1024 * 1024
_SERVER_FAULT = 500


@dataclass(frozen=True)
class ExecOptions:
    """What is to be run and which streams are wanted."""

    command: Sequence[str]
    container: str | None
    stdin: bool
    stdout: bool
    stderr: bool
    tty: bool


def exec_options(query: MultiMapping[str]) -> ExecOptions:
    """The options of an exec request. Raises `ApiError` 400 for what makes no sense."""
    options = ExecOptions(
        command=query.getall("command", []),
        container=query.get("container") or None,
        stdin=truth(query.get("stdin")),
        stdout=truth(query.get("stdout")),
        stderr=truth(query.get("stderr")),
        tty=truth(query.get("tty")),
    )
    if not options.command:
        raise bad_request("you must specify at least one command for the container")
    if not (options.stdin or options.stdout or options.stderr):
        raise bad_request("you must specify at least one of stdin, stdout, stderr")
    if options.tty and options.stderr:
        raise bad_request("tty and stderr cannot both be true")
    return options


async def serve_exec(request: web.Request, runtime: Runtime, namespace: str, pod: str) -> web.StreamResponse:
    """Run a command for a client. Raises `ApiError` before the connection is upgraded."""
    options = exec_options(request.query)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise bad_request("Upgrade request required")
    session: ExecSession | None = None
    failure: ApiError | None = None
    try:
        session = await runtime.exec(
            namespace, pod, options.container, options.command, stdin=options.stdin, tty=options.tty
        )
    except ApiError as error:
        if error.code < _SERVER_FAULT:
            raise
        failure = error  # what the container runtime says comes over the open stream
    socket = web.WebSocketResponse(protocols=_PROTOCOLS, compress=False, max_msg_size=_MAX_MESSAGE)
    try:
        await socket.prepare(request)
        if session is None:
            await _finish(socket, (failure or internal("no session")).status())
        else:
            await _Stream(socket, session, options).run()
    except ConnectionError:
        pass  # the client is gone; what it started ends below
    finally:
        if session is not None:
            await session.kill()
        with contextlib.suppress(ConnectionError):
            await socket.close()
    return socket


class _Stream:
    """One running exec: three pumps, and the Status when the command has ended and all its output is sent."""

    def __init__(self, socket: web.WebSocketResponse, session: ExecSession, options: ExecOptions) -> None:
        self._socket, self._session, self._options = socket, session, options

    async def run(self) -> None:
        reader = asyncio.create_task(self._receive())
        command = asyncio.create_task(self._send_output())
        try:
            await asyncio.wait((reader, command), return_when=asyncio.FIRST_COMPLETED)
            if command.done():
                await _finish(self._socket, exit_status(command.result(), self._options.command))
        finally:
            for task in (reader, command):
                task.cancel()
            await asyncio.gather(reader, command, return_exceptions=True)

    async def _send_output(self) -> int:
        pumps = [self._pump(self._session.stdout, _STDOUT, send=self._options.stdout)]
        if not self._options.tty:
            pumps.append(self._pump(self._session.stderr, _STDERR, send=self._options.stderr))
        await asyncio.gather(*pumps)
        return await self._session.wait()

    async def _pump(self, stream: asyncio.StreamReader, channel: int, *, send: bool) -> None:
        mark = bytes((channel,))
        while data := await stream.read(_CHUNK):
            if send:
                await self._socket.send_bytes(mark + data)

    async def _receive(self) -> None:
        """The client's messages, until it closes."""
        async for message in self._socket:
            if message.type == WSMsgType.BINARY:
                await self._message(message.data)
            elif message.type == WSMsgType.TEXT:
                await self._message(message.data.encode())

    async def _message(self, data: bytes) -> None:
        if not data:
            return
        channel, content = data[0], data[1:]
        if channel == _STDIN and self._options.stdin and content:
            await self._session.write_stdin(content)
        elif channel == _CLOSE and content[:1] == bytes((_STDIN,)):
            await self._session.close_stdin()
        elif channel == _RESIZE:
            self._resize(content)

    def _resize(self, content: bytes) -> None:
        try:
            size = json.loads(content)
            self._session.resize(int(size["Height"]), int(size["Width"]))
        except (ValueError, KeyError, TypeError):
            return  # kubelet, too, drops a size it cannot read


async def _finish(socket: web.WebSocketResponse, status: Mapping[str, Any]) -> None:
    await socket.send_bytes(bytes((_ERROR,)) + encode(status))


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
