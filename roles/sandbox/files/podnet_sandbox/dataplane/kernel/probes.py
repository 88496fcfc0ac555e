# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's probes, made from the pod's node: a command, an HTTP answer, a connection."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from .exec_session import ExecSession
from .workloads import Answer

_USER_AGENT = "kube-probe/1.32"
_GOOD = Answer(True)
#: Bytes of a command's output that a failed probe is told with, as a kubelet cuts it.
_MOST_SAID = 10 << 10


@dataclass(frozen=True)
class Connection:
    """A socket of the node and where it is to go."""

    socket: socket.socket
    host: str
    port: int


async def ends_well(session: ExecSession, argv: Sequence[str], timeout: float) -> Answer:
    """Whether the command ends with 0 in time; it is killed when it does not."""
    drains = [asyncio.create_task(stream.read()) for stream in (session.stdout, session.stderr)]
    try:
        if await asyncio.wait_for(session.wait(), timeout) == 0:
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
        async with asyncio.timeout(timeout), _connected(connection):
            return _GOOD
    except (OSError, TimeoutError) as error:
        return Answer(False, _dialled(connection, error, "i/o timeout"))


async def http(connection: Connection, path: str, timeout: float, *, tls: bool) -> Answer:
    """Whether a GET is answered with a status from 200 to 399 in time. The certificate is not looked at."""
    url = f"{'https' if tls else 'http'}://{connection.host}:{connection.port}{path}"
    try:
        async with asyncio.timeout(timeout), _connected(connection):
            reader, writer = await asyncio.open_connection(
                sock=connection.socket.dup(),
                ssl=_context() if tls else None,
                server_hostname=connection.host if tls else None,
            )
            request = f"GET {path} HTTP/1.1\r\nHost: {connection.host}:{connection.port}\r\nUser-Agent: {_USER_AGENT}\r\n"
            writer.write(f"{request}Accept: */*\r\nConnection: close\r\n\r\n".encode())
            status = (await reader.readline()).split()
            writer.close()
            if len(status) < 2 or not status[1].isdigit():
                return Answer(False, f'Get "{url}": EOF')
            code = int(status[1])
            return _GOOD if 200 <= code < 400 else Answer(False, f"HTTP probe failed with statuscode: {code}")
    except ssl.SSLError as error:
        return Answer(False, f'Get "{url}": tls: {error.reason}')
    except (OSError, TimeoutError) as error:
        late = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        return Answer(False, f'Get "{url}": {late if isinstance(error, TimeoutError) else _dialled(connection, error, late)}')


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
