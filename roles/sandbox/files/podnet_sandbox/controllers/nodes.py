# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as their kubelets report them: registered once, Ready when CNI is, and cleaned up after when deleted.

A deleted Node stays deleted until somebody creates it again, or its machine starts anew: a real kubelet registers
only at its start. Its pods are removed (the pod garbage collector's work) and its machine idles.
"""

from __future__ import annotations

import ipaddress
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..config import SandboxConfig
from .events import EventRecorder
from .objects import set_condition

NOT_READY_TAINT = "node.kubernetes.io/not-ready"
_CORDONED = "node.kubernetes.io/unschedulable"
_OWN_TAINTS = (NOT_READY_TAINT, _CORDONED)
_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
_CNI_MISSING = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
_PRESSURES = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)


class Nodes:
    """Reports the machines' state. ``cni_ready(node)`` says whether the CNI configuration is in place there."""

    watches = frozenset({"nodes", "pods"})

    def __init__(self, store: Any, config: SandboxConfig, cni_ready: Callable[[str], bool]) -> None:
        self._store = store
        self._config = config
        self._cni_ready = cni_ready
        self._events = EventRecorder(store, "kubelet")
        self._cordoned: set[str] = set()

    def register(self) -> None:
        """Create every node's object, NotReady: there is no network plugin yet."""
        for name in self._config.nodes:
            self._register(name)

    def started(self, name: str) -> None:
        """The node's kubelet has started again, with its machine: it registers where its Node is gone."""
        node = self._store.find("nodes", name) or self._register(name)
        self._events.normal(node, "Starting", "Starting kubelet.", name)

    def _register(self, name: str) -> Any:
        self._store.create("nodes", self._node(name, self._config.nodes.index(name)))
        status = {**self._machine(name), "conditions": self._conditions([], name)}
        return self._store.patch("nodes", name, {"status": status}, subresource="status")

    def reconcile(self) -> None:
        present = {node["metadata"]["name"]: node for node in self._store.scan("nodes")}
        for name, node in present.items():
            if name in self._config.nodes:
                self._report(name, node)
        for pod in self._store.scan("pods"):
            orphaned = pod["spec"].get("nodeName") and pod["spec"]["nodeName"] not in present
            if orphaned and not pod["metadata"].get("deletionTimestamp"):
                self._store.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"], grace=0)

    def _report(self, name: str, node: Mapping[str, Any]) -> None:
        status = node.get("status") or {}
        conditions = self._conditions(status.get("conditions") or [], name)
        missing = {} if status.get("nodeInfo") else self._machine(name)
        self._store.patch("nodes", name, {"status": {**missing, "conditions": conditions}}, subresource="status")
        taints = [taint for taint in node["spec"].get("taints") or () if taint["key"] not in _OWN_TAINTS]
        for key, holds in ((NOT_READY_TAINT, not self._cni_ready(name)), (_CORDONED, bool(node["spec"].get("unschedulable")))):
            if holds:
                taints.append({"effect": "NoSchedule", "key": key})
        self._tell(node, status.get("conditions") or (), conditions)
        if taints != (node["spec"].get("taints") or []):
            self._store.patch("nodes", name, {"spec": {"taints": taints or None}})

    def _tell(self, node: Mapping[str, Any], before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> None:
        """What the kubelet says of its node when it becomes ready or is not any longer, is cordoned or uncordoned."""
        name = node["metadata"]["name"]
        ready = [next((each["status"] for each in conditions if each["type"] == "Ready"), "") for conditions in (before, after)]
        if ready[0] and ready[0] != ready[1]:
            self._say(node, "NodeReady" if ready[1] == "True" else "NodeNotReady")
        cordoned = bool(node["spec"].get("unschedulable"))
        if cordoned != (name in self._cordoned):
            self._cordoned ^= {name}
            self._say(node, "NodeNotSchedulable" if cordoned else "NodeSchedulable")

    def _say(self, node: Mapping[str, Any], reason: str) -> None:
        name = node["metadata"]["name"]
        self._events.normal(node, reason, f"Node {name} status is now: {reason}", name)

    def _conditions(self, before: list[Any], name: str) -> list[Any]:
        result = before
        for kind, reason, message in _PRESSURES:
            result = _set(result, {"type": kind, "status": "False", "reason": reason, "message": message})
        if self._cni_ready(name):
            ready = {"status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
        else:
            ready = {"status": "False", "reason": "KubeletNotReady", "message": _CNI_MISSING}
        return _set(result, {"type": "Ready", **ready})

    def _node(self, name: str, index: int) -> dict[str, Any]:
        labels = {
            "beta.kubernetes.io/arch": _architecture(),
            "beta.kubernetes.io/os": "linux",
            "kubernetes.io/arch": _architecture(),
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
        }
        spec = self._pod_range(index)
        if index == 0:
            labels[_CONTROL_PLANE] = ""
        if index == 0 and len(self._config.nodes) > 1:  # alone it runs pods: kind removes the taint (kubeadminit/init.go)
            spec["taints"] = [{"effect": "NoSchedule", "key": _CONTROL_PLANE}]
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "spec": spec}

    def _pod_range(self, index: int) -> dict[str, Any]:
        """podCIDR, a /24 of the pod network in the nodes' order, as kube-controller-manager gives it; Calico's IPAM asks nothing of it."""
        network = ipaddress.IPv4Network(self._config.pod_subnet)
        start = int(network.network_address) + index * _POD_RANGE_ADDRESSES
        if start + _POD_RANGE_ADDRESSES - 1 > int(network.broadcast_address):
            return {}
        cidr = f"{ipaddress.IPv4Address(start)}/24"
        return {"podCIDR": cidr, "podCIDRs": [cidr]}

    def _machine(self, name: str) -> dict[str, Any]:
        """What a node's status says of the machine, which is this one."""
        capacity = {
            "cpu": str(os.cpu_count() or 1),
            "ephemeral-storage": f"{_disk_kibibytes()}Ki",
            "hugepages-1Gi": "0",
            "hugepages-2Mi": "0",
            "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 1024}Ki",
            "pods": "110",
        }
        return {
            "addresses": [
                {"address": self._config.address_of(name), "type": "InternalIP"},
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": capacity,
            "capacity": capacity,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "architecture": _architecture(),
                "bootID": _NO_ID,
                "containerRuntimeVersion": "netns://1",
                "kernelVersion": platform.release(),
                "kubeProxyVersion": self._config.kubernetes_version,
                "kubeletVersion": self._config.kubernetes_version,
                "machineID": _NO_ID,
                "operatingSystem": "linux",
                "osImage": _os_image(),
                "systemUUID": _NO_ID,
            },
        }


_POD_RANGE_ADDRESSES = 256
_NO_ID = "00000000-0000-0000-0000-000000000000"


def _set(conditions: list[Any], new: dict[str, Any]) -> list[Any]:
    """As `set_condition`, with the heartbeat moving only when something changed: quiet nodes make no events."""
    old = next((entry for entry in conditions if entry["type"] == new["type"]), {})
    if all(old.get(key) == value for key, value in new.items()):
        return conditions
    result = set_condition(conditions, new)
    for entry in result:
        if entry["type"] == new["type"]:
            entry["lastHeartbeatTime"] = entry["lastTransitionTime"]
    return result


def _architecture() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def _disk_kibibytes() -> int:
    disk = os.statvfs("/")
    return disk.f_blocks * disk.f_frsize // 1024


def _os_image() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "Linux"
