# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients that ask for much and take little: memory stays bounded, and the others are served."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import resource
import socket
import ssl

import pytest
from api_server import POD, ApiServer, tls_client_context, until
from podnet_sandbox.api import serving, watch
from podnet_sandbox.api.serving import Connections
from podnet_sandbox.controllers import events
from podnet_sandbox.log import LogHandler, open_log

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
KIB = 1024


@pytest.fixture
def server(tmp_path):
    with ApiServer(tmp_path) as running:
        yield running


@contextlib.contextmanager
def asked(server, path, *, receive_buffer=4096):
    """A connection on which ``path`` was asked and nothing is read."""
    host, _, port = server.address.partition(":")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.settimeout(20)
    plain.connect((host, int(port)))
    with tls_client_context(server.credentials).wrap_socket(plain, server_hostname=host) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.credentials.token}\r\n\r\n"
        connection.sendall(request.encode())
        yield connection


def ended(connection):
    """Whether the server has ended the connection; what it had sent before is read."""
    connection.settimeout(10)
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except (ConnectionError, ssl.SSLError):
        return True
    return True


def configmap(name, size=0):
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "default"}, "data": {"x": "x" * size}}


def peak():
    """The most memory this process, which the server is a part of, has had; in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_hundred_watchers_all_hear_of_a_change(server):
    with contextlib.ExitStack() as stack:
        watchers = [stack.enter_context(asked(server, f"{CONFIGMAPS}?watch=1&resourceVersion={server.store.revision}")) for _ in range(100)]
        until(lambda: len(server.store.history._followers.get("configmaps", ())) == 100)
        server.post(CONFIGMAPS, configmap("told"))
        for watcher in watchers:
            heard = b""
            while b'"name":"told"' not in heard:
                heard += watcher.recv(1 << 16)


def test_a_watcher_that_never_reads_is_let_go_and_costs_no_memory_until_then(server, monkeypatch):
    monkeypatch.setattr(watch, "_BEHIND", 200)
    with asked(server, f"{CONFIGMAPS}?watch=1") as stuck:
        assert until(lambda: server.store.history._followers.get("configmaps"))
        before = peak()
        server.create("configmaps", configmap("large", 100 * KIB))
        for number in range(400):
            server.call(server.store.patch, "configmaps", "large", {"data": {"n": str(number)}}, "default")
        assert until(lambda: not server.store.history._followers["configmaps"])
        assert peak() - before < 20 * KIB  # 400 changes would be 40 MiB if they were kept as text
        assert ended(stuck)
    assert server.get(CONFIGMAPS).status == 200


def test_lists_that_are_not_read_are_not_held_in_memory(server):
    for number in range(400):
        server.create("configmaps", configmap(f"c{number}", 20 * KIB))
    assert len(server.get(CONFIGMAPS).body["items"]) == 400  # 8 MiB
    before = peak()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(asked(server, CONFIGMAPS))
        assert server.get("/version").status == 200
        assert len(server.get(CONFIGMAPS).body["items"]) == 400
        assert peak() - before < 80 * KIB  # 160 MiB, were they written whole


def test_a_long_list_is_the_same_bit_by_bit(server):
    names = sorted(f"c{number:03}" for number in range(250))
    for name in names:
        server.create("configmaps", configmap(name))
    listed = server.get(CONFIGMAPS).body
    assert (listed["kind"], [item["metadata"]["name"] for item in listed["items"]]) == ("ConfigMapList", names)
    table = server.get(CONFIGMAPS, Accept="application/json;as=Table;g=meta.k8s.io;v=v1").body
    assert [row["cells"][0] for row in table["rows"]] == names


def test_an_answer_that_is_not_taken_in_time_ends_its_connection(server, monkeypatch):
    monkeypatch.setattr(serving, "TRANSFER", 0.3)
    for number in range(300):
        server.create("configmaps", configmap(f"c{number}", 40 * KIB))
    with asked(server, CONFIGMAPS, receive_buffer=1 << 18) as stuck:
        assert until(server.busy) and until(lambda: not server.busy())
        assert ended(stuck)


def test_a_body_that_does_not_come_is_not_waited_for(server, monkeypatch):
    monkeypatch.setattr(serving, "TRANSFER", 0.3)
    host, _, port = server.address.partition(":")
    head = f"POST {CONFIGMAPS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.credentials.token}\r\nContent-Length: 9\r\n\r\n{{"
    with (
        socket.create_connection((host, int(port)), timeout=20) as plain,
        tls_client_context(server.credentials).wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(head.encode())
        assert b" 408 " in connection.recv(1 << 16).partition(b"\r\n")[0]


def test_headers_that_never_end_are_not_waited_for(server, monkeypatch):
    """Slowloris: a connection costs a file descriptor, which the sandbox's namespaces need too."""
    monkeypatch.setattr(serving, "IDLE", 0.3)
    with contextlib.ExitStack() as stack:
        slow = []
        for _ in range(50):
            host, _, port = server.address.partition(":")
            plain = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
            slow.append(tls_client_context(server.credentials).wrap_socket(plain, server_hostname=host))
            slow[-1].sendall(b"GET /version HTTP/1.1\r\nX-Slow: ")
        with asked(server, f"{CONFIGMAPS}?watch=1") as quiet:  # a watch on which nothing happens is not idle
            assert all(ended(each) for each in slow)
            server.create("configmaps", configmap("late"))
            assert b"late" in quiet.recv(1 << 16) or b"late" in quiet.recv(1 << 16)


