# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which container of a pod a request for its streams or its log is about, and what it has to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import bad_request

Pod = Mapping[str, Any]

_PULL_FAILURES = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def container_of(pod: Pod, named: str) -> str:
    """The one that is ``named``, or the pod's only one. Raises `ApiError` 400."""
    name, spec = pod["metadata"]["name"], pod["spec"]
    parts = {part: [item["name"] for item in spec.get(part) or ()] for part in ("initContainers", "containers", "ephemeralContainers")}
    if named:
        if not any(named in names for names in parts.values()):
            raise bad_request(f"container {named} is not valid for pod {name}")
        return named
    if len(parts["containers"]) == 1:
        return str(parts["containers"][0])
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(parts['containers'])}]"
    for part, what in (("initContainers", "init"), ("ephemeralContainers", "ephemeral")):
        if parts[part]:
            message += f" or one of the {what} containers: [{' '.join(parts[part])}]"
    raise bad_request(message)


def check_has_log(pod: Pod, container: str, *, previous: bool) -> None:
    """A container that never ran has no log. Raises `ApiError` 400 in the kubelet's words."""
    status = _status(pod, container)
    if status is None:
        raise bad_request(f'container "{container}" in pod "{pod["metadata"]["name"]}" is not available')
    state, last = status.get("state") or {}, status.get("lastState") or {}
    which = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    if previous:
        if "terminated" not in last:
            raise bad_request(f"previous terminated {which} not found")
    elif "waiting" in state and "terminated" not in last:
        reason = state["waiting"].get("reason", "")
        raise bad_request(f"{which} is waiting to start: {_PULL_FAILURES.get(reason, reason)}")


def _status(pod: Pod, container: str) -> Mapping[str, Any] | None:
    status = pod.get("status") or {}
    kinds = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return next((item for kind in kinds for item in status.get(kind) or () if item["name"] == container), None)
