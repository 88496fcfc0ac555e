# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""WebSocket frames byte by byte (RFC 6455, section 5), for a client that misbehaves: a library would not let wrong ones out."""

from __future__ import annotations

import base64
import contextlib
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode, content, *, fin=True, reserved=0, mask=b"\x01\x02\x03\x04", length=None):
    """A frame's bytes; ``length``: what it says instead of how long it is."""
    said = len(content) if length is None else length
    head = bytes((fin << 7 | reserved << 4 | opcode,))
    masked = 0x80 if mask else 0
    if said < 126:
        head += bytes((masked | said,))
    elif said < 1 << 16:
        head += bytes((masked | 126,)) + struct.pack(">H", said)
    else:
        head += bytes((masked | 127,)) + struct.pack(">Q", said)
    if mask:
        content = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
    return head + (mask or b"") + content


class WebSocket:
    """One connection. ``status`` is that of the answer to its handshake."""

    def __init__(self, server, path, protocol, **headers):
        host, port = server.address.split(":")
        self.socket = server.tls.wrap_socket(socket.create_connection((host, int(port)), 10), server_hostname=host)
        sent = {
            "Host": server.address, "Authorization": f"Bearer {server.credentials.token}", "Connection": "Upgrade",
            "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": base64.b64encode(bytes(16)).decode(),
            **({"Sec-WebSocket-Protocol": protocol} if protocol else {}), **headers,
        }  # fmt: skip
        lines = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        self.socket.sendall(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        self._received = b""
        while b"\r\n\r\n" not in self._received:
            part = self.socket.recv(65536)
            assert part, self._received
            self._received += part
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        self.status = int(head.split()[1])

    def send(self, opcode, content):
        self.socket.sendall(frame(opcode, content))

    def receive(self):
        """(opcode, content) of the next frame, None at the end."""
        header = self._take(2)
        if header is None:
            return None
        size = header[1] & 0x7F
        if size > 125:
            size = int.from_bytes(self._take(2 if size == 126 else 8) or b"", "big")
        content = self._take(size)
        return None if content is None else (header[0] & 0xF, content)

    def talk(self, *sent):
        """What comes after all of ``sent``, as far as the server takes it, and after a farewell, until it hangs up or is quiet."""
        self.socket.settimeout(2)
        heard = []
        with contextlib.suppress(OSError):
            for each in sent:
                self.socket.sendall(each)
            self.socket.sendall(frame(CLOSE, struct.pack(">H", 1000)))
        with contextlib.suppress(OSError):
            while each := self.receive():
                heard.append(each)
        self.close()
        return heard

    def close(self):
        self.socket.close()

    def _take(self, size):
        while len(self._received) < size:
            part = self.socket.recv(65536)
            if not part:
                return None
            self._received += part
        taken, self._received = self._received[:size], self._received[size:]
        return taken
