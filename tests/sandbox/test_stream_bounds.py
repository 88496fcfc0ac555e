# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that do not read, that vanish, and that send what is no SPDY: they end alone, and nothing grows."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import os
import random
import socket
import struct
import time
from pathlib import Path

import pytest
from aiohttp import ClientSession, WSMsgType, WSServerHandshakeError
from api_server import POD, ApiServer
from podnet_sandbox.api.streaming.streams import Stream
from podnet_sandbox.api.streaming.wire import RawWire
from spdy_client import GOAWAY, PING, RST_STREAM, SYN_REPLY, Client

PODS = "/api/v1/namespaces/default/pods"
EXEC = f"{PODS}/a/exec?stdout=1"
FORWARD = f"{PODS}/a/portforward"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with ApiServer(tmp_path_factory.mktemp("api")) as running:
        running.post(PODS, POD)
        yield running


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def command(*words, **streams):
    return EXEC + "".join(f"&command={word}" for word in words) + "".join(f"&{name}=1" for name in streams)


def opened(server, path, *names, **options):
    """A client with its streams open, and their numbers by name."""
    client = Client(server, path, **options)
    numbers = {name: client.open(streamtype=name) for name in names}
    assert [client.frame()[:2] for _ in names] == [(SYN_REPLY, number) for number in numbers.values()]
    return client, numbers


def last_process(server):
    return server.runtime.sessions[-1]._process


def written(process):
    """Bytes it has written so far."""
    return int(dict(line.split(": ") for line in Path(f"/proc/{process.pid}/io").read_text().splitlines())["wchar"])


def stands_still(process):
    """Whether it has written something, and does not write any more."""
    before = written(process)
    time.sleep(0.5)
    return before and written(process) == before


def test_a_client_that_never_reads_stops_the_command_not_the_server(server):
    client, _numbers = opened(server, command("cat", "/dev/zero"), "error", "stdout")
    process = last_process(server)
    assert until(lambda: stands_still(process))
    assert written(process) < 16 * 1024 * 1024  # what the sockets' buffers hold, and the server's own few hundred KiB
    assert server.get("/livez").text == "ok"
    client.close()
    assert until(lambda: process.returncode is not None)


@pytest.mark.parametrize("sent", [0, 3_000_000], ids=["quietly", "with input that nobody reads"])
def test_a_client_that_vanishes_ends_its_command(server, sent):
    client, numbers = opened(server, command("sleep", "4713", stdin=True), "error", "stdin", "stdout")
    process = last_process(server)
    client.socket.settimeout(0.5)
    try:
        for _ in range(sent // 10_000):
            client.data(numbers["stdin"], bytes(10_000))
    except TimeoutError:
        pass  # the server has stopped reading
    assert process.returncode is None
    # Behind what the server does not take, a FIN would wait for minutes; the reset with which the kernel gives up then comes at once.
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", bool(sent), 0))
    client.close()
    assert until(lambda: process.returncode is not None)


@pytest.mark.parametrize(
    "junk",
    [
        random.Random(3).randbytes(4000),
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">HHI", 0x8003, 1, 10) + bytes(10),
        struct.pack(">II", 99, 5) + b"hello",
    ],
    ids=["noise", "http", "no headers", "data of no stream"],
)
def test_what_is_no_spdy_ends_the_connection_and_nothing_else(server, junk):
    other, numbers = opened(server, command("cat", stdin=True), "error", "stdin", "stdout")
    client, _numbers = opened(server, command("sleep", "4714"), "error", "stdout")
    process = last_process(server)
    client.socket.sendall(junk)
    assert client.frames()[-1].kind == GOAWAY
    assert until(lambda: process.returncode is not None)
    other.data(numbers["stdin"], b"still here", last=True)
    frames = [frame for frame in other.frames() if frame.kind == 0]
    assert b"".join(frame.body for frame in frames if frame.number == numbers["stdout"]) == b"still here"
    assert json.loads(next(frame.body for frame in frames if frame.number == numbers["error"]))["status"] == "Success"


def test_pings_are_answered_and_unknown_streams_refused(server):
    client, _numbers = opened(server, command("sleep", "1"), "error", "stdout")
    client.control(PING, struct.pack(">I", 9))
    assert client.frame()[:2] == (PING, 9)
    extra = client.open(streamtype="stdin")
    assert client.frame()[:2] == (RST_STREAM, extra)
    client.close()


def test_older_protocols_say_in_words_what_went_wrong(server):
    path = command("sh", "-c", "exit%203")
    client, numbers = opened(server, path, "error", "stdout", protocol="v2.channel.k8s.io")
    said = b"".join(frame.body for frame in client.frames() if frame.number == numbers["error"] and frame.kind == 0)
    assert said == b"command terminated with non-zero exit code: error executing command [sh -c exit 3], exit code 3"


