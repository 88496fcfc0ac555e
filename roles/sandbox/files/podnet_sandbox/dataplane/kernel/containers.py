# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container processes: from image and pod spec to a first process, its log, its end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from dataclasses import dataclass, field
from functools import partial

from ... import images
from ...confinement.rootfs import RootFilesystem
from ...images.certificate import server_files
from ...images.entrypoints import ARGUMENTS
from ...zygote_client import POD_CAPABILITIES, NamespaceDescriptors, Process, StartError, ZygoteClient
from ..desired import PodNetwork
from .container_log import ContainerLog
from .container_streams import ContainerStreams
from .namespaces import NetworkNamespace
from .node import NODE_CAPABILITIES, Node
from .volumes import Volumes
from .workloads import (
    ContainerSpec,
    ContainerState,
    ExitCallback,
    ImageUnknown,
    NotRunning,
    PodHandle,
    PodProcessSpec,
    WorkloadError,
)

#: What a pod may be given on top of the ordinary set when its securityContext asks.
_GRANTABLE = frozenset({"NET_ADMIN", "NET_BROADCAST", "NET_RAW"})
_CALICO_NODE = "calico-node"
_NOT_STARTED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init"
)


@dataclass
class RunningPod:
    """A pod the kernel room knows: its handle, what it was made from, its namespaces (None: the node's), what was started."""

    handle: PodHandle
    spec: PodProcessSpec
    network: PodNetwork | None
    own: NetworkNamespace | None
    containers: dict[str, ContainerSpec] = field(default_factory=dict)


