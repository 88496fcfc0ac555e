# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPDY/3's blocks of names and values: counted strings, compressed with a dictionary and one zlib state each way."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

#: What a block may be decompressed to; a stream of Kubernetes has three short headers.
_LARGEST_BLOCK = 64 * 1024
_COUNT = struct.Struct(">I")

#: The dictionary of the draft's section 2.6.10.1: these words, each with its length before it, and the text below.
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow "
    "authorization cache-control connection content-base content-encoding content-language content-length content-location "
    "content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range "
    "referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get "
    "status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal "
    "Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, "
    "Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8"
    "charset=iso-8859-1,utf-,*,enq=0."
)


def _counted(text: str) -> bytes:
    plain = text.encode()
    return _COUNT.pack(len(plain)) + plain


DICTIONARY = b"".join(_counted(word.replace("_", " ")) for word in _WORDS.split()) + _TEXT.encode()


class HeaderError(Exception):
    """A block that is none."""


class Decompressor:
    """Reads the blocks of one connection, in their order."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def read(self, block: bytes) -> dict[str, str]:
        """Names (lower case) and values. Raises `HeaderError`."""
        try:
            plain = self._zlib.decompress(block, _LARGEST_BLOCK)
        except zlib.error as error:
            raise HeaderError(str(error)) from error
        if self._zlib.unconsumed_tail:
            raise HeaderError(f"more than {_LARGEST_BLOCK} bytes of headers")
        return _parsed(plain)


class Compressor:
    """Writes the blocks of one connection, in their order."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def write(self, headers: Mapping[str, str]) -> bytes:
        """The block of ``headers``."""
        pairs = (_counted(name.lower()) + _counted(value) for name, value in headers.items())
        plain = _COUNT.pack(len(headers)) + b"".join(pairs)
        return self._zlib.compress(plain) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


def _parsed(plain: bytes) -> dict[str, str]:
    at = 0

    def number() -> int:
        nonlocal at
        if at + _COUNT.size > len(plain):
            raise HeaderError("the block ends early")
        (value,) = _COUNT.unpack_from(plain, at)
        at += _COUNT.size
        return int(value)

    def text() -> str:
        nonlocal at
        end = at + number() + _COUNT.size
        if end > len(plain):
            raise HeaderError("a string is longer than its block")
        value, at = plain[at:end], end
        return value.decode("utf-8", "replace")

    headers = {}
    for _ignored in range(number()):
        name = text()
        headers[name.lower()] = text()
    return headers
