# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The composition root: store, kernel and controllers put together into one cluster that lives.

`Cluster` also is what the API server asks for exec, attach, port-forward and logs (its ``Runtime``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import yaml

from .api.errors import ApiError, bad_request, internal
from .api.runtime import ContainerNotFound, ForwardError
from .config import SandboxConfig
from .controllers.calico.bgp_troubles import BgpTroubles
from .controllers.calico.garbage import IpamGarbage
from .controllers.calico.node_agent import NodeAgents
from .controllers.calico.operator import Operator
from .controllers.calico.preinstalled import objects as calico_objects
from .controllers.claims import VolumeClaims
from .controllers.daemonsets import DaemonSets
from .controllers.deployments import Deployments
from .controllers.disruptions import Disruptions
from .controllers.events import EventExpiry
from .controllers.jobs.cronjobs import CronJobs
from .controllers.jobs.jobs import Jobs
from .controllers.kubelet.kubelet import Configuration, Kubelet, Surroundings
from .controllers.kubelet.node import Node
from .controllers.kubelet.pod_network import CONTAINER_ID, Cni
from .controllers.kubelet.process_spec import dns_address
from .controllers.loop import ControlLoop
from .controllers.namespaces import Namespaces
from .controllers.nodes import Nodes
from .controllers.quotas import Quotas
from .controllers.replicasets import ReplicaSets
from .controllers.scheduling.scheduler import Scheduler
from .controllers.scheduling.taints import TaintEviction
from .controllers.services import Endpoints
from .controllers.statefulsets import StatefulSets
from .dataplane.kernel import ExecFailed, ForwardFailed, Kernel, NotRunning, Session
from .dataplane.reconciler import Reconciler
from .ipam.allocator import Ipam
from .machines import Machines

LOG = logging.getLogger(__name__)
#: Where the API server listens on the control plane's address, as kubeadm has it.
API_PORT = 6443

TokenIssuer = Callable[[str, str], str]


class Cluster:
    """A Kubernetes cluster with Calico's operator ready to act. ``issue_token(namespace, account)`` may be left out."""

    def __init__(
        self,
        config: SandboxConfig,
        kernel: Kernel,
        store: Any,
        *,
        ca_certificate: str = "",
        issue_token: TokenIssuer | None = None,
    ) -> None:
        self._config, self._kernel, self._store = config, kernel, store
        self._issue_token = issue_token
        self._tasks: list[asyncio.Task[None]] = []
        ipam = self._ipam = Ipam(store, calico_version=config.calico_version)
        agents = NodeAgents(store, config, ipam, lambda: kernel.ipip)
        self._nodes = Nodes(store, config, agents.cni_ready)
        self._reconciler = Reconciler(store, kernel, config.nodes, config.calico_version)
        self._kubelet = self._make_kubelet(ipam, agents)
        self._loop = ControlLoop(store, (
            Namespaces(store, ca_certificate),
            Deployments(store),
            ReplicaSets(store),
            DaemonSets(store),
            StatefulSets(store),
            CronJobs(store),
            Jobs(store),
            Scheduler(store),
            TaintEviction(store),
            Disruptions(store),
            VolumeClaims(store),
            Quotas(store),
            EventExpiry(store),
            self._kubelet,
            Surroundings(self._kubelet),
            Configuration(self._kubelet),
            agents,
            self._nodes,
            Endpoints(store),
            Operator(store, config, lambda: kernel.ipip),
            IpamGarbage(store, ipam),
            BgpTroubles(store, config.calico_version),
            self._reconciler,
        ))  # fmt: skip
        self._machines = Machines(kernel, self._kubelet, self._reconciler, self._boot)
        kernel.on_exit, kernel.on_node_exit = self._kubelet.exited, self._machines.lost
        self.on_boot: dict[str, Callable[[], Awaitable[None]]] = {}  # what else has to be done on a node that starts again

    async def start(self) -> None:
        """Machines, their Node objects and a cluster's first objects; returns when the API may be served."""
        await self._kernel.start()
        for name in self._config.nodes:
            await self._add_node(name)
        self._nodes.register()
        self._create_first_objects()
        for obj in calico_objects(self._config):
            self._store.create(self._store.resources.by_kind(obj["apiVersion"], obj["kind"]).name, obj)
        self._loop.settle()
        self._tasks = [
            asyncio.create_task(self._loop.run(), name="controllers"),
        ]

    async def stop(self) -> None:
        """Controllers first, then everything in the kernel."""
        self._loop.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._machines.stop()
        await self._kubelet.stop()
        await self._reconciler.stop()
        await self._kernel.stop()

    async def _add_node(self, name: str) -> None:
        await self._kernel.add_node(name, self._config.interface_of(name), self._config.gateway_of(name))

    async def _boot(self, name: str) -> None:
        """A node's machine, again."""
        await self._add_node(name)
        if name in self.on_boot:
            await self.on_boot[name]()
        self._nodes.started(name)

    def release_pool(self, cidr: str) -> None:
        """What is to be done for IPAM when a pool is deleted through Calico's own API."""
        self._ipam.release_pool(cidr)

    def synced(self, node: str) -> bool:
        """Whether the node's kernel has all that the objects ask for."""
        return self._reconciler.synced(node)

    async def exec(
        self, namespace: str, pod: str, container: str, argv: Sequence[str], *, stdin: bool, tty: bool
    ) -> Session:
        """Run a command in a container. Raises `ContainerNotFound`, and `ApiError` in the words of containerd and runc."""
        try:
            return await self._kernel.exec(namespace, pod, container, argv, stdin=stdin, tty=tty)
        except NotRunning as error:
            raise ContainerNotFound(f'container not found ("{container}")') from error
        except ExecFailed as error:
            start = f'failed to exec in container: failed to start exec "{secrets.token_hex(32)}": OCI runtime exec failed'
            runc = f"exec failed: unable to start container process: {error}: unknown"
            raise internal(f"error executing command in container: {start}: {runc}") from error

    async def attach(self, namespace: str, pod: str, container: str, *, stdin: bool) -> Session:
        """A running container's output and input. Raises `ContainerNotFound`."""
        try:
            return self._kernel.attach(namespace, pod, container, stdin=stdin)
        except NotRunning as error:
            raise ContainerNotFound(f'container not found ("{container}")') from error

    async def connect(self, namespace: str, pod: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TCP connection inside the pod. Raises `ForwardError` in the words of kubelet and containerd."""
        found = self._store.find("pods", pod, namespace)
        sandbox = ((found or {}).get("metadata", {}).get("annotations") or {}).get(CONTAINER_ID, f"{namespace}/{pod}")
        what = f"error forwarding port {port} to pod {sandbox}, uid : "
        try:
            return await self._kernel.forward(namespace, pod, port)
        except NotRunning as error:
            raise ForwardError(f'{what}failed to find sandbox "{sandbox}" in store: not found') from error
        except ForwardFailed as error:
            where = f'failed to execute portforward in network namespace "{sandbox}": failed to connect to localhost:{port}'
            neither = f"IPv4: {error} IPv6 dial tcp6: address localhost: no suitable address"
            raise ForwardError(f'{what}{where} inside namespace "{sandbox}", {neither}') from error

    async def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail_lines: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
        since_seconds: float | None = None,
    ) -> AsyncIterator[bytes]:
        """A container's output. Raises `ApiError` where there is none."""
        try:
            lines = self._kernel.logs(
                namespace, pod, container,
                follow=follow, tail_lines=tail_lines, previous=previous, timestamps=timestamps,
                since_seconds=since_seconds,
            )  # fmt: skip
            async for line in lines:
                yield line
        except NotRunning as error:
            raise bad_request(f"unable to retrieve container logs: {error}") from error

    def _make_kubelet(self, ipam: Ipam, agents: NodeAgents) -> Kubelet:
        node = Node(
            store=self._store,
            kernel=self._kernel,
            cni=Cni(self._store, ipam),
            cni_ready=agents.cni_ready,
            address_of=self._config.address_of,
            dns=dns_address(self._config.service_subnet),
            token=self._token,
            configured_mtu=self._reconciler.configured_mtu,
        )
        return Kubelet(node, frozenset(self._config.nodes))

    def _token(self, pod: Mapping[str, Any]) -> bytes:
        account = pod["spec"].get("serviceAccountName") or "default"
        return self._issue_token(pod["metadata"]["namespace"], account).encode() if self._issue_token else b""

    def _create_first_objects(self) -> None:
        """What kubeadm and the API server leave in a new cluster, as far as somebody reads it."""
        for namespace in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self._create("namespaces", "v1", "Namespace", {"name": namespace})
        self._create_kubernetes_service()
        networking = {
            "dnsDomain": "cluster.local",
            "podSubnet": self._config.pod_subnet,
            "serviceSubnet": self._config.service_subnet,
        }
        configuration = {
            "apiVersion": "kubeadm.k8s.io/v1beta4",
            "kind": "ClusterConfiguration",
            "clusterName": self._config.name,
            "controlPlaneEndpoint": f"{self._config.control_plane}:{API_PORT}",
            "kubernetesVersion": self._config.kubernetes_version,
            "networking": networking,
        }
        self._create(
            "configmaps", "v1", "ConfigMap", {"name": "kubeadm-config", "namespace": "kube-system"},
            data={"ClusterConfiguration": yaml.safe_dump(configuration)},
        )  # fmt: skip

    def _create_kubernetes_service(self) -> None:
        """Service `kubernetes` and its endpoint, which no selector makes."""
        address = str(ipaddress.IPv4Network(self._config.service_subnet)[1])
        labels = {"component": "apiserver", "provider": "kubernetes"}
        port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": API_PORT}
        metadata = {"name": "kubernetes", "namespace": "default"}
        spec = {"clusterIP": address, "clusterIPs": [address], "ports": [port], "type": "ClusterIP"}
        self._create("services", "v1", "Service", {**metadata, "labels": labels}, spec=spec)
        host = self._config.address_of(self._config.control_plane)
        ready = {"name": "https", "port": API_PORT, "protocol": "TCP"}
        self._create("endpoints", "v1", "Endpoints", metadata, subsets=[{"addresses": [{"ip": host}], "ports": [ready]}])
        labels = {"kubernetes.io/service-name": "kubernetes"}
        self._create(
            "endpointslices.discovery.k8s.io", "discovery.k8s.io/v1", "EndpointSlice", {**metadata, "labels": labels},
            addressType="IPv4", endpoints=[{"addresses": [host], "conditions": {"ready": True}}], ports=[ready],
        )  # fmt: skip

    def _create(self, res: str, api_version: str, kind: str, metadata: Mapping[str, Any], **fields: Any) -> None:
        """Create what the store has not made by itself."""
        try:
            self._store.create(res, {"apiVersion": api_version, "kind": kind, "metadata": dict(metadata), **fields})
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
