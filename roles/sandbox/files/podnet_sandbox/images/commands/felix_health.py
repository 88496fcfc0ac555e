# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix's health port, which calico-node's liveness probe asks: http://localhost:9099/liveness and /readiness (calico-facts 9).

Felix is alive as long as calico-node's container runs; it is ready when the sandbox says so by a file, as for `calico-node -felix-ready`.
"""

from __future__ import annotations

import http.server
import os
import time

from .calico_node import FELIX_READY
from .nginx import Server

PORT = 9099
#: Seconds until the port is tried again that somebody else on the node has.
_RETRY = 1.0


class Health(http.server.BaseHTTPRequestHandler):
    """200 for what holds, 503 for what does not."""

    def do_GET(self) -> None:
        """Asked by path."""
        holds = {"/liveness": True, "/readiness": os.path.exists(FELIX_READY)}.get(self.path.split("?")[0])
        self.send_response(404 if holds is None else 200 if holds else 503)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Felix does not log who asks."""


def serve() -> None:
    """Until the process ends."""
    while True:
        try:
            Server(PORT, address="127.0.0.1", handler=Health).serve_forever(poll_interval=86400.0)
        except OSError:
            time.sleep(_RETRY)