class Containers:
    """Starts, watches and ends the containers of all pods."""

    def __init__(self, zygote: ZygoteClient, volumes: Volumes, *, single_user: bool, on_exit: ExitCallback) -> None:
        self._zygote = zygote
        self._volumes = volumes
        self._single_user = single_user
        self._on_exit = on_exit
        self._streams: dict[tuple[str, str], dict[str, list[ContainerStreams]]] = {}  # by pod and container: [current, previous]

    def check_images(self, spec: PodProcessSpec) -> None:
        """Raises `ImageUnknown` for the first container whose image the table has not."""
        for container in spec.containers:
            self._image(container)

    async def start(self, pod: RunningPod, container: ContainerSpec, node: Node) -> None:
        """Start (again) one container. Raises `WorkloadError` with runc's words."""
        image = self._image(container)
        pod.containers[container.name] = container
        state = pod.handle.containers.setdefault(container.name, ContainerState(container.name, image.image_id))
        process = _process(image, container, node.name if pod.own is None else pod.spec.hostname or pod.spec.name)
        streams = ContainerStreams(stdin=container.stdin, tty=container.tty, stdin_once=container.stdin_once)
        try:
            if image.entrypoint == _CALICO_NODE and pod.own is None:
                pid = await self._zygote.exec(node.pid, process, streams.theirs)
            else:
                namespaces = (pod.own or node.namespace).descriptors
                pid = await self._zygote.start(namespaces, self._root(image, pod, container), process, streams.theirs)
        except BaseException as error:
            streams.abandon()
            if isinstance(error, StartError):
                raise WorkloadError(f"{_NOT_STARTED}: {error}: unknown") from error
            raise
        self._watch(pod.handle, state, pid, streams)

    async def start_node(self, namespaces: NamespaceDescriptors) -> int:
        """A node's first process, with the file system that calico-node's containers see."""
        image = images.find("quay.io/calico/node")
        assert image is not None  # in the table
        root = RootFilesystem(
            self._volumes.root, scripts=image.scripts, binds=image.binds, writable_net_sysctls=True
        )
        process = Process(builtin="node", env=dict(image.env), capabilities=NODE_CAPABILITIES)
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            return await self._zygote.start(namespaces, root, process, (null, null, null))
        finally:
            os.close(null)

    async def end(self, pod: RunningPod, name: str, grace: float) -> None:
        """Ask the container to end, and kill it after ``grace`` seconds. Returns when it is gone."""
        state = pod.handle.containers.get(name)
        if state is None or not state.running:
            return
        pid, exited = state.pid, asyncio.shield(self._zygote.exited(state.pid))
        if grace > 0:
            self._zygote.kill(pid, signal.SIGTERM)
            await asyncio.wait((exited,), timeout=grace)
        if not exited.done():
            self._zygote.kill(pid, signal.SIGKILL, group=True)
            await exited

    async def stop(self, handle: PodHandle) -> None:
        """Kill all containers of the pod and wait until they are gone; what they wrote is kept until `forget`."""
        exits = []
        for state in handle.containers.values():
            if state.running:
                exits.append(self._zygote.exited(state.pid))
                self._zygote.kill(state.pid, signal.SIGKILL, group=True)
        if exits:
            await asyncio.wait(exits)

    def forget(self, namespace: str, name: str) -> None:
        """The pod is gone: nobody will read what its containers wrote."""
        self._streams.pop((namespace, name), None)

    def beside(self, pod: RunningPod, name: str, argv: tuple[str, ...], *, tty: bool) -> tuple[int, Process]:
        """(first process of the container, a process to run beside it). Raises `NotRunning`."""
        state = pod.handle.containers.get(name)
        spec = pod.containers.get(name)
        if state is None or spec is None:
            raise NotRunning(f"container {name} is not valid for pod {pod.handle.name}")
        if not state.running:
            raise NotRunning(f"container {name} of pod {pod.handle.name} is not running")
        env = dict(_process(self._image(spec), spec, pod.spec.hostname or pod.spec.name).env)
        env.pop(ARGUMENTS, None)
        if tty:
            env.setdefault("TERM", "xterm")
        process = Process(argv, env=env, cwd=spec.working_dir or "/", capabilities=_capabilities(spec), tty=tty)
        return state.pid, process

    def streams(self, handle: PodHandle, name: str) -> ContainerStreams:
        """What a running container reads and writes. Raises `NotRunning`."""
        state = handle.containers.get(name)
        if state is None or not state.running:
            raise NotRunning(f"container {name} of pod {handle.name} is not running")
        return self._streams[handle.namespace, handle.name][name][0]

    def log(self, handle: PodHandle, name: str, *, previous: bool) -> ContainerLog:
        """The container's log, or that of the one before it. Raises `NotRunning`."""
        kept = self._streams.get((handle.namespace, handle.name), {}).get(name, [])
        wanted = 1 if previous else 0
        if len(kept) <= wanted:
            what = "previous terminated container" if previous else "container"
            raise NotRunning(f'{what} "{name}" in pod "{handle.name}" not found')
        return kept[wanted].log

    def _image(self, container: ContainerSpec) -> images.Image:
        image = images.find(container.image, single_user=self._single_user)
        if image is None:
            raise ImageUnknown(
                f'failed to pull and unpack image "{container.image}": failed to resolve reference '
                f'"{container.image}": not in the sandbox\'s image table'
            )
        return image

    def _root(self, image: images.Image, pod: RunningPod, container: ContainerSpec) -> RootFilesystem:
        files = {path: text.encode() for path, text in image.files.items()}
        if image.entrypoint == "multitool":
            files |= server_files()
        key = (pod.handle.namespace, pod.handle.name)
        sources = {mount: self._volumes.source(key, mount) for mount in container.mounts}
        return RootFilesystem(
            self._volumes.root,
            files={**files, **pod.spec.files},
            scripts=image.scripts,
            binds={**image.binds, **{mount.path: source for mount, source in sources.items() if mount.read_only}},
            shared={mount.path: source for mount, source in sources.items() if not mount.read_only},
        )

    def _watch(self, handle: PodHandle, state: ContainerState, pid: int, streams: ContainerStreams) -> None:
        exited = self._zygote.exited(pid)
        streams.begin(exited)
        kept = self._streams.setdefault((handle.namespace, handle.name), {}).setdefault(state.name, [])
        kept[:] = [streams, *kept[:1]]
        if state.started_at:
            state.restarts += 1
        state.pid, state.started_at, state.exit_code = pid, time.time(), None
        exited.add_done_callback(partial(self._ended, handle, state, streams))

    def _ended(self, handle: PodHandle, state: ContainerState, streams: ContainerStreams, code: asyncio.Future[int]) -> None:
        self._zygote.forget(state.pid)
        state.pid, state.finished_at, state.exit_code = 0, time.time(), code.result()
        streams.end()
        self._on_exit(handle, state)


def _process(image: images.Image, container: ContainerSpec, hostname: str) -> Process:
    """`command` replaces the image's entrypoint, and with it everything the entrypoint would have done."""
    terminal = {"TERM": "xterm"} if container.tty else {}
    env = {"HOSTNAME": hostname, "HOME": "/root", **terminal, **image.env, **container.env}
    common = {"cwd": container.working_dir or "/", "capabilities": _capabilities(container), "tty": container.tty}
    if container.command:
        return Process(argv=(*container.command, *container.args), env=env, **common)
    if image.entrypoint:
        env |= {ARGUMENTS: json.dumps(container.args), "PODNET_IMAGE": image.reference}
        return Process(builtin=image.entrypoint, env=env, **common)
    return Process(argv=container.args or image.command, env=env, **common)


def _capabilities(container: ContainerSpec) -> tuple[str, ...]:
    if container.privileged:
        return NODE_CAPABILITIES
    return tuple(sorted({*POD_CAPABILITIES, *(_GRANTABLE & set(container.capabilities))}))
