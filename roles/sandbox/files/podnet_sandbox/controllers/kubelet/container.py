# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One container's life: its start, however often that is tried, its probes and hooks, its end, and again if it is to be restarted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Mapping
from typing import Any

from ...dataplane.kernel import ContainerState, ImageUnknown, NotRunning, WorkloadError
from .backoff import Backoff
from .downward import SpecError
from .health import Health
from .hooks import HookFailed, run_hook
from .node import PodContext
from .pod_status import ContainerFacts, terminated
from .process_spec import container_spec, done_by_sandbox, is_present

#: Seconds between ErrImagePull and ImagePullBackOff, until a container that could not be configured is tried again, and
#: that a container has to end whose pod does not say (terminationGracePeriodSeconds).
PULL_REPORT, CONFIG_RETRY, DEFAULT_GRACE = 0.5, 10.0, 30
#: Seconds after which a fault of the sandbox's own is hoped to have passed.
FAULT_RETRY = 2.0
LOG = logging.getLogger(__name__)
_START_ERROR, _UNKNOWN = 128, 255


class Container:
    """`run` takes it through its life; `exited` is the kernel room's report, `end` asks it to end."""

    def __init__(self, context: PodContext, facts: ContainerFacts, policy: str) -> None:
        self._context = context
        self.facts = facts
        self._policy = policy
        self._crashes, self._pulls = Backoff(), Backoff()
        self._wakened = asyncio.Event()
        self._exit: asyncio.Future[ContainerState] | None = None
        self._ending = False
        self._stopping: asyncio.Task[None] | None = None
        self._health = Health(context, facts, self._unhealthy)

    async def run(self) -> None:
        """Until it has ended for good."""
        while True:
            await self._start()
            if self._exit is not None:
                self._ended(await self._exit)
            if self._ending or not self._again():
                self.facts.ready = self.facts.completed
                self._context.changed()
                return
            self.facts.last_exit = terminated(self.facts)
            self._context.changed()
            await self._back_off()
            self.facts.restarts += 1

    def exited(self, state: ContainerState) -> None:
        """Its first process has ended."""
        if self._exit is not None and not self._exit.done():
            self._exit.set_result(state)

    def wake(self) -> None:
        """What it waits for may be there now."""
        self._wakened.set()

    def changed(self) -> None:
        """Its pod may have another image for it: then it is started anew with that."""
        image = self._spec()["image"]
        if image == self.facts.image:
            return
        self.facts.image = image
        self._pulls = Backoff()
        self._wakened.set()
        if self.facts.running:
            self._context.normal("Killing", f"Container {self.facts.name} definition changed, will be restarted")
            self._stopping = asyncio.ensure_future(self._stop(self._grace()))

    async def end(self, grace: float) -> None:
        """Have it end: its preStop hook, SIGTERM, and SIGKILL when ``grace`` seconds are over."""
        self._ending = True
        if self.facts.running:
            self._context.normal("Killing", f"Stopping container {self.facts.name}")
            await self._stop(grace)

    def lost(self) -> None:
        """Its machine went off, and nobody saw how it ended: containerd's words for that, when it is there again."""
        self._health.stop()
        if self._stopping is not None:
            self._stopping.cancel()
        if self.facts.running:
            self.facts.exit_code, self.facts.exit_reason, self.facts.finished_at = _UNKNOWN, "Unknown", time.time()
        self.facts.ready = self.facts.started = False

    def renew(self, waiting: tuple[str, str]) -> None:
        """Begin again in a new sandbox, counted as a restart where it has run before; a kubelet that starts anew knows no back-off."""
        facts = self.facts
        if facts.exit_code is not None:
            facts.last_exit = terminated(facts)
            facts.restarts += 1
        facts.waiting, facts.exit_code, facts.exit_reason, facts.exit_message = waiting, None, "", ""
        self._crashes, self._pulls = Backoff(), Backoff()

    async def _stop(self, grace: float) -> None:
        self._health.stop()
        clock = asyncio.get_running_loop().time
        until = clock() + grace
        hook = (self._spec().get("lifecycle") or {}).get("preStop")
        if hook and grace > 0:
            try:
                async with asyncio.timeout(grace):
                    await run_hook(self._context, self._spec(), hook)
            except (HookFailed, TimeoutError) as error:
                self._context.warning("FailedPreStopHook", f"PreStopHook failed: {error}")
        with contextlib.suppress(NotRunning):
            where = (self._context.namespace, self._context.name, self.facts.name)
            await self._context.node.kernel.end_container(*where, max(0.0, until - clock()))

    async def _start(self) -> None:
        """Started, or failed to with an exit code. What may be mended meanwhile is waited for."""
        self._exit = None
        while True:
            self._wakened.clear()
            try:
                await self._try()
                return
            except SpecError as error:
                self._context.warning("Failed", f"Error: {error}")
                self._wait_for("CreateContainerConfigError", str(error))
                await self._sleep(CONFIG_RETRY)
            except ImageUnknown as error:
                await self._not_pulled(error)
            except WorkloadError as error:
                self._failed_to_start(error)
                return
            except Exception:  # whatever it was (no descriptor left), the container must not be forgotten
                LOG.exception("container %s of pod %s/%s, trying again", self.facts.name, self._context.namespace, self._context.name)
                await self._sleep(FAULT_RETRY)

    async def _try(self) -> None:
        context, facts, spec = self._context, self.facts, self._spec()
        if not is_present(spec["image"]):
            context.normal("Pulling", f'Pulling image "{spec["image"]}"')
        resolved = container_spec(context.known(), spec, context.node.store)
        self._exit = asyncio.get_running_loop().create_future()
        state = await context.node.kernel.start_container(context.namespace, context.name, resolved)
        context.normal("Pulled", f'Container image "{facts.image}" already present on machine')
        facts.waiting, facts.exit_code, facts.exit_reason, facts.exit_message = None, None, "", ""
        facts.container_id = f"containerd://{secrets.token_hex(32)}"
        facts.image_id = state.image_id
        facts.started_at = state.started_at or time.time()
        facts.started = not self._probe("startupProbe")
        facts.ready = facts.started and not self._probe("readinessProbe")
        context.normal("Created", f"Created container: {facts.name}")
        context.normal("Started", f"Started container {facts.name}")
        context.changed()
        await self._after_start(spec)
        self._health.start(spec)

    async def _after_start(self, spec: Mapping[str, Any]) -> None:
        hook = (spec.get("lifecycle") or {}).get("postStart")
        if hook:
            try:
                await run_hook(self._context, spec, hook)
            except HookFailed as error:
                self._context.warning("FailedPostStartHook", f"PostStartHook failed: {error}")
                self._context.normal("Killing", "FailedPostStartHook")
                await self._stop(self._grace())

    async def _not_pulled(self, error: ImageUnknown) -> None:
        """The kubelet's two words for it, one after the other: it cannot be pulled, and is not tried again yet."""
        image, why = self._spec()["image"], str(error)
        self._context.warning("Failed", f'Failed to pull image "{image}": {why}')
        self._context.warning("Failed", "Error: ErrImagePull")
        self._wait_for("ErrImagePull", why)
        await self._unless_another(image, PULL_REPORT)
        self._pulls.next()
        self._context.normal("BackOff", f'Back-off pulling image "{image}"')
        self._context.warning("Failed", "Error: ImagePullBackOff")
        self._wait_for("ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {why}')
        await self._unless_another(image, self._pulls.next())

    async def _unless_another(self, image: str, seconds: float) -> None:
        """Wait, but not for an image that is no longer wanted: nothing else that happens brings it."""
        clock = asyncio.get_running_loop().time
        until = clock() + seconds
        while self._spec()["image"] == image and (left := until - clock()) > 0:
            self._wakened.clear()
            await self._sleep(left)

    def _failed_to_start(self, error: WorkloadError) -> None:
        self._context.warning("Failed", f"Error: {error}")
        facts = self.facts
        facts.waiting, facts.exit_code, facts.exit_reason, facts.exit_message = None, _START_ERROR, "StartError", str(error)
        facts.started_at, facts.finished_at = 0.0, time.time()
        facts.container_id = facts.container_id or f"containerd://{secrets.token_hex(32)}"
        self._exit = None

    def _ended(self, state: ContainerState) -> None:
        self._health.stop()
        facts = self.facts
        facts.exit_code, facts.finished_at = state.exit_code or 0, state.finished_at
        facts.ready = facts.started = False

    def _again(self) -> bool:
        if self._policy == "OnFailure":
            return self.facts.exit_code != 0
        return self._policy == "Always"

    async def _back_off(self) -> None:
        delay = self._crashes.next()
        if not delay:
            return
        where = f"{self._context.name}_{self._context.namespace}({self._context.pod['metadata']['uid']})"
        self._context.warning("BackOff", f"Back-off restarting failed container {self.facts.name} in pod {where}")
        minutes, seconds = divmod(int(delay), 60)
        pause = f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
        self._wait_for("CrashLoopBackOff", f"back-off {pause} restarting failed container={self.facts.name} pod={where}")
        await asyncio.sleep(delay)

    def _wait_for(self, reason: str, message: str) -> None:
        self.facts.waiting = (reason, message)
        self._context.changed()

    async def _sleep(self, seconds: float) -> bool:
        """At most ``seconds``; whether somebody wakened it before."""
        try:
            await asyncio.wait_for(self._wakened.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _unhealthy(self, probe: str) -> None:
        """A liveness or startup probe has failed often enough."""
        self._context.normal("Killing", f"Container {self.facts.name} failed {probe} probe, will be restarted")
        self._stopping = asyncio.ensure_future(self._stop(self._grace()))

    def _probe(self, name: str) -> Mapping[str, Any] | None:
        """None for services whose work the sandbox itself does: they have no port to answer on."""
        spec = self._spec()
        return None if done_by_sandbox(spec["image"]) else spec.get(name)

    def _grace(self) -> float:
        grace = self._context.pod["spec"].get("terminationGracePeriodSeconds")
        return DEFAULT_GRACE if grace is None else grace

    def _spec(self) -> Mapping[str, Any]:
        spec = self._context.pod["spec"]
        parts = (spec.get(part) or () for part in ("initContainers", "containers", "ephemeralContainers"))
        return next(entry for part in parts for entry in part if entry["name"] == self.facts.name)
