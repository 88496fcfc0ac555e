# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Exec over the websocket: whatever the server and the pod do, there is an answer, in time and in bounds."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

pytest.importorskip("kubernetes")

# pylint: disable=wrong-import-position
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecEndpoint
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_api import (
    SUCCESS,
    FakeApi,
    failure,
    status,
)


@pytest.fixture(name="api")
def api_fixture():
    """A fake API with the endpoint that talks to it."""
    api = FakeApi()
    with api.running() as url:
        from kubernetes import client

        configuration = client.Configuration()
        configuration.host = url
        configuration.api_key = {"authorization": "Bearer secret"}
        yield SimpleNamespace(server=api, endpoint=ExecEndpoint(client.ApiClient(configuration)))


def run(api, timeout=5.0, limit=1000, **options):
    """One exec."""
    return api.endpoint.run("default", "a", "c", ["sh", "-c", "echo hi"], timeout, limit, **options)


def test_output_of_both_streams_and_the_exit_code_come_back(api):
    def command(send, request):
        assert request["command"] == ["sh", "-c", "echo hi"]
        send(1, b"hi\n")
        send(2, b"oops\n")
        send(3, failure(7))

    api.server.exec = command
    result = run(api)
    assert (result.stdout, result.stderr, result.code, result.problem) == (b"hi\n", b"oops\n", 7, None)


def test_the_token_and_the_impersonation_are_sent(api):
    seen = {}

    def command(send, request):
        seen.update(request["headers"])
        send(3, SUCCESS)

    api.server.exec = command
    api.endpoint._client.set_default_header("Impersonate-User", "jane")
    assert run(api).code == 0
    assert seen["authorization"] == "Bearer secret"
    assert seen["Impersonate-User"] == "jane"


def test_a_command_that_could_not_be_started_has_no_exit_code_but_the_reason(api):
    message = b'{"status":"Failure","message":"exec: \\"sh\\": executable file not found in $PATH","reason":"InternalError"}'
    api.server.exec = lambda send, request: send(3, message)
    result = run(api)
    assert result.code is None
    assert 'could not be run: exec: "sh": executable file not found' in result.problem


def test_a_silent_command_is_given_up_at_its_timeout_and_what_it_said_is_kept(api):
    release = threading.Event()

    def command(send, request):
        send(1, b"begun")
        release.wait(10)

    api.server.exec = command
    result = run(api, timeout=0.3)
    release.set()
    assert result.problem == "did not end within 0.3 s"
    assert (result.stdout, result.transient) == (b"begun", False)


def test_endless_output_is_cut_at_the_limit(api):
    def command(send, request):
        for _unused in range(100000):
            send(1, b"x" * 4096)

    api.server.exec = command
    result = run(api, limit=10000)
    assert len(result.stdout) == 10000
    assert result.problem == "printed more than 10000 bytes; the rest was not read"


def test_a_connection_that_breaks_is_worth_another_try(api):
    api.server.exec = lambda send, request: send(1, b"half")
    result = run(api)
    assert result.transient
    assert result.code is None
    assert result.stdout == b"half"


def test_a_refusal_carries_the_servers_words(api):
    words = 'pods "a" is forbidden: User "x" cannot get resource "pods/exec" in API group "" in the namespace "default"'
    api.server.refuse_exec = status(403, words)
    result = run(api)
    assert (result.status, result.transient) == (403, False)
    assert result.problem == "was refused: " + words


def test_a_busy_server_is_worth_another_try(api):
    api.server.refuse_exec = status(429, "too many requests")
    assert run(api).transient


def test_an_unreachable_server_is_a_problem_and_no_exception(api):
    api.endpoint._configuration.host = "http://127.0.0.1:9"
    result = run(api)
    assert result.problem.startswith("the connection to the API server failed")
    assert result.transient


def test_standard_error_is_heard_while_the_command_runs(api):
    heard = threading.Event()

    def command(send, request):
        send(2, b"listening on eth0")
        assert heard.wait(5)
        send(3, SUCCESS)

    api.server.exec = command
    start = time.monotonic()
    assert run(api, on_stderr=lambda data: heard.set()).code == 0
    assert time.monotonic() - start < 5
