# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SPDY/3.1's frames and header blocks, without a connection."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from podnet_sandbox.api.streaming.spdy import frames, headers
from podnet_sandbox.api.streaming.spdy.frames import Control, Data, FrameReader, FrameWriter, ProtocolError

#: The first two frames that a kubectl v1.29.15 sent for an exec: SYN_STREAM of the streams for errors and for standard output.
RECORDED = bytes.fromhex(
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff8003000100000019000000"
    "03000000000000c22ac5565c92925f5a02000000ffff"
)


def read(data):
    return list(FrameReader().feed(data))


def test_the_dictionary_is_the_drafts():
    """Every zlib stream with it begins with its Adler-32; that of SPDY/3 is well known."""
    assert zlib.adler32(headers.DICTIONARY) == 0xE3C6A7C2


def test_a_real_clients_streams_are_understood():
    opened = read(RECORDED)
    assert [frame.type for frame in opened] == [frames.SYN_STREAM, frames.SYN_STREAM]
    assert [(frame.stream, frame.headers) for frame in opened] == [(1, {"streamtype": "error"}), (3, {"streamtype": "stdout"})]


@given(st.lists(st.dictionaries(st.text("abc-", min_size=1), st.text(max_size=300), max_size=4), max_size=4))
def test_header_blocks_of_one_connection_are_read_as_they_were_written(blocks):
    writer, reader = headers.Compressor(), headers.Decompressor()
    assert [reader.read(writer.write(block)) for block in blocks] == blocks


@given(st.binary(max_size=5000), st.booleans(), st.lists(st.integers(1, 50), min_size=1, max_size=200))
def test_frames_are_the_same_in_whatever_pieces_they_come(content, last, pieces):
    writer = FrameWriter()
    sent = RECORDED + writer.data(3, content, last=last) + writer.ping(7)
    reader, at, got = FrameReader(), 0, []
    for size in [*pieces, len(sent)]:
        got += reader.feed(sent[at : at + size])
        at += size
    data = [frame for frame in got if isinstance(frame, Data)]
    assert b"".join(frame.content for frame in data) == content
    assert [frame.last for frame in data[:-1]] == [False] * (len(data) - 1) and data[-1].last is last
    assert [frame.type for frame in got if isinstance(frame, Control)] == [frames.SYN_STREAM, frames.SYN_STREAM, frames.PING]


@given(st.binary(max_size=300), st.booleans())
def test_whatever_comes_is_a_frame_or_a_protocol_error(junk, control):
    if control:
        junk = struct.pack(">HH", 0x8003, junk[0] % 10 if junk else 1) + b"\0" + len(junk).to_bytes(3, "big") + junk
    try:
        read(junk)
    except ProtocolError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (struct.pack(">HHI", 0x8002, frames.PING, 4) + bytes(4), "version 2"),
        (struct.pack(">HHI", 0x8003, frames.SYN_STREAM, 1 << 20), "1048576 bytes"),
        (struct.pack(">HHI", 0x8003, frames.RST_STREAM, 4) + bytes(4), "type 3 with 4 bytes"),
        (struct.pack(">HHI", 0x8003, frames.SYN_REPLY, 8) + bytes(8), "headers that cannot be read"),
    ],
    ids=["version", "length", "short", "headers"],
)
def test_what_is_wrong_with_a_frame_is_said(sent, said):
    with pytest.raises(ProtocolError, match=said):
        read(sent)


def test_a_small_block_that_would_become_a_large_one_is_not_unpacked():
    packer = zlib.compressobj(zdict=headers.DICTIONARY)
    bomb = packer.compress(bytes(50_000_000)) + packer.flush(zlib.Z_SYNC_FLUSH)
    with pytest.raises(headers.HeaderError, match="more than 65536 bytes"):
        headers.Decompressor().read(bomb)