def test_too_many_requests_at_once_are_told_to_come_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Connections.__init__, "__defaults__", (3,))
    with ApiServer(tmp_path) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(asked(server, f"{CONFIGMAPS}?watch=1"))
        assert until(lambda: len(server.busy()) == 3)
        answer = server.get("/version")
        assert (answer.status, answer.headers["Retry-After"], answer.body["reason"]) == (429, "1", "TooManyRequests")
        stack.close()
        assert until(lambda: server.get("/version").status == 200)


def test_out_of_file_descriptors_is_said_and_passes(server, monkeypatch):
    server.post("/api/v1/namespaces/default/pods", POD)

    def refused(*_arguments, **_named):
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(server.runtime, "logs", refused)
        answer = server.get("/api/v1/namespaces/default/pods/a/log")
    assert (answer.status, answer.body["reason"], answer.headers["Retry-After"]) == (503, "ServiceUnavailable", "1")
    assert "ulimit -n" in answer.message


# What grows


def test_events_are_kept_for_an_hour_and_the_latest_of_them(server, monkeypatch):
    monkeypatch.setattr(events, "_MOST", 3)
    for number, stamp in enumerate(["2020-01-01T00:00:00Z", *(f"2100-01-01T00:00:{n:02}Z" for n in range(5))]):
        event = {"metadata": {"name": f"e{number}", "namespace": "default"}, "lastTimestamp": stamp,
                 "involvedObject": {"namespace": "default"}, "reason": "R", "message": "m", "type": "Normal"}  # fmt: skip
        server.create("events", event)
    assert server.call(events.EventExpiry(server.store).reconcile) > 0
    assert [event["metadata"]["name"] for event in server.store.scan("events")] == ["e3", "e4", "e5"]


def test_the_log_keeps_its_newer_half(tmp_path):
    descriptor = open_log(tmp_path / "log")
    handler = LogHandler(descriptor, maximum=2000)
    for number in range(1000):
        handler.emit(logging.makeLogRecord({"msg": f"line {number}", "levelname": "INFO", "name": "x"}))
    lines = (tmp_path / "log").read_text().splitlines()
    assert os.fstat(descriptor).st_size < 2100 and lines[-1].endswith("line 999") and all("line " in line for line in lines)
    os.close(descriptor)


def test_a_log_on_a_full_disk_loses_lines_and_nothing_else():
    with open("/dev/full", "wb", buffering=0) as full:
        LogHandler(full.fileno()).emit(logging.makeLogRecord({"msg": "lost"}))


def test_the_past_is_bounded(server):
    from podnet_sandbox.api.history import KEPT

    server.create("configmaps", configmap("busy"))
    for number in range(KEPT + 100):
        server.call(server.store.patch, "configmaps", "busy", {"data": {"n": str(number)}}, "default")
    assert len(server.store.history._changes["configmaps"]) == KEPT
    answer = server.get(f"{CONFIGMAPS}?watch=1&resourceVersion=1&timeoutSeconds=1")
    assert json.loads(answer.text.splitlines()[0])["object"]["reason"] == "Expired"
