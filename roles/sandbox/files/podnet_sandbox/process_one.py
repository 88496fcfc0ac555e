# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programme of process 1: forks the server, then is the zygote. Started by `launch.py` only."""

from __future__ import annotations

import json
import os
import socket
import sys

from .zygote import Zygote


def main(descriptor: int) -> None:
    """``descriptor``: a pipe with the launcher's message."""
    with open(descriptor, "rb") as pipe:
        message = json.loads(pipe.read())
    kept = [message[name] for name in ("listener", "ready", "lock")]
    for number in kept:
        os.set_inheritable(number, False)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        from . import server

        code = 1
        try:
            server.run(message, theirs)
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    theirs.close()
    os.close(message["listener"])
    os.close(message["ready"])
    from .images.entrypoints import BUILTINS  # while the server imports its own

    Zygote(ours, BUILTINS).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
