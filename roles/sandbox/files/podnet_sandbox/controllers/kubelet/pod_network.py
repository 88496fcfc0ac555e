# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Calico's CNI plugin decides for a pod: its address, its veth's name and MTU, and the annotations it leaves.

Source: calico-facts 1, 2.1, 4.3 and 5.4; wiring itself is the kernel room's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import time_ns
from typing import Any

from ...dataplane.desired import PodNetwork
from ...dataplane.felix import host_device, pod_mtu
from ...ipam.allocator import POOLS, Ipam
from ...ipam.pools import WORKLOAD, IpamError

_PREFIX = "cni.projectcalico.org"
#: The annotation with the id of the pod's sandbox.
CONTAINER_ID = f"{_PREFIX}/containerID"


class Cni:
    """Calico's CNI plugin with calico-ipam, for all nodes."""

    def __init__(self, store: Any, ipam: Ipam) -> None:
        self._store = store
        self._ipam = ipam

    def add(self, pod: Mapping[str, Any], container_id: str, configured_mtu: int = 0) -> PodNetwork:
        """Take an address for the pod's sandbox. Raises `IpamError`."""
        metadata, node = pod["metadata"], pod["spec"]["nodeName"]
        namespace, name = metadata["namespace"], metadata["name"]
        annotations = metadata.get("annotations") or {}
        attributes = {"namespace": namespace, "node": node, "pod": name, "timestamp": _go_time(time_ns())}
        wanted = _listed(annotations, "ipAddrs")
        if wanted:
            address = self._ipam.assign_address(node, wanted[0], handle(container_id), attributes)
        else:
            # A namespace may choose pools for its pods, not addresses (cni-plugin/pkg/k8s of v3.30).
            requested = _listed(annotations, "ipv4pools") or _listed(self._namespace_annotations(namespace), "ipv4pools")
            address = self._ipam.assign(node, WORKLOAD, handle(container_id), attributes, requested)
        return PodNetwork(
            namespace=namespace,
            name=name,
            address=address,
            host_device=host_device(namespace, name),
            mtu=pod_mtu(self._store.scan(POOLS), configured=configured_mtu),
        )

    def delete(self, container_id: str) -> None:
        """Give the sandbox's address back; twice is fine."""
        self._ipam.release(handle(container_id))

    def _namespace_annotations(self, namespace: str) -> Mapping[str, str]:
        return self._store.get("namespaces", namespace)["metadata"].get("annotations") or {}


def handle(container_id: str) -> str:
    """IPAM handle of a pod's sandbox."""
    return f"k8s-pod-network.{container_id}"


def annotations_of(network: PodNetwork, container_id: str) -> dict[str, str]:
    """What the plugin writes on the Pod; Felix makes the pod's endpoint from it."""
    return {
        CONTAINER_ID: container_id,
        f"{_PREFIX}/podIP": f"{network.address}/32",
        f"{_PREFIX}/podIPs": f"{network.address}/32",
    }


def _listed(annotations: Mapping[str, str], key: str) -> Sequence[str]:
    """A request annotation: a JSON list of texts."""
    text = annotations.get(f"{_PREFIX}/{key}")
    if not text:
        return ()
    try:
        value = json.loads(text)
    except ValueError as error:
        raise IpamError(f"failed to parse '{text}' as JSON for annotation {_PREFIX}/{key}: {error}") from error
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise IpamError(f"annotation {_PREFIX}/{key} is {text}, expected a JSON list of texts")
    return value


def _go_time(nanoseconds: int) -> str:
    """A time as Go prints it: `2026-11-22 14:52:32.429189235 +0000 UTC`."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest:09d} +0000 UTC"
