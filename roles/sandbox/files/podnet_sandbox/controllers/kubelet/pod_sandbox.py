# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pod has before its containers start: its address, its devices, its volumes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from typing import Any

from ...dataplane.desired import PodNetwork
from ...dataplane.kernel import NotRunning, PodProcessSpec, WorkloadError
from ...ipam.pools import IpamError
from . import volumes
from .node import PodContext
from .pod_network import annotations_of
from .process_spec import mounted_volumes, pod_files


class SetupError(Exception):
    """A pod that cannot start yet: event ``reason`` and its message."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message


class PodSandbox:
    """One pod's, made by `make` and given back by `leave_network`."""

    def __init__(self, context: PodContext) -> None:
        self._context = context
        self._node = context.node
        self._where = (context.namespace, context.name)
        self._container_id = secrets.token_hex(32)
        self._network: PodNetwork | None = None
        self._written: dict[str, volumes.Files] = {}
        self._token: bytes | None = None

    async def make(self) -> None:
        """Network first, because the environment may name the pod's address. Raises `SetupError`; can be tried again."""
        self._connect()
        pod, facts = self._context.pod, self._context.facts
        facts.pod_ip = self._network.address if self._network else facts.host_ip
        self.fill_volumes(first=True)
        files = pod_files(pod, facts.pod_ip, self._node.dns)
        spec = PodProcessSpec(*self._where, (), hostname=pod["spec"].get("hostname") or self._context.name, files=files)
        await self._node.kernel.add_pod(pod["spec"]["nodeName"], self._network, spec)
        facts.sandbox_ready = True
        if self._network:
            self._annotate(annotations_of(self._network, self._container_id))

    def _connect(self) -> None:
        """The CNI plugin's part, once; a pod that is tried again keeps its address."""
        pod = self._context.pod
        if self._network or pod["spec"].get("hostNetwork"):
            return
        if not self._node.cni_ready(pod["spec"]["nodeName"]):
            raise SetupError(
                "NetworkNotReady", "network is not ready: container runtime network not ready: cni plugin not initialized"
            )
        try:
            self._network = self._node.cni.add(pod, self._container_id, self._node.configured_mtu())
        except IpamError as error:
            message = (
                "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "
                f'"{self._container_id}": plugin type="calico" failed (add): {error}'
            )
            self._container_id = secrets.token_hex(32)  # a new sandbox at the next attempt
            raise SetupError("FailedCreatePodSandBox", message) from error

    def fill_volumes(self, *, first: bool = False) -> None:
        """What ConfigMaps, Secrets and the pod say now. A running pod whose ConfigMap is gone keeps what it has."""
        where, kernel = self._where, self._node.kernel
        if first:
            self._written.clear()  # an attempt that failed has taken them away again
        for volume in mounted_volumes(self._context.pod):
            kind = volumes.kind_of(volume)
            try:
                if kind in volumes.WRITTEN:
                    files = volumes.written(volume, self._context.known(), self._node.store, self._own_token)
                    if self._written.get(volume["name"]) != files:
                        kernel.volumes.write(where, volume["name"], files)
                        self._written[volume["name"]] = files
                elif kind == volumes.EMPTY and first:
                    kernel.volumes.empty(where, volume["name"], volumes.size_of(volume), anew=volumes.in_memory(volume))
                elif kind == volumes.HOST and first:
                    self._mount_host(volume)
                elif first:
                    raise volumes.VolumeError(volume["name"], f"the sandbox has no volumes of kind {kind}")
            except (volumes.VolumeError, WorkloadError) as error:
                if first:
                    raise SetupError("FailedMount", str(error)) from error
            except OSError as error:  # no room left: what is there stays
                if first:
                    raise SetupError("FailedMount", f'MountVolume.SetUp failed for volume "{volume["name"]}" : {error}') from error

    def _mount_host(self, volume: Mapping[str, Any]) -> None:
        source, node = volume[volumes.HOST], self._context.pod["spec"]["nodeName"]
        if source.get("type") not in (None, "", "DirectoryOrCreate"):  # a new node has none of the files that are to be there
            raise volumes.VolumeError(volume["name"], f"hostPath type check failed: {source['path']} is not a {source['type'].lower()}")
        try:
            self._node.kernel.volumes.host(self._where, volume["name"], node, source["path"])
        except WorkloadError as error:
            raise volumes.VolumeError(volume["name"], str(error)) from error

    def _own_token(self, pod: Mapping[str, Any]) -> bytes:
        """The service account's, asked for once."""
        if self._token is None:
            self._token = self._node.token(pod)
        return self._token

    async def leave_network(self) -> None:
        """The address is free afterwards. Twice is fine: whoever does it may be interrupted."""
        if self._network is None:
            return
        network = self._network
        self._annotate({name: "" for name in annotations_of(network, "") if name.endswith(("podIP", "podIPs"))})
        with contextlib.suppress(NotRunning):  # it never was in it
            await self._node.kernel.leave_network(*self._where)
        self._node.cni.delete(self._container_id)
        self._network = None
        self._container_id = secrets.token_hex(32)  # the next one, if there is one

    def _annotate(self, annotations: Mapping[str, str]) -> None:
        """What CNI leaves on the Pod, for Felix: an address, or that it is released. The Pod may be gone already."""
        namespace, name = self._where
        if self._context.is_there():
            self._node.store.patch("pods", name, {"metadata": {"annotations": annotations}}, namespace)
