# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a readiness probe's answers change what a pod is."""

from __future__ import annotations

import asyncio
import time

import pytest
from podnet_sandbox.controllers.kubelet import probes
from podnet_sandbox.dataplane.kernel import Answer, NotRunning
from podnet_sandbox.dataplane.kernel.probes import within


def changes(answers, ready=False, **probe):
    """What `watch` reports for those answers, asked without pauses."""
    queue, seen = list(answers), []

    async def ask():
        if not queue:
            raise asyncio.CancelledError
        answer = queue.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(answer)

    async def run():
        with pytest.raises(asyncio.CancelledError):
            await probes.watch(ask, {"periodSeconds": 0.001, **probe}, ready, seen.append)

    asyncio.run(run())
    return seen


def test_one_success_makes_ready():
    assert changes([False, True, True]) == [True]


def test_three_failures_in_a_row_make_unready():
    assert changes([False, False, True, False, False, False, False], ready=True) == [False]


def test_thresholds_are_the_probes_own():
    assert changes([True, True, True], successThreshold=3) == [True]
    assert changes([True, True], successThreshold=3) == []
    assert changes([False], ready=True, failureThreshold=1) == [False]


def test_a_container_that_never_answers_is_reported_once():
    assert changes([False] * 9) == [False]


def test_a_container_that_cannot_be_asked_is_not_ready():
    assert changes([NotRunning("gone")] * 3, ready=True) == [False]


def test_time_in_which_the_sandbox_itself_could_not_run_is_not_the_answers():
    async def answer():
        await asyncio.sleep(0)
        time.sleep(1)  # somebody else's work, on the thread that would have heard the answer
        await asyncio.sleep(0.01)
        return "good"

    assert asyncio.run(within(answer(), 0.5)) == "good"


def test_an_answer_that_does_not_come_is_not_waited_for():
    ended = []

    async def answer():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    with pytest.raises(TimeoutError):
        asyncio.run(within(answer(), 0.05))
    assert ended


class Asked:
    """A kernel room that says what it was asked for."""

    async def probe_http(self, *asked, tls):
        return asked, tls


def test_a_named_port_is_the_containers():
    container = {"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}
    pod = {"metadata": {"namespace": "default", "name": "p"}}
    ask = probes.asker(Asked(), pod, container, {"httpGet": {"port": "http", "scheme": "HTTPS"}}, "10.0.0.1")
    assert asyncio.run(ask()) == (("default", "p", "10.0.0.1", 8080, "/", 1.0), True)
    ask = probes.asker(None, pod, container, {"tcpSocket": {"port": "nosuch"}}, "10.0.0.1")
    assert asyncio.run(ask()) == Answer(False, "couldn't find port nosuch in container c")


def test_a_failure_is_counted_once_a_period_however_often_it_is_asked():
    told, asked = [], []

    async def ask():
        asked.append(1)
        if len(asked) == 3:
            raise asyncio.CancelledError
        return Answer(False, "no")

    async def run():
        with pytest.raises(asyncio.CancelledError):
            await probes.watch(ask, {"periodSeconds": 30, "failureThreshold": 2}, False, told.append, told.append)

    asyncio.run(run())
    assert told == ["no"]
