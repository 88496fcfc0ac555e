# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The multitool's web server: one page over HTTP and HTTPS on the ports /etc/nginx/nginx.conf says.

Runs as `nginx` in a multitool container, or inside the entrypoint (`entrypoint.py`). Standard library only.
"""

from __future__ import annotations

import http.server
import os
import re
import signal
import socket
import socketserver
import ssl
import sys
import threading
import time

CONFIGURATION = "/etc/nginx/nginx.conf"
PAGE = "/run/podnet/index.html"
CERTIFICATE, KEY = "/certs/server.crt", "/certs/server.key"
_NAME = "WBITT Network MultiTool (with NGINX)"
_NEVER = 86400.0  # seconds
_LISTEN = re.compile(r"listen (\d+)( ssl)?;")


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every GET and HEAD for / with the page; logs as nginx does."""

    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""

    def do_GET(self) -> None:
        """/ is the page, everything else is not there."""
        found = self.path.split("?")[0] in ("/", "/index.html")
        content = page() if found else b"404 Not Found\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """nginx's combined log line, on standard output."""
        moment = time.strftime("%d/%b/%Y:%H:%M:%S %z")
        agent = self.headers.get("User-Agent", "-")
        print(f'{self.client_address[0]} - - [{moment}] "{self.requestline}" {int(code)} {size} "-" "{agent}" "-"', flush=True)

    def log_message(self, format: str, *args: object) -> None:
        """Errors of clients (a probe that only connects) are not worth a line."""


class Server(http.server.ThreadingHTTPServer):
    """Plain or TLS; the handshake is made in the connection's own thread, so that a slow client holds up nobody."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, port: int, context: ssl.SSLContext | None = None, *, address: str = "",
        handler: type[http.server.BaseHTTPRequestHandler] = Page,
    ) -> None:  # fmt: skip
        self._context = context
        super().__init__((address, port), handler)

    def server_bind(self) -> None:
        """Without http.server's look-up of the machine's own name, which waits for a DNS server."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def finish_request(self, request: socket.socket, client_address: object) -> None:
        """Answer one connection."""
        request.settimeout(60)
        if self._context is not None:
            request = self._context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """A broken connection is the client's affair."""


def page() -> bytes:
    """What the entrypoint wrote, or the image's own page where it did not run."""
    try:
        with open(PAGE, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return f"{_NAME}\n".encode()


def banner(http_port: int, https_port: int) -> str:
    """The page that says who answers, as the image's entrypoint writes it."""
    name = socket.gethostname()
    return f"{_NAME} - {name} - {_own_address()} - HTTP: {http_port} , HTTPS: {https_port} . (Formerly praqma/network-multitool)\n"


def _own_address() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks the routing table for the source address
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def serve() -> None:
    """Serve until SIGTERM or SIGQUIT."""
    with open(CONFIGURATION, encoding="utf-8") as file:
        listens = _LISTEN.findall(file.read())
    for port, tls in listens:
        server = Server(int(port), _context() if tls else None)
        # Nobody asks it to shut down, so it need not look: a thousand pods that look twice a second keep half a core busy.
        threading.Thread(target=server.serve_forever, args=(_NEVER,), daemon=True).start()
    signal.sigwait({signal.SIGTERM, signal.SIGQUIT, signal.SIGINT})


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


def configure(http_port: int, https_port: int) -> None:
    """What the entrypoint does with HTTP_PORT and HTTPS_PORT."""
    with open(CONFIGURATION, encoding="utf-8") as file:
        text = file.read()
    ports = iter((http_port, https_port))
    text = _LISTEN.sub(lambda match: f"listen {next(ports)}{match[2] or ''};", text)
    with open(CONFIGURATION, "w", encoding="utf-8") as file:
        file.write(text)
    os.makedirs(os.path.dirname(PAGE), exist_ok=True)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(banner(http_port, https_port))


def main() -> int:
    """`nginx [-g directives]`: the directives of a container (`daemon off;`) change nothing here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT})
    try:
        serve()
    except OSError as error:
        print(f"nginx: [emerg] {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
