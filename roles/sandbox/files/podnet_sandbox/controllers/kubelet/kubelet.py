# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""All nodes' kubelets in one: a worker for every pod bound to a node of this sandbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from ...api.errors import ApiError
from ...dataplane.kernel import ContainerState, PodHandle
from ..objects import is_finished, is_terminating
from .node import Node
from .worker import PodWorker

LOG = logging.getLogger(__name__)


class Kubelet:
    """Starts workers for pods that are bound, ends them for pods that are deleted."""

    watches = frozenset({"pods"})

    def __init__(self, node: Node, machines: frozenset[str]) -> None:
        self._node = node
        self._machines = machines
        self._workers: dict[str, PodWorker] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: dict[str, asyncio.Task[None]] = {}
        self._grace: dict[str, float] = {}
        self._off: set[str] = set()

    def reconcile(self) -> None:
        pods = {pod["metadata"]["uid"]: pod for pod in self._node.store.scan("pods")}
        for uid, pod in pods.items():
            if pod["spec"].get("nodeName") not in self._machines:
                if is_terminating(pod):  # never placed: nothing runs that would have to end first
                    self._finalize(pod)
            elif is_terminating(pod):
                self._end(uid, pod)
            elif uid in self._workers:
                self._workers[uid].changed(pod)
            elif not is_finished(pod):
                self._begin(uid, pod)
        for uid in self._workers.keys() - pods.keys():
            self._end(uid, None)

    def wake(self) -> None:
        """Let pods that could not be set up try again now."""
        for worker in self._workers.values():
            worker.wake()

    def refresh(self) -> None:
        """ConfigMaps or Secrets are others now."""
        for worker in self._workers.values():
            worker.refresh()

    def exited(self, handle: PodHandle, state: ContainerState) -> None:
        """The kernel room's report that a container's first process has ended."""
        for worker in self._workers.values():
            if (worker.namespace, worker.name) == (handle.namespace, handle.name):
                worker.exited(state)

    async def switch_off(self, node: str) -> None:
        """The node's machine has no power: of its pods nothing is asked, and no new ones begin."""
        self._off.add(node)
        lost = self._of(node)
        tasks = [self._tasks[uid] for uid in lost]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for worker in lost.values():
            await worker.switch_off()

    def switch_on(self, node: str) -> None:
        """The node's machine is there again."""
        self._off.discard(node)
        for uid, worker in self._of(node).items():
            self._tasks[uid] = asyncio.ensure_future(self._guarded(worker.run_again(), worker))
        self.reconcile()

    async def stop(self) -> None:
        """Cancel everything; the kernel room ends the processes."""
        tasks = [*self._tasks.values(), *self._ending.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, uid: str, pod: Mapping[str, Any]) -> None:
        if self._name_is_busy(pod):
            return  # its predecessor of the same name is still being taken away
        if pod["spec"]["nodeName"] in self._off:
            return
        worker = self._workers[uid] = PodWorker(self._node, pod)
        self._tasks[uid] = asyncio.ensure_future(self._guarded(worker.run(), worker))

    def _of(self, node: str) -> dict[str, PodWorker]:
        """The node's pods, but for those that are being taken away."""
        return {uid: worker for uid, worker in self._workers.items() if worker.node == node and uid not in self._ending}

    def _name_is_busy(self, pod: Mapping[str, Any]) -> bool:
        name = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        return any((worker.namespace, worker.name) == name for worker in self._workers.values())

    def _end(self, uid: str, pod: Mapping[str, Any] | None) -> None:
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0) if pod else 0.0
        if uid in self._ending:
            self._shorten(uid, grace)
            return
        worker = self._workers.get(uid)
        if worker is None:
            if pod is not None:
                self._finalize(pod)
            return
        self._grace[uid] = grace
        self._ending[uid] = asyncio.ensure_future(self._guarded(self._take_away(uid, worker, pod, grace), worker))

    def _shorten(self, uid: str, grace: float) -> None:
        """Somebody deleted the pod again, with less patience."""
        if grace < self._grace[uid]:
            self._grace[uid] = grace
            asyncio.get_running_loop().call_later(grace, self._workers[uid].hurry)

    async def _take_away(self, uid: str, worker: PodWorker, pod: Mapping[str, Any] | None, grace: float) -> None:
        task = self._tasks.pop(uid)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        try:
            await worker.end(grace)
        finally:
            del self._workers[uid], self._ending[uid], self._grace[uid]
            if pod is not None:
                self._finalize(pod)
            else:
                self.reconcile()  # a successor of the same name may be waiting

    def _finalize(self, pod: Mapping[str, Any]) -> None:
        try:
            self._node.store.finalize_delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
        except ApiError as error:
            if error.code != 404:
                raise

    async def _guarded(self, work: Any, worker: PodWorker) -> None:
        """A worker's fault is logged with its pod's name; the others go on."""
        try:
            await work
        except asyncio.CancelledError:
            raise
        except Exception:
            LOG.exception("pod %s/%s", worker.namespace, worker.name)


class Configuration:
    """Brings pods up to date when ConfigMaps or Secrets change. A real kubelet does so at its next look, within a minute or so."""

    watches = frozenset({"configmaps", "secrets"})

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet

    def reconcile(self) -> None:
        self._kubelet.refresh()


class Surroundings:
    """Wakes pods that wait when what they may be waiting for has changed: CNI, addresses."""

    watches = frozenset({"nodes", "ippools.crd.projectcalico.org", "ipamblocks.crd.projectcalico.org"})

    def __init__(self, kubelet: Kubelet) -> None:
        self._kubelet = kubelet

    def reconcile(self) -> None:
        self._kubelet.wake()
