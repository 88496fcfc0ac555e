# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site on this machine's loopback that serves the publishers' artefacts, well or badly.

    python tests/doubles/mirror.py FOLDER [--port PORT] [--state FOLDER]

builds the artefacts into FOLDER, writes FOLDER/variables.json (for `ansible-playbook -e @FOLDER/variables.json`), serves until
it is interrupted. In tests: `with Mirror(published) as mirror: mirror.fault(path, altered())`.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from publishers import Published, publish

_MOVED = "/moved"


@dataclass(frozen=True)
class Answer:
    """What is sent: ``promised`` is the Content-Length, where it is not the body's."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = None
    seconds: float = 0.0


#: (the right body, how often the path was asked for before, the path) → what to send.
Fault = Callable[[bytes, int, str], Answer]


def altered() -> Fault:
    """One byte is another: the checksum is wrong, the length right."""
    return lambda body, _before, _path: Answer(body=body[:-1] + bytes([body[-1] ^ 1]))


def truncated() -> Fault:
    """Half of what was promised, then the end."""
    return lambda body, _before, _path: Answer(body=body[: len(body) // 2], promised=len(body))


def missing() -> Fault:
    """404."""
    return lambda _body, _before, _path: Answer(404, b"Not Found\n")


def failing(times: int = 2) -> Fault:
    """500 ``times`` times, then well."""
    return lambda body, before, _path: Answer(500, b"try again\n") if before < times else Answer(body=body)


def moved() -> Fault:
    """302 to where it is served well."""
    return lambda _body, _before, path: Answer(302, headers={"Location": _MOVED + path})


def slow(seconds: float) -> Fault:
    """Well, but not at once."""
    return lambda body, _before, _path: Answer(body=body, seconds=seconds)


class Mirror:
    """The site, while the ``with`` lasts. ``requests`` are the paths asked for, in order."""

    def __init__(self, published: Published, port: int = 0) -> None:
        self.published = published
        self.requests: list[str] = []
        self._faults: dict[str, Fault] = {}
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_ignored: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """http://127.0.0.1:PORT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def variables(self) -> dict[str, Any]:
        """What a play takes to use this site."""
        return self.published.variables(self.url)

    def fault(self, path: str, fault: Fault) -> None:
        """From now on answer ``path`` so; its count begins again."""
        with self._lock:
            self._faults[path] = fault
            self._asked[path] = 0

    def heal(self) -> None:
        """No faults any more, and nothing asked yet."""
        with self._lock:
            self._faults.clear()
            self._asked.clear()
            self.requests.clear()

    def answer(self, path: str) -> Answer:
        """What ``path`` gets this time."""
        with self._lock:
            self.requests.append(path)
            before, fault = self._asked[path], self._faults.get(path)
            self._asked[path] += 1
        file = (self.published.folder / path.removeprefix(_MOVED).lstrip("/")).resolve()
        if not file.is_relative_to(self.published.folder.resolve()) or not file.is_file():
            return Answer(404, b"Not Found\n")
        return fault(file.read_bytes(), before, path) if fault else Answer(body=file.read_bytes())

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mirror = self

        class Handler(BaseHTTPRequestHandler):
            server_version: ClassVar[str] = "mirror"

            def do_GET(self) -> None:
                answer = mirror.answer(self.path.split("?")[0])
                time.sleep(answer.seconds)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body) if answer.promised is None else answer.promised))
                self.end_headers()
                self.wfile.write(answer.body)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Quiet: `requests` is the record."""

        return Handler


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Serve the doubles as their publishers would.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, help="where the doubles remember (default: PODNET_DOUBLES_STATE, else beside TMPDIR)")
    options = parser.parse_args()
    with Mirror(publish(options.folder, state=options.state), options.port) as mirror:
        variables = options.folder / "variables.json"
        variables.write_text(json.dumps(mirror.variables, indent=2), encoding="utf-8")
        print(f"{mirror.url} serves {options.folder}; ansible-playbook -e @{variables}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
