# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kubelet's probes, made from the pod's node: a command, an HTTP answer, a connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

from .exec_session import PipeSession

_USER_AGENT = "kube-probe/1.32"


@dataclass(frozen=True)
class Connection:
    """A socket of the node and where it is to go."""

    socket: socket.socket
    host: str
    port: int


async def ends_well(session: PipeSession, timeout: float) -> bool:
    """Whether the command ends with 0 in time; it is killed when it does not."""
    drains = [asyncio.create_task(stream.read()) for stream in (session.stdout, session.stderr)]
    try:
        return await asyncio.wait_for(session.wait(), timeout) == 0
    except TimeoutError:
        return False
    finally:
        await session.kill()
        for drain in drains:
            drain.cancel()


async def tcp(connection: Connection, timeout: float) -> bool:
    """Whether the connection comes about in time."""
    try:
        async with asyncio.timeout(timeout), _connected(connection):
            return True
    except (OSError, TimeoutError):
        return False


async def http(connection: Connection, path: str, timeout: float, *, tls: bool) -> bool:
    """Whether a GET is answered with a status from 200 to 399 in time. The certificate is not looked at."""
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
            return len(status) > 1 and status[1].isdigit() and 200 <= int(status[1]) < 400
    except (OSError, TimeoutError):
        return False


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