def test_a_protocol_that_is_not_spoken_is_refused_with_those_that_are(server):
    assert (client := Client(server, command("true"), protocol="v9.channel.k8s.io")).status == 403
    assert "X-Accepted-Stream-Protocol-Versions: v4.channel.k8s.io, v3.channel.k8s.io" in client.head
    assert Client(server, FORWARD, protocol="v4.channel.k8s.io").status == 403
    assert server.get(command("true")).message == "Upgrade request required"


def test_a_forwarded_port_that_nobody_serves_is_told_on_the_error_stream(server):
    client = Client(server, FORWARD, protocol="portforward.k8s.io")
    pair = {name: client.open(streamtype=name, port="1", requestid="0") for name in ("error", "data")}
    bad = client.open(streamtype="data", port="0", requestid="1")
    frames = [client.frame() for _ in range(6)]
    assert (RST_STREAM, bad) in [frame[:2] for frame in frames]
    assert [frame.body for frame in frames if frame.kind == 0 and frame.body] == [b"nobody listens on 1"]
    assert {frame.number for frame in frames if frame.flags == 1} == set(pair.values())
    client.close()


async def talk(server, path, protocol, *messages):
    """What a WebSocket client hears until the server ends: (messages, close code), or the status of a refusal."""
    headers = {"Authorization": f"Bearer {server.credentials.token}"}
    async with ClientSession() as session:
        try:
            socket = await session.ws_connect(
                f"https://{server.address}{path}", headers=headers, ssl=server.tls, protocols=(protocol,) if protocol else ()
            )
        except WSServerHandshakeError as error:
            return error.status
        for message in messages:
            await (socket.send_str(message) if isinstance(message, str) else socket.send_bytes(message))
        heard = []
        async for message in socket:
            assert message.type in (WSMsgType.BINARY, WSMsgType.TEXT)
            heard.append(message.data)
        return heard, socket.close_code


def test_base64_channels(server):
    path = command("sh", "-c", "read%20x;echo%20$x;exit%202", stdin=True)
    heard, _code = asyncio.run(talk(server, path, "base64.channel.k8s.io", "0" + base64.b64encode(b"hello\n").decode()))
    assert heard[0] == "1" + base64.b64encode(b"hello\n").decode()
    assert base64.b64decode(heard[1][1:]).endswith(b"exit code 2") and heard[1][0] == "3"


def test_without_a_subprotocol_the_first_one_is_spoken(server):
    heard, _code = asyncio.run(talk(server, command("echo", "hello"), ""))
    assert heard == [b"\x01hello\n"]


def test_v5_ends_a_channel_and_nonsense_ends_the_connection(server):
    path = command("cat", stdin=True)
    heard, _code = asyncio.run(talk(server, path, "v5.channel.k8s.io", b"\x00abc", b"\xff\x00"))
    assert heard == [b"\x01abc", b'\x03{"metadata":{},"status":"Success"}']
    assert asyncio.run(talk(server, path, "v5.channel.k8s.io", b"\xff\x09"))[1] == 1002
    assert asyncio.run(talk(server, path, "v4.base64.channel.k8s.io", "0***"))[1] == 1002
    assert asyncio.run(talk(server, path, "v9.channel.k8s.io")) == 403


def test_ports_of_a_websocket_begin_with_their_numbers(server):
    heard, _code = asyncio.run(talk(server, f"{FORWARD}?ports=1", "v4.channel.k8s.io"))
    assert heard == [b"\x00\x01\x00", b"\x01\x01\x00", b"\x01nobody listens on 1"]
    assert asyncio.run(talk(server, FORWARD, "v4.channel.k8s.io")) == 400
    assert asyncio.run(talk(server, f"{FORWARD}?ports=70000", "v4.channel.k8s.io")) == 400


def test_nothing_is_left_of_clients_that_vanished(server):
    """Neither tasks nor descriptors, nor buffers that wait for the garbage collector."""

    def left():
        holding = sum(isinstance(each, (Stream, RawWire, asyncio.StreamReader)) for each in gc.get_objects())
        return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), holding

    gc.collect()
    gc.disable()
    before = server.call(left)
    try:
        for _ in range(3):
            client, _numbers = opened(server, command("cat", "/dev/zero"), "error", "stdout")
            assert until(lambda: stands_still(last_process(server)))
            client.close()
            asyncio.run(vanish(server, command("cat", "/dev/zero")))
        server.runtime.sessions.clear()
        assert until(lambda: all(now <= then for now, then in zip(server.call(left), before, strict=True)))
    finally:
        gc.enable()


async def vanish(server, path):
    """A WebSocket client that reads one message and closes its connection without a word."""
    async with ClientSession(headers={"Authorization": f"Bearer {server.credentials.token}"}) as session:
        socket = await session.ws_connect(f"https://{server.address}{path}", ssl=server.tls, protocols=("v5.channel.k8s.io",))
        await socket.receive()
        socket._response.connection.transport.abort()
