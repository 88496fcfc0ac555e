# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: when to ask, what an answer changes. Asking itself is the kernel room's work.

A kubelet asks every periodSeconds, a container that counts as good (liveness) for the first time within the first of them.
Until a container has been ready once, this one asks more often: every
`EAGER_PAUSE` for `EAGER_TIME` seconds (less often where asking itself takes long: the machine is busy), then with
doubling pauses up to the period. A lab need not wait half a minute for calico-node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from ...dataplane.kernel import Answer, WorkloadError
from ..services import target_port

EAGER_PAUSE, EAGER_TIME = 0.2, 5.0
#: Seconds that what counts as good has before it is asked: a process that has just started has no port yet.
FIRST_PAUSE = 1.0
#: Pauses are at least this many times as long as the question took.
_RESPITE = 4

Ask = Callable[[], Awaitable[Answer]]


class Prober(Protocol):
    """The part of the kernel room that probes need."""

    async def probe_exec(self, namespace: str, pod: str, container: str, argv: Any, timeout: float) -> Answer: ...

    async def probe_http(
        self, namespace: str, pod: str, host: str, port: int, path: str, timeout: float, *, tls: bool = False
    ) -> Answer: ...

    async def probe_tcp(self, namespace: str, pod: str, host: str, port: int, timeout: float) -> Answer: ...


def asker(kernel: Prober, pod: Mapping[str, Any], container: Mapping[str, Any], probe: Mapping[str, Any], ip: str) -> Ask:
    """How to ask ``probe`` once."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    timeout = float(probe.get("timeoutSeconds") or 1)
    if "exec" in probe:
        argv = tuple(probe["exec"]["command"])
        return lambda: kernel.probe_exec(namespace, name, container["name"], argv, timeout)
    action = probe.get("httpGet") or probe.get("tcpSocket") or {}
    port = target_port({"spec": {"containers": [container]}}, {"port": 0, "targetPort": action.get("port")})
    host = action.get("host") or ip
    if port is None:
        return lambda: _never(f"couldn't find port {action.get('port')} in container {container['name']}")
    if "tcpSocket" in probe:
        return lambda: kernel.probe_tcp(namespace, name, host, port, timeout)
    tls = action.get("scheme", "HTTP") == "HTTPS"
    return lambda: kernel.probe_http(namespace, name, host, port, action.get("path") or "/", timeout, tls=tls)


async def _never(why: str) -> Answer:
    return Answer(False, why)


async def watch(
    ask: Ask, probe: Mapping[str, Any], good: bool, changed: Callable[[bool], None], failed: Callable[[str], None] = lambda why: None
) -> None:
    """Ask until cancelled. ``changed(answer)`` is called when enough answers in a row say otherwise than ``good``.

    Also when a container that was never good has failed often enough. ``failed(why)`` is called for every failure; those that come
    before a period has passed are not failures: a kubelet would not have asked.
    """
    needed = {True: int(probe.get("successThreshold") or 1), False: int(probe.get("failureThreshold") or 3)}
    period = float(probe.get("periodSeconds") or 10)
    pause, streak, last = min(period, EAGER_PAUSE), 0, good
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0) or (min(period, FIRST_PAUSE) if good else 0))
    clock = asyncio.get_running_loop().time
    eager_until = clock() + EAGER_TIME
    next_failure = clock()
    while True:
        asked_at = clock()
        said = await _answer(ask)
        answer = said.good
        if answer or asked_at >= next_failure - pause / 2:
            streak = streak + 1 if answer == last else 1
            last = answer
            if not answer:
                next_failure = asked_at + period
                failed(said.why)
            if streak == needed[answer] and not (answer and good):
                good = answer
                changed(answer)
        if good:
            pause = period
        elif clock() > eager_until:
            pause = min(period, pause * 2)
        await asyncio.sleep(max(pause, _RESPITE * (clock() - asked_at)))


async def _answer(ask: Ask) -> Answer:
    """A container that cannot even be asked is not ready."""
    try:
        return await ask()
    except WorkloadError as error:
        return Answer(False, str(error))
