# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pod's status from what the kubelet knows of it. Pure but for the time of a condition's change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..objects import set_condition

Status = dict[str, Any]


@dataclass
class ContainerFacts:
    """One container as the kubelet sees it. ``waiting``: (reason, message) while it does not run."""

    name: str
    image: str
    image_id: str = ""
    container_id: str = ""
    waiting: tuple[str, str] | None = ("ContainerCreating", "")
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int | None = None
    restarts: int = 0
    ready: bool = False
    last_exit: Status | None = None

    @property
    def running(self) -> bool:
        return self.waiting is None and self.exit_code is None


@dataclass
class PodFacts:
    """One pod: its containers, its addresses, and whether its network is there."""

    containers: list[ContainerFacts]
    init_containers: list[str] = field(default_factory=list)
    host_ip: str = ""
    pod_ip: str = ""
    sandbox_ready: bool = False


def pod_status(pod: Mapping[str, Any], facts: PodFacts, start_time: str) -> Status:
    """The whole status to write; conditions that others set (PodScheduled) are kept."""
    before = (pod.get("status") or {}).get("conditions") or []
    phase = _phase(pod["spec"].get("restartPolicy", "Always"), facts)
    status: Status = {
        "conditions": _conditions(before, facts, phase),
        "containerStatuses": [_container_status(container) for container in facts.containers],
        "hostIP": facts.host_ip,
        "hostIPs": [{"ip": facts.host_ip}],
        "phase": phase,
        "qosClass": qos_class(pod["spec"]),
        "startTime": start_time,
    }
    if facts.pod_ip:
        status["podIP"] = facts.pod_ip
        status["podIPs"] = [{"ip": facts.pod_ip}]
    if facts.init_containers:
        status["initContainerStatuses"] = [
            _completed(container, start_time)
            for container in pod["spec"]["initContainers"]
            if container["name"] in facts.init_containers
        ]
    return status


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, from requests and limits."""
    containers = [*spec.get("containers", ()), *(spec.get("initContainers") or ())]
    resources = [container.get("resources") or {} for container in containers]
    if not any(entry.get("requests") or entry.get("limits") for entry in resources):
        return "BestEffort"
    for entry in resources:
        limits, requests = entry.get("limits") or {}, entry.get("requests") or {}
        if any(name not in limits or requests.get(name, limits[name]) != limits[name] for name in ("cpu", "memory")):
            return "Burstable"
    return "Guaranteed"


def terminated(container: ContainerFacts) -> Status:
    """The state of a container that has ended."""
    code = container.exit_code or 0
    state = {
        "containerID": container.container_id,
        "exitCode": code,
        "finishedAt": _time(container.finished_at),
        "reason": "Completed" if code == 0 else "Error",
        "startedAt": _time(container.started_at),
    }
    if code > 128:
        state["signal"] = code - 128
    return state


def _phase(restart_policy: str, facts: PodFacts) -> str:
    containers = facts.containers
    if restart_policy != "Always" and all(container.exit_code is not None for container in containers):
        failed = any(container.exit_code for container in containers)
        if not failed:
            return "Succeeded"
        if restart_policy == "Never":
            return "Failed"
    started = any(container.running or container.restarts or container.exit_code is not None for container in containers)
    return "Running" if started else "Pending"


def _conditions(before: Sequence[Mapping[str, Any]], facts: PodFacts, phase: str) -> list[Status]:
    unready = [container.name for container in facts.containers if not container.ready]
    result = list(before)
    finished = phase in ("Succeeded", "Failed")
    for kind, holds in (
        ("PodReadyToStartContainers", facts.sandbox_ready and not finished),
        ("Initialized", True),
        ("Ready", not unready),
        ("ContainersReady", not unready),
    ):
        condition: Status = {"type": kind, "status": "True" if holds else "False", "lastProbeTime": None}
        if kind in ("Ready", "ContainersReady") and not holds:
            if finished:
                condition["reason"] = "PodCompleted" if phase == "Succeeded" else "PodFailed"
            else:
                condition["reason"] = "ContainersNotReady"
                condition["message"] = f"containers with unready status: [{' '.join(unready)}]"
        result = set_condition(result, condition)
    return result


def _container_status(container: ContainerFacts) -> Status:
    status: Status = {
        "image": container.image,
        "imageID": container.image_id,
        "lastState": {"terminated": container.last_exit} if container.last_exit else {},
        "name": container.name,
        "ready": container.ready,
        "restartCount": container.restarts,
        "started": container.running,
        "state": _state(container),
    }
    if container.container_id:
        status["containerID"] = container.container_id
    return status


def _state(container: ContainerFacts) -> Status:
    if container.waiting is not None:
        reason, message = container.waiting
        return {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    if container.exit_code is not None:
        return {"terminated": terminated(container)}
    return {"running": {"startedAt": _time(container.started_at)}}


def _completed(container: Mapping[str, Any], at: str) -> Status:
    """An init container whose work the sandbox has done itself."""
    state = {"exitCode": 0, "finishedAt": at, "reason": "Completed", "startedAt": at}
    return {
        "image": container["image"],
        "imageID": "",
        "lastState": {},
        "name": container["name"],
        "ready": True,
        "restartCount": 0,
        "started": False,
        "state": {"terminated": state},
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
