# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kubelet's parts need to know of their surroundings, and of one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..events import EventRecorder
from .pod_network import Cni
from .pod_status import PodFacts

Pod = Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """The machine's side: objects, processes, addresses. ``token(pod)`` is a token of its service account."""

    store: Any
    kernel: Any
    cni: Cni
    cni_ready: Callable[[str], bool]
    address_of: Callable[[str], str]
    dns: str
    token: Callable[[Pod], bytes]
    configured_mtu: Callable[[], int]


@dataclass
class PodContext:
    """One pod, for all that works on it: ``pod`` is the object as it was last seen. ``changed()`` writes its status."""

    node: Node
    pod: Pod
    facts: PodFacts
    events: EventRecorder
    changed: Callable[[], None]

    @property
    def namespace(self) -> str:
        return str(self.pod["metadata"]["namespace"])

    @property
    def name(self) -> str:
        return str(self.pod["metadata"]["name"])

    def normal(self, reason: str, message: str) -> None:
        """An event of the pod's."""
        self.events.normal(self.pod, reason, message, self.pod["spec"]["nodeName"])

    def warning(self, reason: str, message: str) -> None:
        """An event of the pod's that is a warning."""
        self.events.warning(self.pod, reason, message, self.pod["spec"]["nodeName"])

    def is_there(self) -> bool:
        """Whether the Pod object is still this one, not a successor of the same name."""
        found = self.node.store.find("pods", self.name, self.namespace)
        return found is not None and found["metadata"]["uid"] == self.pod["metadata"]["uid"]

    def known(self) -> Pod:
        """The pod with the addresses it has now, for the downward API."""
        status = {**(self.pod.get("status") or {}), "podIP": self.facts.pod_ip, "hostIP": self.facts.host_ip}
        status["podIPs"], status["hostIPs"] = [{"ip": self.facts.pod_ip}], [{"ip": self.facts.host_ip}]
        return {**self.pod, "status": status}
