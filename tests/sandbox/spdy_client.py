# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Just enough of SPDY/3.1 to be a client that misbehaves: written apart from the server's code, and with blocking sockets."""

from __future__ import annotations

import socket
import struct
import zlib
from typing import NamedTuple

from podnet_sandbox.api.streaming.spdy.headers import DICTIONARY

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7


class Frame(NamedTuple):
    """``kind`` 0 is data; ``number`` the stream's, or what a control frame carries first."""

    kind: int
    number: int
    flags: int
    body: bytes


class Client:
    """A connection to ``server`` (`ApiServer`), upgraded for the request ``path``."""

    def __init__(self, server, path, protocol="v4.channel.k8s.io", **headers):
        host, port = server.address.split(":")
        self.socket = server.tls.wrap_socket(socket.create_connection((host, int(port)), 10), server_hostname=host)
        sent = {
            "Host": server.address, "Authorization": f"Bearer {server.credentials.token}", "Content-Length": "0",
            "Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": protocol, **headers,
        }  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        self.socket.sendall(f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode())
        self._received = b""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        self.head = head.decode()
        self._compress = zlib.compressobj(zdict=DICTIONARY)
        self._next = 1

    @property
    def status(self):
        return int(self.head.split()[1])

    def open(self, **headers):
        """A new stream; its number."""
        number, self._next = self._next, self._next + 2
        block = struct.pack(">I", len(headers)) + b"".join(self._text(name) + self._text(value) for name, value in headers.items())
        packed = self._compress.compress(block) + self._compress.flush(zlib.Z_SYNC_FLUSH)
        self.control(SYN_STREAM, struct.pack(">IIH", number, 0, 0) + packed)
        return number

    def control(self, kind, body, version=3):
        self.socket.sendall(struct.pack(">HHI", 0x8000 | version, kind, len(body)) + body)

    def data(self, number, content, last=False):
        self.socket.sendall(struct.pack(">II", number, last << 24 | len(content)) + content)

    def frame(self):
        """The next frame, None when the server has hung up."""
        while len(self._received) < 8 or len(self._received) < 8 + int.from_bytes(self._received[5:8], "big"):
            if not self._receive():
                return None
        first, second = struct.unpack(">II", self._received[:8])
        end = 8 + (second & 0xFFFFFF)
        body, self._received = self._received[8:end], self._received[end:]
        if first >> 31:
            return Frame(first & 0xFFFF, struct.unpack(">I", body[:4])[0] if len(body) >= 4 else 0, second >> 24, body[4:])
        return Frame(0, first, second >> 24, body)

    def frames(self):
        """All that come until the server says its farewell, or hangs up; then this side does."""
        got = []
        while frame := self.frame():
            got.append(frame)
            if frame.kind == GOAWAY:
                break
        self.close()
        return got

    def close(self):
        self.socket.close()

    def _receive(self):
        try:
            part = self.socket.recv(65536)
        except (ConnectionError, OSError):
            part = b""
        self._received += part
        return bool(part)

    @staticmethod
    def _text(text):
        return struct.pack(">I", len(text)) + text.encode()
