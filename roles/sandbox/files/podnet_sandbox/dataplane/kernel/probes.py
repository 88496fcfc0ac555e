# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's probes, made from the pod's node: a command, an HTTP answer, a connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from .exec_session import ExecSession
from .workloads import Answer

_USER_AGENT = "kube-probe/1.32"
_GOOD = Answer(True)
#: Bytes of a command's output that a failed probe is told with, as a kubelet cuts it.
_MOST_SAID = 10 << 10
#: Seconds of a probe's time that are counted at once.
_PART = 0.1

Result = TypeVar("Result")


@dataclass(frozen=True)
class Connection:
    """A socket of the node and where it is to go."""

    socket: socket.socket
    host: str
    port: int


async def within(work: Coroutine[Any, Any, Result], seconds: float) -> Result:
    """What ``work`` comes to. Raises TimeoutError after ``seconds`` in which this process could run.

    One process is the kubelet of all nodes, the API server and more: while the machine, or its own work, kept it from running, an
    answer may have come in time that it hears of only now. A node's kubelet has but its node to do.
    """
    clock = asyncio.get_running_loop().time
    task = asyncio.ensure_future(work)
    try:
        while seconds > 0:
            part, began = min(_PART, seconds), clock()
            await asyncio.wait((task,), timeout=part)
            if task.done():
                return task.result()
            if clock() - began < 2 * part:
                seconds -= part
        raise TimeoutError
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ends_well(session: ExecSession, argv: Sequence[str], timeout: float) -> Answer:
    """Whether the command ends with 0 in time; it is killed when it does not."""
    drains = [asyncio.create_task(stream.read()) for stream in (session.stdout, session.stderr)]
    try:
        if await within(session.wait(), timeout) == 0:
            return _GOOD
        said = b"".join(await asyncio.gather(*drains))
        return Answer(False, said[:_MOST_SAID].decode(errors="replace"))
    except TimeoutError:
        return Answer(False, f'command timed out: "{" ".join(argv)}" timed out after {timeout:g}s')
    finally:
        await session.close()
        for drain in drains:
            drain.cancel()


async def tcp(connection: Connection, timeout: float) -> Answer:
    """Whether the connection comes about in time."""
    try:
        await within(_connect(connection), timeout)
        return _GOOD
    except (OSError, TimeoutError) as error:
        return Answer(False, _dialled(connection, error, "i/o timeout"))


async def http(connection: Connection, path: str, timeout: float, *, tls: bool) -> Answer:
    """Whether a GET is answered with a status from 200 to 399 in time. The certificate is not looked at."""
    url = f"{'https' if tls else 'http'}://{connection.host}:{connection.port}{path}"
    try:
        status = (await within(_get(connection, path, tls=tls), timeout)).split()
        if len(status) < 2 or not status[1].isdigit():
            return Answer(False, f'Get "{url}": EOF')
        code = int(status[1])
        return _GOOD if 200 <= code < 400 else Answer(False, f"HTTP probe failed with statuscode: {code}")
    except ssl.SSLError as error:
        return Answer(False, f'Get "{url}": tls: {error.reason}')
    except (OSError, TimeoutError) as error:
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Answer(False, f'Get "{url}": {late if isinstance(error, TimeoutError) else _dialled(connection, error, late)}')


async def _connect(connection: Connection) -> None:
    async with _connected(connection):
        return


async def _get(connection: Connection, path: str, *, tls: bool) -> bytes:
    """The first line of the answer."""
    async with _connected(connection):
        reader, writer = await asyncio.open_connection(
            sock=connection.socket.dup(),
            ssl=_context() if tls else None,
            server_hostname=connection.host if tls else None,
        )
        try:
            request = f"GET {path} HTTP/1.1\r\nHost: {connection.host}:{connection.port}\r\nUser-Agent: {_USER_AGENT}\r\n"
            writer.write(f"{request}Accept: */*\r\nConnection: close\r\n\r\n".encode())
            return await reader.readline()
        finally:
            writer.close()


def _dialled(connection: Connection, error: Exception, late: str) -> str:
    """As Go says that there was no connection."""
    if isinstance(error, TimeoutError) or not isinstance(error, OSError) or not error.errno:
        return f"dial tcp {connection.host}:{connection.port}: {late}"
    return f"dial tcp {connection.host}:{connection.port}: connect: {os.strerror(error.errno).lower()}"


@contextlib.asynccontextmanager
async def _connected(connection: Connection) -> AsyncIterator[None]:
    connection.socket.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(connection.socket, (connection.host, connection.port))
        yield
    finally:
        connection.socket.close()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
