# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pod on its node: network, processes, probes, restarts, end. One asyncio task per pod."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ...api.errors import ApiError
from ...dataplane.desired import PodNetwork
from ...dataplane.kernel import ContainerState, ImageUnknown, PodProcessSpec, WorkloadError
from ...ipam.pools import IpamError
from ..events import EventRecorder
from ..objects import now
from .pod_network import Cni, annotations_of
from .pod_status import ContainerFacts, PodFacts, pod_status, terminated
from .probes import asker, watch
from .process_spec import SpecError, done_by_sandbox, process_spec

LOG = logging.getLogger(__name__)
#: Seconds until a pod that could not be set up is tried again: first, and at most.
SETUP_RETRY, SETUP_RETRY_MAX = 0.5, 10.0
#: Seconds until a container that ended is started again: first, and at most (a kubelet: 10 and 300).
RESTART_BACKOFF, RESTART_BACKOFF_MAX = 1.0, 300.0
_CREATING = ("ContainerCreating", "")
_PULL_FAILED = ("ErrImagePull", "ImagePullBackOff")
#: Images whose init containers install what the sandbox has built in.
_BUILT_IN_INIT = ("calico/cni", "calico/pod2daemon-flexvol")


@dataclass(frozen=True)
class Node:
    """What a worker needs to know of its surroundings."""

    store: Any
    kernel: Any
    cni: Cni
    cni_ready: Callable[[str], bool]
    address_of: Callable[[str], str]
    files: Callable[[Mapping[str, Any], str], Mapping[str, bytes]]
    configured_mtu: Callable[[], int]


class SetupError(Exception):
    """A pod that cannot start yet: event ``reason`` and its message, and what its containers wait for."""

    def __init__(self, reason: str, message: str, waiting: tuple[str, str]) -> None:
        super().__init__(message)
        self.reason, self.message, self.waiting = reason, message, waiting


