# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running container's three probes: is it up yet, is it alive, is it ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from .node import PodContext
from .pod_status import ContainerFacts
from .probes import asker, watch
from .process_spec import done_by_sandbox


class Health:
    """Asks from `start` to `stop`. ``unhealthy(probe)`` is called when the container has to be started anew."""

    def __init__(self, context: PodContext, facts: ContainerFacts, unhealthy: Callable[[str], None]) -> None:
        self._context, self._facts, self._unhealthy = context, facts, unhealthy
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, container: Mapping[str, Any]) -> None:
        """The startup probe first; where there is none, or when it has succeeded, the others."""
        self.stop()
        if done_by_sandbox(container["image"]) or not self._facts.running:
            return
        if container.get("startupProbe"):
            self._watch(container, "startup", False, lambda good: self._is_up(container) if good else self._unhealthy("startup"))
        else:
            self._watch_others(container)

    def stop(self) -> None:
        """No more questions."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []

    def _is_up(self, container: Mapping[str, Any]) -> None:
        self.stop()
        self._facts.started = True
        self._facts.ready = not container.get("readinessProbe")
        self._context.changed()
        self._watch_others(container)

    def _watch_others(self, container: Mapping[str, Any]) -> None:
        if container.get("livenessProbe"):
            self._watch(container, "liveness", True, lambda good: None if good else self._unhealthy("liveness"))
        if container.get("readinessProbe"):
            self._watch(container, "readiness", self._facts.ready, self._is_ready)

    def _is_ready(self, ready: bool) -> None:
        self._facts.ready = ready
        self._context.changed()

    def _watch(self, container: Mapping[str, Any], name: str, good: bool, changed: Callable[[bool], None]) -> None:
        probe = container[f"{name}Probe"]
        ask = asker(self._context.node.kernel, self._context.pod, container, probe, self._context.facts.pod_ip)

        def failed(why: str) -> None:
            self._context.warning("Unhealthy", f"{name.capitalize()} probe failed: {why}")

        self._tasks.append(asyncio.ensure_future(watch(ask, probe, good, changed, failed)))
