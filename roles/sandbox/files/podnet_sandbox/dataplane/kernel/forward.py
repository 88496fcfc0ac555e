# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection from outside to a port of a pod, as containerd's port-forward makes it."""

from __future__ import annotations

import asyncio
import os
import socket

from .workloads import ForwardFailed

_LOCALHOST = "127.0.0.1"


async def connect_inside(inside: socket.socket, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect ``inside``, a socket of the pod's network namespace, to `localhost` there. Raises `ForwardFailed`."""
    try:
        inside.setblocking(False)
        await asyncio.get_running_loop().sock_connect(inside, (_LOCALHOST, port))
        return await asyncio.open_connection(sock=inside)
    except OSError as error:
        inside.close()
        reason = os.strerror(error.errno).lower() if error.errno else str(error)
        raise ForwardFailed(f"dial tcp4 {_LOCALHOST}:{port}: connect: {reason}") from error
    except BaseException:
        inside.close()
        raise
