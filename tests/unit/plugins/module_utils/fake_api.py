# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Kubernetes API of one thread per connection: canned answers, what was written, and exec over a websocket, without TLS."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

SUCCESS = json.dumps({"metadata": {}, "status": "Success"}).encode()


def failure(code):
    """The Status of a command that ended with ``code``."""
    cause = {"reason": "ExitCode", "message": str(code)}
    return json.dumps({"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": [cause]}}).encode()


def status(code, message):
    """An answer with a Status object of an HTTP error."""
    return code, {"kind": "Status", "status": "Failure", "message": message, "code": code}


class FakeApi:
    """``answers``: path → JSON, or (code, JSON), or a function of the query; ``execs``: called with (socket, request)."""

    def __init__(self):
        self.answers = {
            "/version": {"gitVersion": "v1.32.13"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": []},
        }
        self.exec = lambda send, request: send(3, SUCCESS)
        self.refuse_exec = None
        self.requests = []
        self.writes = []

    @contextmanager
    def running(self):
        """Serve on a free port of the loopback."""
        api = self

        class Handler(_Handler):
            """Bound to this API."""

            owner = api

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield "http://127.0.0.1:%d" % server.server_port
        finally:
            server.shutdown()
            server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Say nothing."""

    def do_GET(self):
        """Answer, or upgrade."""
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.owner.requests.append((url.path, query, dict(self.headers)))
        if url.path.endswith("/exec"):
            self._exec(url)
            return
        answer = self.owner.answers.get(url.path, status(404, "the server could not find the requested resource"))
        if callable(answer):
            answer = answer(query)
        code, body = answer if isinstance(answer, tuple) else (200, answer)
        self._send(code, body)

    def _write(self):
        """Note what was to be written, and answer as to a GET."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        self.owner.writes.append((self.command, path, self.headers["Content-Type"], json.loads(body) if body else None))
        answer = self.owner.answers.get(path, status(404, "the server could not find the requested resource"))
        self._send(*(answer if isinstance(answer, tuple) else (200, answer)))

    do_POST = do_PUT = do_PATCH = do_DELETE = _write

    def _send(self, code, body):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _exec(self, url):
        if self.owner.refuse_exec:
            self._send(*self.owner.refuse_exec)
            return
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.send_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io")
        self.end_headers()
        self.close_connection = True
        request = {"command": parse_qs(url.query)["command"], "headers": dict(self.headers), "path": url.path}
        with contextlib.suppress(OSError):  # the client had enough
            self.owner.exec(self._message, request)

    def _message(self, channel, data):
        payload = bytes([channel]) + data
        size = len(payload)
        head = struct.pack("!BB", 0x82, size) if size < 126 else struct.pack("!BBQ", 0x82, 127, size)
        self.wfile.write(head + payload)
        self.wfile.flush()
