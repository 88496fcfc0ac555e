# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel room that only remembers: for tests of what the controllers ask of the real one."""

from __future__ import annotations

import asyncio
import time

from podnet_sandbox.dataplane.kernel import Answer, ContainerState, ImageUnknown, PodHandle
from podnet_sandbox.images.table import find


class FakeVolumes:
    """What was last written into which volume of which pod."""

    def __init__(self):
        self.files, self.empties = {}, []

    def write(self, pod, volume, files):
        self.files[pod, volume] = {path: file.content for path, file in files.items()}

    def empty(self, pod, volume, size=None, *, anew=False):
        self.empties.append((pod, volume))


class FakeKernel:
    """Everything starts at once and ends when it is asked to; probes answer what ``answers`` says for the pod's name prefix (default yes)."""

    def __init__(self):
        self.on_exit = None
        self.ipip = False
        self.nodes, self.pods, self.networks = {}, {}, {}
        self.bird, self.felix_ready, self.answers = {}, {}, {}
        self.volumes = FakeVolumes()
        self.started, self.ended = [], []
        self.containers, self.stubborn = {}, set()

    async def start(self):
        pass

    async def stop(self):
        self.pods.clear()

    async def add_node(self, name, interface, gateway):
        self.nodes[name] = interface, gateway

    async def add_pod(self, node, pod, spec):
        self.pods[spec.namespace, spec.name] = (node, pod, spec)
        return PodHandle(spec.namespace, spec.name, node, {})

    async def remove_pod(self, namespace, name):
        self.pods.pop((namespace, name), None)

    async def leave_network(self, namespace, name):
        node, _, spec = self.pods[namespace, name]
        self.pods[namespace, name] = (node, None, spec)

    async def start_container(self, namespace, name, container):
        if find(container.image) is None:
            raise ImageUnknown(f"{container.image}: not found")
        self.started.append((namespace, name, container.name))
        self.containers[namespace, name, container.name] = container
        return ContainerState(container.name, "image@sha256:0", 1, time.time())

    async def end_container(self, namespace, name, container, grace):
        """A stubborn one has to be killed."""
        self.ended.append((namespace, name, container, grace))
        if name in self.stubborn:
            await asyncio.sleep(grace)
        self.exit(namespace, name, container, 137 if name in self.stubborn else 0)

    async def sync_node(self, desired):
        self.networks[desired.name] = desired

    async def sync_bird(self, node, bgp):
        self.bird[node] = bgp

    def set_felix_ready(self, node, ready):
        self.felix_ready[node] = ready

    async def probe_exec(self, namespace, pod, container, argv, timeout):
        return self._answer(pod, " ".join(argv))

    async def probe_http(self, namespace, pod, host, port, path, timeout, *, tls=False):
        return self._answer(pod, f"http://{host}:{port}{path}")

    async def probe_tcp(self, namespace, pod, host, port, timeout):
        return self._answer(pod, f"tcp://{host}:{port}")

    def exit(self, namespace, name, container, code):
        """The container's first process ends."""
        state = ContainerState(container, "", finished_at=time.time(), exit_code=code)
        self.on_exit(PodHandle(namespace, name, "", {container: state}), state)

    def _answer(self, pod, what):
        good = next((answer for prefix, answer in self.answers.items() if pod.startswith(prefix)), True)
        return Answer(good, "" if good else f"no success from {what}")
