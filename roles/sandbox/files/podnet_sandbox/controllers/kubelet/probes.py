# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes: when to ask, what an answer changes. Asking itself is the kernel room's work.

A kubelet asks every periodSeconds. Until a container has been ready once, this one asks more often: every
`EAGER_PAUSE` for `EAGER_TIME` seconds (less often where asking itself takes long: the machine is busy), then with
doubling pauses up to the period. A lab need not wait half a minute for calico-node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from ...dataplane.kernel import WorkloadError
from ..services import target_port

EAGER_PAUSE, EAGER_TIME = 0.2, 5.0
#: Pauses are at least this many times as long as the question took.
_RESPITE = 4

Ask = Callable[[], Awaitable[bool]]


class Prober(Protocol):
    """The part of the kernel room that probes need."""

    async def probe_exec(self, namespace: str, pod: str, container: str, argv: Any, timeout: float) -> bool: ...

    async def probe_http(
        self, namespace: str, pod: str, host: str, port: int, path: str, timeout: float, *, tls: bool = False
    ) -> bool: ...

    async def probe_tcp(self, namespace: str, pod: str, host: str, port: int, timeout: float) -> bool: ...


def asker(kernel: Prober, pod: Mapping[str, Any], container: Mapping[str, Any], probe: Mapping[str, Any], ip: str) -> tuple[Ask, str]:
    """How to ask ``probe`` once, and what is asked, in words."""
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    timeout = float(probe.get("timeoutSeconds") or 1)
    if "exec" in probe:
        argv = tuple(probe["exec"]["command"])
        return lambda: kernel.probe_exec(namespace, name, container["name"], argv, timeout), " ".join(argv)
    action = probe.get("httpGet") or probe.get("tcpSocket") or {}
    port = target_port({"spec": {"containers": [container]}}, {"port": 0, "targetPort": action.get("port")})
    host = action.get("host") or ip
    if port is None:
        return _never, f"port {action.get('port')}, which no container declares"
    if "tcpSocket" in probe:
        return lambda: kernel.probe_tcp(namespace, name, host, port, timeout), f"tcp://{host}:{port}"
    scheme = action.get("scheme", "HTTP").lower()
    path = action.get("path") or "/"
    url = f"{scheme}://{host}:{port}{path}"
    return lambda: kernel.probe_http(namespace, name, host, port, path, timeout, tls=scheme == "https"), url


async def watch(
    ask: Ask, probe: Mapping[str, Any], good: bool, changed: Callable[[bool], None], failed: Callable[[], None] = lambda: None
) -> None:
    """Ask until cancelled. ``changed(answer)`` is called when enough answers in a row say otherwise than ``good``.

    Also when a container that was never good has failed often enough. ``failed()`` is called for every failure; those that come
    before a period has passed are not failures: a kubelet would not have asked.
    """
    needed = {True: int(probe.get("successThreshold") or 1), False: int(probe.get("failureThreshold") or 3)}
    period = float(probe.get("periodSeconds") or 10)
    pause, streak, last = min(period, EAGER_PAUSE), 0, good
    await asyncio.sleep(float(probe.get("initialDelaySeconds") or 0))
    clock = asyncio.get_running_loop().time
    eager_until = clock() + EAGER_TIME
    next_failure = clock()
    while True:
        asked_at = clock()
        answer = await _answer(ask)
        if answer or asked_at >= next_failure - pause / 2:
            streak = streak + 1 if answer == last else 1
            last = answer
            if not answer:
                next_failure = asked_at + period
                failed()
            if streak == needed[answer] and not (answer and good):
                good = answer
                changed(answer)
        if good:
            pause = period
        elif clock() > eager_until:
            pause = min(period, pause * 2)
        await asyncio.sleep(max(pause, _RESPITE * (clock() - asked_at)))


async def _answer(ask: Ask) -> bool:
    """A container that cannot even be asked is not ready."""
    try:
        return await ask()
    except WorkloadError:
        return False


async def _never() -> bool:
    return False
