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
    exit_reason: str = ""  # where it is not told by the exit code: StartError
    exit_message: str = ""
    restarts: int = 0
    ready: bool = False
    started: bool = False  # its startup probe has succeeded
    sidecar: bool = False  # an init container that is always restarted
    last_exit: Status | None = None

    @property
    def running(self) -> bool:
        return self.waiting is None and self.exit_code is None

    @property
    def completed(self) -> bool:
        """Ended with success."""
        return self.waiting is None and self.exit_code == 0


@dataclass
class PodFacts:
    """One pod: its containers, its addresses, and whether its network is there. ``ended``: (reason, message) of its early end."""

    containers: list[ContainerFacts]
    init_containers: list[ContainerFacts] = field(default_factory=list)
    ephemeral: list[ContainerFacts] = field(default_factory=list)
    host_ip: str = ""
    pod_ip: str = ""
    sandbox_ready: bool = False
    phase: str = ""  # decided for good: Succeeded, Failed
    ended: tuple[str, str] | None = None

    @property
    def initialized(self) -> bool:
        """Whether the containers proper may start: every init container has done its work, or is a sidecar that has started."""
        return all(each.started if each.sidecar else each.completed for each in self.init_containers)


def pod_status(pod: Mapping[str, Any], facts: PodFacts, start_time: str) -> Status:
    """The whole status to write; conditions that others set are kept."""
    before = (pod.get("status") or {}).get("conditions") or []
    phase = facts.phase or ("Running" if _has_started(facts) else "Pending")
    status: Status = {
        "conditions": _conditions(before, facts, phase),
        "containerStatuses": [_container_status(container, pod) for container in facts.containers],
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
        status["initContainerStatuses"] = [_container_status(container, pod) for container in facts.init_containers]
    if facts.ephemeral:
        status["ephemeralContainerStatuses"] = [_container_status(container, pod) for container in facts.ephemeral]
    if facts.ended:
        status["reason"], status["message"] = facts.ended
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
        "reason": container.exit_reason or ("Completed" if code == 0 else "Error"),
        "startedAt": _time(container.started_at),
    }
    if container.exit_message:
        state["message"] = container.exit_message
    return state


def _has_started(facts: PodFacts) -> bool:
    return facts.initialized and any(
        container.running or container.restarts or container.exit_code is not None for container in facts.containers
    )


def _conditions(before: Sequence[Mapping[str, Any]], facts: PodFacts, phase: str) -> list[Status]:
    sidecars = [each for each in facts.init_containers if each.sidecar]
    unready = [container.name for container in (*sidecars, *facts.containers) if not container.ready]
    incomplete = [each.name for each in facts.init_containers if not (each.started if each.sidecar else each.completed)]
    result = list(before)
    finished = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase)
    for kind, holds, reason, message in (
        ("PodScheduled", True, "", ""),  # also of a pod that named its node itself and met no scheduler
        ("PodReadyToStartContainers", facts.sandbox_ready and not finished, "", ""),
        ("Initialized", not incomplete or phase == "Succeeded", "ContainersNotInitialized",
         f"containers with incomplete status: [{' '.join(incomplete)}]"),
        ("Ready", not unready and not finished, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"),
        ("ContainersReady", not unready and not finished, "ContainersNotReady",
         f"containers with unready status: [{' '.join(unready)}]"),
    ):  # fmt: skip
        condition: Status = {"type": kind, "status": "True" if holds else "False", "lastProbeTime": None}
        if finished and reason and (kind != "Initialized" or phase == "Succeeded"):
            condition["reason"] = finished
        elif not holds and reason:
            condition |= {"reason": reason, "message": message}
        result = set_condition(result, condition)
    return result


def _container_status(container: ContainerFacts, pod: Mapping[str, Any]) -> Status:
    status: Status = {
        "image": container.image,
        "imageID": container.image_id,
        "lastState": {"terminated": container.last_exit} if container.last_exit else {},
        "name": container.name,
        "ready": container.ready,
        "restartCount": container.restarts,
        "started": container.running and container.started,
        "state": _state(container),
    }
    if container.container_id:
        status["containerID"] = container.container_id
    mounts = _mounts(pod, container.name)
    if mounts:
        status["volumeMounts"] = mounts
    return status


def _mounts(pod: Mapping[str, Any], name: str) -> list[Status]:
    """A container's mounts as Kubernetes reports them from 1.31 on: where, and how far read-only goes."""
    containers = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or ())]
    mounts = next((item.get("volumeMounts") or () for item in containers if item["name"] == name), ())
    read_only = {"readOnly": True, "recursiveReadOnly": "Disabled"}
    return [
        {"mountPath": mount["mountPath"], "name": mount["name"], **(read_only if mount.get("readOnly") else {})} for mount in mounts
    ]


def _state(container: ContainerFacts) -> Status:
    if container.waiting is not None:
        reason, message = container.waiting
        return {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    if container.exit_code is not None:
        return {"terminated": terminated(container)}
    return {"running": {"startedAt": _time(container.started_at)}}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
