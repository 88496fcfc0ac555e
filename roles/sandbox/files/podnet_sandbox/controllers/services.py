# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services: Endpoints and an EndpointSlice of the pods behind each (ClusterIPs are the API server's to give)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..api.errors import ApiError
from .objects import is_finished, is_owned, is_ready, is_terminating, matches_labels, owner_reference

_SLICE_MANAGER = "endpointslice-controller.k8s.io"

Pod = Mapping[str, Any]


class Endpoints:
    """Endpoints and one EndpointSlice for every Service with a selector."""

    watches = frozenset({"services", "pods"})

    def __init__(self, store: Any) -> None:
        self._store = store

    def reconcile(self) -> None:
        services = [service for service in self._store.scan("services") if service["spec"].get("selector")]
        if not services:
            return
        pods = [pod for pod in self._store.scan("pods") if _addressed(pod)]
        slices = self._store.scan("endpointslices.discovery.k8s.io")
        for service in services:
            chosen = [pod for pod in pods if _selects(service, pod)]
            self._write_endpoints(service, chosen)
            self._write_slice(service, chosen, next((item for item in slices if is_owned(item, service)), None))

    def _write_endpoints(self, service: Mapping[str, Any], pods: Sequence[Pod]) -> None:
        metadata = service["metadata"]
        desired = {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "labels": dict(metadata.get("labels") or {}),
                "ownerReferences": [owner_reference(service)],
            },
            "subsets": list(_subsets(service, pods)),
        }
        try:
            found = self._store.get("endpoints", metadata["name"], metadata["namespace"])
        except ApiError:
            self._store.create("endpoints", desired)
            return
        self._store.update("endpoints", {**found, "subsets": desired["subsets"]})

    def _write_slice(self, service: Mapping[str, Any], pods: Sequence[Pod], found: Mapping[str, Any] | None) -> None:
        metadata = service["metadata"]
        content = {
            "endpoints": [_slice_endpoint(service, pod) for pod in pods],
            "ports": [_slice_port(port, pods) for port in service["spec"].get("ports") or ()],
        }
        if found is not None:
            self._store.update("endpointslices.discovery.k8s.io", {**found, **content})
            return
        labels = {
            **(metadata.get("labels") or {}),
            "endpointslice.kubernetes.io/managed-by": _SLICE_MANAGER,
            "kubernetes.io/service-name": metadata["name"],
        }
        self._store.create("endpointslices.discovery.k8s.io", {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "addressType": "IPv4",
            "metadata": {
                "generateName": f"{metadata['name']}-",
                "namespace": metadata["namespace"],
                "labels": labels,
                "ownerReferences": [owner_reference(service)],
            },
            **content,
        })  # fmt: skip


def target_port(pod: Pod, port: Mapping[str, Any]) -> int | None:
    """The number behind a service port for that pod: targetPort may be the name of a container port."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in pod["spec"]["containers"]:
        for declared in container.get("ports") or ():
            if declared.get("name") == target:
                return int(declared["containerPort"])
    return None


def _selects(service: Mapping[str, Any], pod: Pod) -> bool:
    same_namespace = pod["metadata"]["namespace"] == service["metadata"]["namespace"]
    return same_namespace and matches_labels(
        {"matchLabels": service["spec"]["selector"]}, pod["metadata"].get("labels")
    )


def _addressed(pod: Pod) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and not is_finished(pod)


def _subsets(service: Mapping[str, Any], pods: Sequence[Pod]) -> Iterator[dict[str, Any]]:
    serving = [pod for pod in pods if not is_terminating(pod)]
    ports = [_slice_port(port, pods) for port in service["spec"].get("ports") or ()]
    if not serving or not ports:
        return
    publish = service["spec"].get("publishNotReadyAddresses")
    ready = [pod for pod in serving if publish or is_ready(pod)]
    unready = [pod for pod in serving if pod not in ready]
    subset: dict[str, Any] = {"ports": ports}
    for key, group in (("addresses", ready), ("notReadyAddresses", unready)):
        if group:
            subset[key] = [
                {"ip": pod["status"]["podIP"], **_named(service, pod), "nodeName": pod["spec"]["nodeName"], "targetRef": _reference(pod)}
                for pod in group
            ]
    yield subset


def _named(service: Mapping[str, Any], pod: Pod) -> dict[str, str]:
    """The host name of a pod that says it is of this service, as those of a StatefulSet do."""
    spec = pod["spec"]
    mine = spec.get("hostname") and spec.get("subdomain") == service["metadata"]["name"]
    return {"hostname": spec["hostname"]} if mine else {}


def _slice_endpoint(service: Mapping[str, Any], pod: Pod) -> dict[str, Any]:
    serving, terminating = is_ready(pod), is_terminating(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serving and not terminating, "serving": serving, "terminating": terminating},
        **_named(service, pod),
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": _reference(pod),
    }


def _slice_port(port: Mapping[str, Any], pods: Sequence[Pod]) -> dict[str, Any]:
    numbers = (target_port(pod, port) for pod in pods)
    number = next((number for number in numbers if number is not None), None)
    entry: dict[str, Any] = {"name": port["name"]} if port.get("name") else {}
    return {**entry, "port": number or port["port"], "protocol": port.get("protocol", "TCP")}


def _reference(pod: Pod) -> dict[str, str]:
    metadata = pod["metadata"]
    return {"kind": "Pod", "name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"]}
