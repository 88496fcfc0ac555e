# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that no client should send, on every way a stream is carried: that connection ends or goes on, and nothing else notices."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import struct
import time

import pytest
from api_server import POD, ApiServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from podnet_sandbox.api.streaming.streams import Stream
from podnet_sandbox.api.streaming.wire import RawWire
from spdy_client import Client
from websocket_client import BINARY, CLOSE, PING, PONG, TEXT, WebSocket, frame

EXAMPLES = 300 if os.environ.get("PODNET_TEST_ALL") == "1" else 25
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None)
PODS = "/api/v1/namespaces/default/pods"
EXEC = f"{PODS}/a/exec?stdin=1&stdout=1&stderr=1&command=cat"
FORWARD = f"{PODS}/a/portforward"
TUNNEL = "SPDY/3.1+portforward.k8s.io"
#: Each way a WebSocket is used: its path and subprotocol.
WAYS = {
    "exec v5": (EXEC, "v5.channel.k8s.io"),
    "exec v4": (EXEC, "v4.channel.k8s.io"),
    "exec v1": (EXEC, "channel.k8s.io"),
    "exec base64": (EXEC, "base64.channel.k8s.io"),
    "exec v4 base64": (EXEC, "v4.base64.channel.k8s.io"),
    "forward": (f"{FORWARD}?ports=1&ports=2", "v4.channel.k8s.io"),
    "forward tunnel": (FORWARD, TUNNEL),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.post(PODS, POD)
        yield running


@pytest.fixture(autouse=True)
def nothing_else_noticed(server, caplog):
    """Around each test: somebody else's session goes on, nothing is left, no fault of the server's own was logged."""
    gc.collect()
    before = server.call(left)
    other = WebSocket(server, *WAYS["exec v4"])
    yield
    other.send(BINARY, b"\x00still here\n")
    assert other.receive() == (BINARY, b"\x01still here\n")
    other.close()
    server.runtime.sessions.clear()
    deadline = time.monotonic() + 30
    while any(now > then for now, then in zip(server.call(left), before, strict=True)) and time.monotonic() < deadline:
        server.call(gc.collect)
        time.sleep(0.05)
    assert all(now <= then for now, then in zip(server.call(left), before, strict=True)), (server.call(left), before)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


def left():
    """Tasks, descriptors and streams of the server (and of this test, which runs beside it)."""
    holding = sum(isinstance(each, (Stream, RawWire)) for each in gc.get_objects())
    return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), holding


CONTENT = st.binary(max_size=200) | st.sampled_from([b"", b"\xff\x00", b"\xff\x63", b"\x04{}", b'\x04{"Width":1e400}', b"0****", b"4" + b"A" * 8])
FRAMES = st.builds(
    frame, st.integers(0, 15), CONTENT, fin=st.booleans(), reserved=st.sampled_from([0, 0, 0, 1, 4, 7]),
    mask=st.sampled_from([b"\1\2\3\4", b"\1\2\3\4", b"\0\0\0\0", b""]),
    length=st.sampled_from([None, None, None, 0, 5, 126, 70000, 1 << 40, (1 << 64) - 1]),
)  # fmt: skip
SENT = st.lists(FRAMES | st.binary(max_size=40), max_size=6)


@pytest.mark.parametrize("way", WAYS)
def test_any_frames_on_a_websocket_are_its_own_trouble(server, way):
    @fuzzed
    @given(sent=SENT, cut=st.integers(0, 60))
    def property_(sent, cut):
        data = b"".join(sent)
        client = WebSocket(server, *WAYS[way])
        assert client.status == 101
        client.talk(data[: len(data) - cut] if cut < 30 else data)
        assert server.get("/livez").text == "ok"

    property_()


@fuzzed
@given(content=st.binary(min_size=1, max_size=60), pieces=st.lists(st.integers(0, 20), max_size=8), pings=st.booleans())
def test_a_message_in_fragments_with_pings_between_is_one_message(server, content, pieces, pings):
    client = WebSocket(server, *WAYS["exec v4"])
    message, at = b"\x00" + content, 0
    for number, size in enumerate(pieces):
        client.socket.sendall(frame(BINARY if number == 0 else 0, message[at : at + size], fin=False))
        at += size
        if pings:
            client.send(PING, b"?")
    client.socket.sendall(frame(0 if pieces else BINARY, message[at:]))
    heard, pongs = b"", 0
    while len(heard) < len(content) or (pings and pongs < len(pieces)):
        opcode, part = client.receive()
        if opcode == PONG:
            pongs += 1
        else:
            assert (opcode, part[:1]) == (BINARY, b"\x01")
            heard += part[1:]
    assert heard == content
    client.close()


def close_code(heard):
    return next((struct.unpack(">H", content[:2])[0] for opcode, content in heard if opcode == CLOSE), None)


