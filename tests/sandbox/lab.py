# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster in one process for tests: real store, real controllers, a kernel room that the test chooses."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from pathlib import Path

import podnet_sandbox
import yaml
from fake_kernel import FakeKernel
from podnet_sandbox.api.store import Store
from podnet_sandbox.cluster import Cluster
from podnet_sandbox.config import SandboxConfig

MANIFESTS = Path(podnet_sandbox.__file__).parent / "manifests"
NODES = SandboxConfig().nodes
HANDLES = "ipamhandles.crd.projectcalico.org"
STATUSES = "tigerastatuses.operator.tigera.io"
POOL = {
    "name": "default-ipv4-ippool",
    "blockSize": 26,
    "cidr": "192.168.0.0/16",
    "encapsulation": "VXLANCrossSubnet",
    "natOutgoing": "Enabled",
    "nodeSelector": "all()",
}
MULTITOOL = "wbitt/network-multitool:latest"


class Lab:
    """What a test touches: ``store`` and ``kernel``, and ways to apply, wait and look."""

    def __init__(self, config=None, kernel=None):
        self.config = config or SandboxConfig()
        self.kernel = kernel or FakeKernel()
        self.store = Store(service_subnet=self.config.service_subnet)
        self.cluster = Cluster(self.config, self.kernel, self.store, ca_certificate="CA")

    def apply(self, obj):
        return self.store.create(self.store.resources.by_kind(obj["apiVersion"], obj["kind"]).name, obj)

    def apply_manifests(self):
        for name in ("operator-crds", "tigera-operator"):
            for obj in yaml.safe_load_all((MANIFESTS / f"{name}.yaml").read_text()):
                self.apply(obj)

    def apply_installation(self, *pools, **network):
        spec = {"calicoNetwork": {"ipPools": list(pools or (POOL,)), **network}}
        return self.apply(operator_object("Installation", spec))

    async def install_calico(self, *pools, timeout=10.0, **network):
        self.apply_manifests()
        self.apply_installation(*pools, **network)
        await self.until(lambda: self.available("calico") and self.available("ippools"), timeout)
        await self.until(lambda: all(self.cluster.synced(node) for node in self.config.nodes))

    async def until(self, condition, timeout=10.0):
        """Wait for ``condition``; the test fails, with what the pods are at, when it does not come."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, self.describe()
            await asyncio.sleep(0.005)

    def available(self, name):
        found = self.store.find(STATUSES, name)
        return found is not None and self.condition(found, "Available")["status"] == "True"

    @staticmethod
    def condition(obj, kind):
        conditions = (obj.get("status") or {}).get("conditions") or ()
        return next((entry for entry in conditions if entry["type"] == kind), {"status": "absent"})

    def ready(self, obj):
        return self.condition(obj, "Ready")["status"] == "True"

    def pods(self, prefix="", namespace="default"):
        return [pod for pod in self.store.scan("pods", namespace) if pod["metadata"]["name"].startswith(prefix)]

    def pod(self, name, namespace="default"):
        return self.store.find("pods", name, namespace)

    def patch(self, res, name, patch, namespace=None):
        return self.store.patch(res, name, patch, namespace)

    def events(self, reason, name):
        found = (event for event in self.store.scan("events") if event["involvedObject"]["name"] == name)
        return [event["message"] for event in found if event["reason"] == reason]

    def describe(self):
        statuses = [f"{item['metadata']['name']}: {item.get('status')}" for item in self.store.scan(STATUSES)]
        pods = [f"{pod['metadata']['name']}: {pod.get('status')}" for pod in self.store.scan("pods")]
        return "\n".join(["did not come true", *statuses, *pods])


@contextlib.asynccontextmanager
async def running(**options):
    lab = Lab(**options)
    await lab.cluster.start()
    try:
        yield lab
    finally:
        await lab.cluster.stop()


def in_a_lab(test):
    """Run the coroutine ``test(lab, …)`` in a cluster with Calico."""

    @functools.wraps(test)
    def run(**arguments):
        async def body():
            async with running() as lab:
                await lab.install_calico()
                await test(lab, **arguments)

        asyncio.run(body())

    del run.__wrapped__  # pytest would take `lab` for a fixture
    return run


def in_a_bare_lab(test):
    """The same without Calico."""

    @functools.wraps(test)
    def run():
        async def body():
            async with running() as lab:
                await test(lab)

        asyncio.run(body())

    del run.__wrapped__
    return run


def operator_object(kind, spec=None):
    return {"apiVersion": "operator.tigera.io/v1", "kind": kind, "metadata": {"name": "default"}, "spec": spec or {}}


def pod(name, image=MULTITOOL, annotations=None, **spec):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "annotations": annotations or {}, "labels": {"app": name}},
        "spec": {"containers": [{"name": "multitool", "image": image}], **spec},
    }


def workload(kind, name, replicas=None, **spec):
    wanted = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "multitool", "image": MULTITOOL}], **spec},
        },
    }
    if replicas is not None:
        wanted["replicas"] = replicas
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": wanted}


def nodes_of(lab, prefix):
    return sorted(item["spec"]["nodeName"] for item in lab.pods(prefix))


def pod_handles(lab):
    """Handles of pods outside Calico's own namespaces."""
    own = {item["metadata"].get("annotations", {}).get("cni.projectcalico.org/containerID") for item in lab.store.scan("pods", "calico-system")}
    names = (item["metadata"]["name"] for item in lab.store.scan(HANDLES))
    return [n for n in names if n.startswith("k8s-pod-network.") and n.partition(".")[2] not in own]
