# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods: STATUS is what the containers say, not the phase alone (kubernetes/pkg/printers printPod)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cells import NONE, Object, Printer, age_of, columns, condition_of, listed, since, spec_of, status_of

_COLUMNS = columns("Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates")


def _cells(pod: Object) -> list[Any]:
    spec, status = spec_of(pod), status_of(pod)
    started = status.get("initContainerStatuses") or ()
    sidecars = _sidecars(spec)
    states = [*(status.get("containerStatuses") or ()), *(state for state in started if state["name"] in sidecars)]
    ready = sum(1 for state in states if state.get("ready") and (state.get("state") or {}).get("running"))
    gates = spec.get("readinessGates") or ()
    passed = sum(1 for gate in gates if condition_of(pod, gate["conditionType"]) == "True")
    return [
        f"{ready}/{len(spec.get('containers') or ()) + len(sidecars)}",
        _status(pod),
        _restarts(states if _is_initialized(pod) else started),
        age_of(pod),
        listed((item["ip"] for item in status.get("podIPs") or ()), status.get("podIP") or NONE),
        spec.get("nodeName") or NONE,
        status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]


def _status(pod: Object) -> str:
    status = status_of(pod)
    reason = _init_reason(pod) or _container_reason(pod, status.get("reason") or status.get("phase") or "")
    if pod["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _sidecars(spec: Object) -> set[str]:
    """Init containers that go on beside the others."""
    return {item["name"] for item in spec.get("initContainers") or () if item.get("restartPolicy") == "Always"}


def _is_initialized(pod: Object) -> bool:
    return not _init_reason(pod)


def _init_reason(pod: Object) -> str:
    """Why the pod is still starting, '' if its init containers are done."""
    states = status_of(pod).get("initContainerStatuses") or ()
    total = len(spec_of(pod).get("initContainers") or ())
    for index, item in enumerate(states):
        state = item.get("state") or {}
        ended = state.get("terminated")
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if item["name"] in _sidecars(spec_of(pod)) and item.get("started"):
            continue
        if ended is not None:
            return "Init:" + (ended.get("reason") or _exit_text(ended))
        waiting = (state.get("waiting") or {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"Init:{waiting}"
        return f"Init:{index}/{total}"
    return ""


def _container_reason(pod: Object, reason: str) -> str:
    running = False
    for item in reversed(status_of(pod).get("containerStatuses") or ()):
        state = item.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif ended is not None:
            reason = ended.get("reason") or _exit_text(ended)
        elif item.get("ready") and state.get("running"):
            running = True
    if reason == "Completed" and running:
        return "Running" if condition_of(pod, "Ready") == "True" else "NotReady"
    return reason


def _exit_text(ended: Mapping[str, Any]) -> str:
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _restarts(states: Any) -> str:
    total = sum(state.get("restartCount", 0) for state in states)
    ended = [((state.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for state in states]
    last = max((moment for moment in ended if moment), default=None)
    return f"{total} ({since(last)} ago)" if total and last else str(total)


PODS = Printer(_COLUMNS, _cells)
