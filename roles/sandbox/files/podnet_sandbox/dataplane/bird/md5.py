# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this kernel signs TCP segments (RFC 2385), without which no BGP session with a password comes up."""

from __future__ import annotations

import socket
import struct
from functools import cache

#: linux/tcp.h: TCP_MD5SIG and struct tcp_md5sig (address, flags, prefix length, key length, interface, key).
_TCP_MD5SIG = 14
_SIGNATURE = struct.Struct("=HH4s120sBBHi80s")


@cache
def supported() -> bool:
    """Ask for a signature on a socket of no connection."""
    key = b"asked"
    signature = _SIGNATURE.pack(socket.AF_INET, 0, socket.inet_aton("127.0.0.1"), b"", 0, 0, len(key), 0, key)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as asked:
        try:
            asked.setsockopt(socket.IPPROTO_TCP, _TCP_MD5SIG, signature)
        except OSError:
            return False
    return True