PROTOCOL_ERROR, TOO_LARGE, NO_TEXT = 1002, 1009, 1007


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(3, b"x"), PROTOCOL_ERROR),
        (frame(BINARY, b"x", reserved=4), PROTOCOL_ERROR),
        (frame(PING, b"x" * 126), PROTOCOL_ERROR),
        (frame(PING, b"x", fin=False), PROTOCOL_ERROR),
        (frame(0, b"goes on with nothing"), PROTOCOL_ERROR),
        (frame(BINARY, b"\0a", fin=False) + frame(BINARY, b"\0b"), PROTOCOL_ERROR),
        (frame(CLOSE, struct.pack(">H", 5)), PROTOCOL_ERROR),
        (frame(TEXT, b"\xff\xfe"), NO_TEXT),
        (frame(BINARY, b"", length=1 << 30), TOO_LARGE),
    ],
    ids=["opcode", "reserved", "long ping", "cut ping", "continues nothing", "begins twice", "bad close", "no text", "huge"],
)
def test_what_is_no_websocket_is_ended_with_the_code_for_it(server, sent, code):
    assert close_code(WebSocket(server, *WAYS["exec v4"]).talk(sent)) == code


@pytest.mark.parametrize("number", [1, 2, 3, 5, 77, 255])
def test_channels_that_are_not_the_clients_are_dropped(server, number):
    client = WebSocket(server, *WAYS["exec v4"])
    client.send(BINARY, bytes((number,)) + b"lost")
    client.send(BINARY, b"\x00kept")
    assert client.receive() == (BINARY, b"\x01kept")
    client.close()


@fuzzed
@given(protocol=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40), path=st.sampled_from([EXEC, FORWARD + "?ports=1"]))
def test_a_subprotocol_that_is_not_spoken_is_refused(server, protocol, path):
    client = WebSocket(server, path, protocol)
    assert client.status == (403 if protocol.strip(",") else 101)
    client.close()


@pytest.mark.parametrize("path", [f"{PODS}?watch=1&timeoutSeconds=1", f"{PODS}/a/log"])
@pytest.mark.parametrize("headers", [{}, {"Sec-WebSocket-Version": "99"}, {"Sec-WebSocket-Key": "short"}])
def test_where_nothing_is_upgraded_the_question_is_answered_as_any_other(server, path, headers):
    client = WebSocket(server, path, "base64.binary.k8s.io", **headers)
    assert client.status == 200
    client.close()


@pytest.mark.parametrize("headers", [{"Sec-WebSocket-Version": "99"}, {"Sec-WebSocket-Key": "short"}, {"Sec-WebSocket-Key": ""}])
def test_a_handshake_that_is_none_is_refused_before_a_command_runs(server, headers):
    before = len(server.runtime.sessions)
    client = WebSocket(server, *WAYS["exec v4"], **headers)
    assert client.status == 400
    client.close()
    assert len(server.runtime.sessions) == before


# SPDY, as it is and in a WebSocket's messages

KINDS = st.sampled_from([1, 2, 3, 4, 6, 7, 8, 9, 0, 5, 99])
CONTROL = st.builds(
    lambda kind, body, version, length: struct.pack(">HHI", 0x8000 | version, kind, (len(body) if length is None else length)) + body,
    KINDS, st.binary(max_size=60) | st.builds(lambda a, b: struct.pack(">II", a, b), st.integers(0, 9), st.integers(0, 2**32 - 1)),
    st.sampled_from([3, 3, 3, 2, 0]), st.sampled_from([None, None, None, 0, 4, 0xFFFFFF]),
)  # fmt: skip
DATA = st.builds(
    lambda number, flags, body, length: struct.pack(">II", number, flags << 24 | (len(body) if length is None else length)) + body,
    st.integers(0, 9), st.sampled_from([0, 1, 255]), st.binary(max_size=60), st.sampled_from([None, None, 0, 0xFFFFFF]),
)  # fmt: skip
SPDY = st.lists(CONTROL | DATA | st.binary(max_size=30), max_size=8)


@pytest.mark.parametrize("kind", ["exec", "forward"])
def test_any_frames_of_spdy_are_their_connections_own_trouble(server, kind):
    path, protocol = (EXEC, "v4.channel.k8s.io") if kind == "exec" else (FORWARD, "portforward.k8s.io")

    @fuzzed
    @given(sent=SPDY, opened=st.booleans())
    def property_(sent, opened):
        client = Client(server, path, protocol=protocol)
        if opened:
            for name in ("error", "stdin", "stdout", "stderr") if kind == "exec" else ("error", "data"):
                client.open(streamtype=name, port="1", requestid="0")
        with contextlib.suppress(OSError):
            client.socket.sendall(b"".join(sent))
        client.close()
        assert server.get("/livez").text == "ok"

    property_()


def test_any_frames_of_spdy_in_messages_are_their_connections_own_trouble(server):
    @fuzzed
    @given(sent=SPDY, cuts=st.lists(st.integers(1, 50), max_size=5))
    def property_(sent, cuts):
        client, data = WebSocket(server, FORWARD, TUNNEL), b"".join(sent)
        messages, at = [], 0
        for size in [*cuts, len(data)]:
            messages.append(frame(BINARY, data[at : at + size]))
            at += size
        client.talk(*messages)
        assert server.get("/livez").text == "ok"

    property_()
