# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod on its node: its sandbox, its init containers in turn, its containers, those added later, its end."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from ...dataplane.kernel import ContainerState
from ..events import EventRecorder
from ..objects import now
from .container import DEFAULT_GRACE, Container
from .node import Node, PodContext
from .pod_sandbox import PodSandbox, SetupError
from .pod_status import ContainerFacts, PodFacts, pod_status

LOG = logging.getLogger(__name__)
#: Seconds until a pod that could not be set up is tried again: first, and at most.
SETUP_RETRY, SETUP_RETRY_MAX = 0.5, 10.0
#: Seconds between two looks whether a sidecar has started.
_SIDECAR_LOOK = 0.1
_CREATING, _INITIALIZING = ("ContainerCreating", ""), ("PodInitializing", "")
#: Images whose init containers install what the sandbox has built in.
_BUILT_IN_INIT = ("calico/cni", "calico/pod2daemon-flexvol")
_DEADLINE = ("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")


class PodWorker:
    """Takes one pod through its life. `wake` and `refresh` after a change of its surroundings, `changed` of itself, `end` to stop it."""

    def __init__(self, node: Node, pod: Mapping[str, Any]) -> None:
        self._node = node
        self.namespace, self.name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self.node = pod["spec"]["nodeName"]
        spec = pod["spec"]
        waiting = _INITIALIZING if spec.get("initContainers") else _CREATING
        self.facts = PodFacts(
            [ContainerFacts(entry["name"], entry["image"], waiting=waiting) for entry in spec["containers"]],
            [
                ContainerFacts(entry["name"], entry["image"], waiting=waiting, sidecar=entry.get("restartPolicy") == "Always")
                for entry in spec.get("initContainers") or ()
            ],
            host_ip=node.address_of(spec["nodeName"]),
        )
        self._context = PodContext(node, pod, self.facts, EventRecorder(node.store, "kubelet"), self.write_status)
        policy = spec.get("restartPolicy", "Always")
        self._main = [Container(self._context, facts, policy) for facts in self.facts.containers]
        once = "OnFailure" if policy == "Always" else policy
        self._init = [
            Container(self._context, facts, "Always" if facts.sidecar else once) for facts in self.facts.init_containers
        ]
        self._ephemeral: list[Container] = []
        self._sandbox = PodSandbox(self._context)
        self._start_time = now()
        self._began = time.monotonic()
        self._wakened = asyncio.Event()
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Set the pod up, however often that takes; then run its containers until they have ended for good."""
        await self._set_up()
        deadline = self._context.pod["spec"].get("activeDeadlineSeconds")
        try:
            async with asyncio.timeout(None if deadline is None else self._began + deadline - time.monotonic()):
                phase = await self._run_containers()
        except TimeoutError:
            self._context.normal(*_DEADLINE)
            self.facts.ended, phase = _DEADLINE, "Failed"
        await self._end_containers(self._grace())
        await self._finish(phase)

    def wake(self) -> None:
        """Try again now what had to wait, and bring volumes up to date."""
        self._wakened.set()
        for container in self._containers():
            container.wake()

    def refresh(self) -> None:
        """Bring the volumes up to date; what waited for a ConfigMap or Secret tries again."""
        self.wake()
        if self.facts.sandbox_ready and not self.facts.phase:
            self._sandbox.fill_volumes()

    def changed(self, pod: Mapping[str, Any]) -> None:
        """The Pod object may be another now."""
        if pod is self._context.pod:
            return
        labels = [self._context.pod["metadata"].get(part) for part in ("labels", "annotations")]
        self._context.pod = pod
        for container in self._containers():
            container.changed()
        self._start_ephemeral()
        if self.facts.sandbox_ready and labels != [pod["metadata"].get(part) for part in ("labels", "annotations")]:
            self._sandbox.fill_volumes()

    def hurry(self) -> None:
        """Whoever wanted the pod to end does not wait any longer."""
        self._hurry.set()

    async def end(self, grace: float) -> None:
        """Have everything end, then take it away; the address is free afterwards."""
        if not self.facts.phase:
            ending = asyncio.ensure_future(self._end_containers(grace))
            hurried = asyncio.ensure_future(self._hurry.wait())
            await asyncio.wait((ending, hurried), return_when=asyncio.FIRST_COMPLETED)
            for task in (*self._tasks, ending, hurried):
                task.cancel()
            await asyncio.gather(*self._tasks, ending, hurried, return_exceptions=True)
            if self.facts.sandbox_ready and not any(container.running for container in self.facts.containers):
                self._decide(_outcome(self.facts.containers))
        await self._sandbox.leave_network()
        await self._node.kernel.remove_pod(self.namespace, self.name)

    async def switch_off(self) -> None:
        """Its machine has no power any more: nothing of it runs, and nobody can say so."""
        await self._cancel()
        for container in self._containers():
            container.lost()

    async def run_again(self) -> None:
        """Its machine is there again, and its sandbox is not: a kubelet makes a new one, unless what ran there was to run once."""
        facts, spec = self.facts, self._context.pod["spec"]
        if facts.phase:
            return
        had_sandbox, facts.sandbox_ready = facts.sandbox_ready, False
        await self._sandbox.leave_network()
        self.write_status()
        once = spec.get("restartPolicy") == "Never"
        if once and any(each.exit_code is not None for each in (*facts.init_containers, *facts.containers)):
            await self._finish("Failed")
            return
        if had_sandbox:
            self._context.normal("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
        waiting = _INITIALIZING if self._init else _CREATING
        for container in (*self._init, *self._to_run()):
            container.renew(waiting)
        await self.run()

    def exited(self, state: ContainerState) -> None:
        """A container's first process has ended."""
        for container in self._containers():
            if container.facts.name == state.name:
                container.exited(state)

    def write_status(self) -> None:
        """Bring the Pod's status up to what is known here."""
        if self._context.is_there():
            pod = self._node.store.find("pods", self.name, self.namespace)
            status = pod_status(pod, self.facts, self._start_time)
            self._node.store.patch("pods", self.name, {"status": status}, self.namespace, subresource="status")

    async def _set_up(self) -> None:
        pause = SETUP_RETRY
        while True:
            self._wakened.clear()
            try:
                await self._sandbox.make()
                return
            except SetupError as error:
                self._context.warning(error.reason, error.message)
                self.write_status()
            except Exception:  # whatever it was, the pod must not be forgotten
                LOG.exception("pod %s/%s cannot be set up, trying again", self.namespace, self.name)
            await self._wait(pause)
            pause = min(SETUP_RETRY_MAX, pause * 2)

    async def _run_containers(self) -> str:
        """The phase they end in."""
        self._start_ephemeral()
        for container in self._init:
            if any(known in container.facts.image for known in _BUILT_IN_INIT):
                _do_nothing(container.facts)
            elif container.facts.sidecar:
                await self._start_sidecar(container)
            else:
                await self._done(self._task(container))
            if not (container.facts.sidecar or container.facts.completed):
                return "Failed"
        for container in self._to_run():
            container.facts.waiting = _CREATING
        await self._done(*[self._task(container) for container in self._to_run()])
        return _outcome(self.facts.containers)

    def _start_ephemeral(self) -> None:
        """Those that were added to the pod; they run beside whatever runs, and once."""
        if not self.facts.sandbox_ready or self.facts.phase:
            return
        known = {facts.name for facts in self.facts.ephemeral}
        for entry in self._context.pod["spec"].get("ephemeralContainers") or ():
            if entry["name"] not in known:
                self.facts.ephemeral.append(ContainerFacts(entry["name"], entry["image"]))
                self._ephemeral.append(Container(self._context, self.facts.ephemeral[-1], "Never"))
                self._task(self._ephemeral[-1])

    def _to_run(self) -> list[Container]:
        """In a sandbox that is not the pod's first, what has done its work does not do it again."""
        again = self._context.pod["spec"].get("restartPolicy", "Always") == "Always"
        return [container for container in self._main if again or not container.facts.completed]

    def _containers(self) -> tuple[Container, ...]:
        return (*self._init, *self._main, *self._ephemeral)

    async def _start_sidecar(self, container: Container) -> None:
        """The next one waits until it has started."""
        self._task(container)
        while not container.facts.started:
            await asyncio.sleep(_SIDECAR_LOOK)

    @staticmethod
    async def _done(*tasks: asyncio.Task[None]) -> None:
        """Wait for them. Whoever is not to wait any longer leaves them running."""
        await asyncio.wait(tasks)
        for task in tasks:
            task.result()

    def _task(self, container: Container) -> asyncio.Task[None]:
        task = asyncio.ensure_future(container.run())
        self._tasks.append(task)
        return task

    async def _end_containers(self, grace: float) -> None:
        """All at once, the sidecars after the others, the last one first."""
        clock = asyncio.get_running_loop().time
        until = clock() + grace
        await asyncio.gather(*(container.end(grace) for container in (*self._main, *self._ephemeral)))
        for container in reversed(self._init):
            await container.end(max(0.0, until - clock()))
        await asyncio.sleep(0)  # their ends are told to whoever waits for them

    async def _finish(self, phase: str) -> None:
        """The containers have ended for good: the address is free, what they wrote can still be read."""
        await self._cancel()
        self._decide(phase)
        await self._sandbox.leave_network()

    async def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _decide(self, phase: str) -> None:
        self.facts.phase = phase
        for container in (*self.facts.init_containers, *self.facts.containers):
            if container.exit_code is not None:
                container.waiting = None
        self.write_status()

    def _grace(self) -> float:
        grace = self._context.pod["spec"].get("terminationGracePeriodSeconds")
        return DEFAULT_GRACE if grace is None else grace

    async def _wait(self, seconds: float) -> None:
        """Until somebody wakes the worker, at most ``seconds``."""
        try:
            await asyncio.wait_for(self._wakened.wait(), seconds)
        except TimeoutError:
            return


def _outcome(containers: list[ContainerFacts]) -> str:
    return "Failed" if any(container.exit_code for container in containers) else "Succeeded"


def _do_nothing(facts: ContainerFacts) -> None:
    """An init container whose work the sandbox has done itself."""
    facts.waiting, facts.exit_code, facts.ready = None, 0, True
    facts.started_at = facts.finished_at = time.time()