class PodWorker:
    """Takes one pod through its life. `wake` after a change of the pod or its surroundings, `end` to stop it."""

    def __init__(self, node: Node, pod: Mapping[str, Any]) -> None:
        self._node = node
        self._pod = pod
        self.namespace, self.name = pod["metadata"]["namespace"], pod["metadata"]["name"]
        self._events = EventRecorder(node.store, "kubelet")
        self._container_id = secrets.token_hex(32)
        self._network: PodNetwork | None = None
        self._start_time = now()
        self._wakened = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        containers = [ContainerFacts(entry["name"], entry["image"]) for entry in pod["spec"]["containers"]]
        self.facts = PodFacts(containers, host_ip=node.address_of(pod["spec"]["nodeName"]))

    async def run(self) -> None:
        """Set the pod up, however often that takes; afterwards events drive it."""
        pause = SETUP_RETRY
        while True:
            self._wakened.clear()
            pull_failed = False
            try:
                await self._set_up()
                return
            except SetupError as error:
                self._events.warning(self._pod, error.reason, error.message, self._pod["spec"]["nodeName"])
                for container in self.facts.containers:
                    container.waiting = error.waiting
                self.write_status()
                pull_failed = error.waiting[0] in _PULL_FAILED  # nothing that happens in the cluster brings the image
            except Exception:  # whatever it was, the pod must not be forgotten
                LOG.exception("pod %s/%s cannot be set up, trying again", self.namespace, self.name)
            await (asyncio.sleep(pause) if pull_failed else self._wait(pause))
            pause = min(SETUP_RETRY_MAX, pause * 2)

    def wake(self) -> None:
        """Try again now, if it was waiting."""
        self._wakened.set()

    async def end(self) -> None:
        """Take everything away again; the address is free afterwards."""
        for task in self._tasks.values():
            task.cancel()
        if self._network:
            self._annotate({name: "" for name in annotations_of(self._network, "") if name.endswith(("podIP", "podIPs"))})
        await self._node.kernel.remove_pod(self.namespace, self.name)
        if self._network:
            self._node.cni.delete(self._container_id)

    def exited(self, state: ContainerState) -> None:
        """A container's first process has ended."""
        container = self._facts_of(state.name)
        container.exit_code, container.finished_at = state.exit_code or 0, state.finished_at
        container.ready = False
        self._cancel(f"probe/{state.name}")
        if self._restarts(container.exit_code):
            container.last_exit = terminated(container)
            delay = min(RESTART_BACKOFF_MAX, RESTART_BACKOFF * 2**container.restarts)
            self._tasks[f"restart/{state.name}"] = asyncio.ensure_future(self._restart(container, delay))
        self.write_status()

    def write_status(self) -> None:
        """Bring the Pod's status up to what is known here."""
        if self._is_there():
            pod = self._node.store.find("pods", self.name, self.namespace)
            status = pod_status(pod, self.facts, self._start_time)
            self._node.store.patch("pods", self.name, {"status": status}, self.namespace, subresource="status")

    def _annotate(self, annotations: Mapping[str, str]) -> None:
        """What CNI leaves on the Pod, for Felix: an address, or that it is released. The Pod may be gone already."""
        if self._is_there():
            self._node.store.patch("pods", self.name, {"metadata": {"annotations": annotations}}, self.namespace)

    def _is_there(self) -> bool:
        """Whether the Pod object is still this one, not a successor of the same name."""
        found = self._node.store.find("pods", self.name, self.namespace)
        return found is not None and found["metadata"]["uid"] == self._pod["metadata"]["uid"]

    async def _set_up(self) -> None:
        self._check_init_containers()
        spec = self._process_spec()
        await self._start(spec)
        if self._network:
            self._annotate(annotations_of(self._network, self._container_id))
        self.write_status()
        for container in self.facts.containers:
            self._watch_readiness(container)

    def _process_spec(self) -> PodProcessSpec:
        """Network first, because the environment may name the pod's address."""
        self._connect()
        self.facts.pod_ip = self._network.address if self._network else self.facts.host_ip
        status = {**(self._pod.get("status") or {}), "podIP": self.facts.pod_ip, "hostIP": self.facts.host_ip}
        try:
            files = self._node.files(self._pod, self.facts.pod_ip)
        except ApiError as error:
            message = f'MountVolume.SetUp failed for volume "kube-api-access": {error.message}'
            raise SetupError("FailedMount", message, _CREATING) from error
        try:
            return process_spec({**self._pod, "status": status}, self._node.store, files)
        except SpecError as error:
            raise SetupError("Failed", f"Error: {error}", ("CreateContainerConfigError", str(error))) from error

    def _connect(self) -> None:
        """The CNI plugin's part, once; a pod that is tried again keeps its address."""
        if self._network or self._pod["spec"].get("hostNetwork"):
            return
        if not self._node.cni_ready(self._pod["spec"]["nodeName"]):
            message = "network is not ready: container runtime network not ready: cni plugin not initialized"
            raise SetupError("NetworkNotReady", message, _CREATING)
        try:
            self._network = self._node.cni.add(self._pod, self._container_id, self._node.configured_mtu())
        except IpamError as error:
            message = (
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
                f'"{self._container_id}": plugin type="calico" failed (add): {error}'
            )
            self._container_id = secrets.token_hex(32)  # a new sandbox at the next attempt
            raise SetupError("FailedCreatePodSandBox", message, _CREATING) from error

    async def _start(self, spec: PodProcessSpec) -> None:
        node = self._pod["spec"]["nodeName"]
        try:
            handle = await self._node.kernel.add_pod(node, self._network, spec)
        except ImageUnknown as error:
            self.facts.sandbox_ready = True
            image = self._unknown_image(error)
            message = f'Failed to pull image "{image}": {error}'
            before = self.facts.containers[0].waiting
            pulled_before = before is not None and before[0] in _PULL_FAILED
            waiting = ("ImagePullBackOff", f'Back-off pulling image "{image}"') if pulled_before else ("ErrImagePull", str(error))
            raise SetupError("Failed", message, waiting) from error
        except WorkloadError as error:
            raise SetupError("Failed", f"Error: {error}", ("CreateContainerError", str(error))) from error
        self.facts.sandbox_ready = True
        for container in self.facts.containers:
            self._started(container, handle.containers[container.name])

    def _started(self, container: ContainerFacts, state: ContainerState) -> None:
        container.waiting, container.exit_code = None, None
        container.container_id = f"containerd://{secrets.token_hex(32)}"
        container.image_id = state.image_id
        container.started_at = state.started_at or time.time()
        container.ready = self._readiness_probe(container.name) is None
        node = self._pod["spec"]["nodeName"]
        self._events.normal(self._pod, "Created", f"Created container: {container.name}", node)
        self._events.normal(self._pod, "Started", f"Started container {container.name}", node)

    async def _restart(self, container: ContainerFacts, delay: float) -> None:
        message = f"back-off {delay:.0f}s restarting failed container={container.name} pod={self.name}_{self.namespace}"
        container.waiting = ("CrashLoopBackOff", message)
        self.write_status()
        await asyncio.sleep(delay)
        container.restarts += 1
        try:
            await self._node.kernel.start_container(self.namespace, self.name, container.name)
        except WorkloadError as error:
            self.exited(ContainerState(container.name, container.image_id, finished_at=time.time(), exit_code=128))
            LOG.warning("pod %s/%s: container %s: %s", self.namespace, self.name, container.name, error)
            return
        self._started(container, ContainerState(container.name, container.image_id, started_at=time.time()))
        self.write_status()
        self._watch_readiness(container)

    def _watch_readiness(self, container: ContainerFacts) -> None:
        probe = self._readiness_probe(container.name)
        if probe is None or not container.running:
            return
        spec = next(entry for entry in self._pod["spec"]["containers"] if entry["name"] == container.name)
        ask, what = asker(self._node.kernel, self._pod, spec, probe, self.facts.pod_ip)
        self._cancel(f"probe/{container.name}")
        task = asyncio.ensure_future(watch(ask, probe, container.ready, lambda ready: self._probed(container, ready, what)))
        self._tasks[f"probe/{container.name}"] = task

    def _probed(self, container: ContainerFacts, ready: bool, what: str) -> None:
        container.ready = ready
        if not ready:
            message = f"Readiness probe failed: container {container.name}: no success from {what}"
            self._events.warning(self._pod, "Unhealthy", message, self._pod["spec"]["nodeName"])
        self.write_status()

    def _readiness_probe(self, name: str) -> Mapping[str, Any] | None:
        """The probe to ask; none for services whose work the sandbox itself does: they have no port to answer on."""
        spec = next(entry for entry in self._pod["spec"]["containers"] if entry["name"] == name)
        return None if done_by_sandbox(spec["image"]) else spec.get("readinessProbe")

    def _check_init_containers(self) -> None:
        for container in self._pod["spec"].get("initContainers") or ():
            if not any(known in container["image"] for known in _BUILT_IN_INIT):
                reason = f"init container {container['name']}: the sandbox does not run init containers"
                raise SetupError("Failed", f"Error: {reason}", ("CreateContainerConfigError", reason))
            if container["name"] not in self.facts.init_containers:
                self.facts.init_containers.append(container["name"])

    def _unknown_image(self, error: ImageUnknown) -> str:
        images = [container.image for container in self.facts.containers]
        return next((image for image in images if image in str(error)), images[0])

    def _restarts(self, exit_code: int) -> bool:
        policy = self._pod["spec"].get("restartPolicy", "Always")
        return policy == "Always" or (policy == "OnFailure" and exit_code != 0)

    def _facts_of(self, name: str) -> ContainerFacts:
        return next(container for container in self.facts.containers if container.name == name)

    def _cancel(self, key: str) -> None:
        task = self._tasks.pop(key, None)
        if task:
            task.cancel()

    async def _wait(self, seconds: float) -> None:
        """Until somebody wakes the worker, at most ``seconds``."""
        try:
            await asyncio.wait_for(self._wakened.wait(), seconds)
        except TimeoutError:
            return
