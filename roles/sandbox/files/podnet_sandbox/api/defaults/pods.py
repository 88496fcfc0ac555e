# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Defaults of pods and pod templates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

#: 0644, the mode of files from ConfigMaps, Secrets and projections.
_FILE_MODE = 0o644
_TOKEN_SECONDS = 3600
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}


def fill_pod(pod: Object) -> None:
    """A pod: its template's defaults, and those only a real pod has."""
    spec = pod.setdefault("spec", {})
    fill_pod_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in containers(spec):
        _requests_from_limits(container)


def fill_pod_status(status: Object) -> None:
    """What Go writes of a pod's status although nobody set it."""
    for condition in status.get("conditions") or ():
        condition.setdefault("lastProbeTime", None)
        condition.setdefault("lastTransitionTime", None)


def fill_template(owner_spec: Object) -> None:
    """The pod template of a workload."""
    template = owner_spec.setdefault("template", {})
    metadata = template["metadata"] = template.get("metadata") or {}
    metadata.setdefault("creationTimestamp", None)
    fill_pod_spec(template.setdefault("spec", {}), host_ports=False)  # Kubernetes 1.28 and later leave those to the pod


def fill_pod_spec(spec: Object, *, host_ports: bool = True) -> None:
    """What pods and templates have in common. ``host_ports``: what listens on the host network has its port there as well."""
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("securityContext", {})
    spec.setdefault("schedulerName", "default-scheduler")
    _mirror_service_account(spec)
    for container in containers(spec):
        _fill_container(container, host_ports and bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes") or ():
        _fill_volume(volume)


def containers(spec: Object) -> Iterator[Object]:
    """All containers of a pod spec."""
    for field in _CONTAINER_LISTS:
        yield from spec.get(field) or ()


def _mirror_service_account(spec: Object) -> None:
    """``serviceAccount`` is the old name of ``serviceAccountName``; both are always shown."""
    name = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if name:
        spec["serviceAccountName"] = spec["serviceAccount"] = name


def _fill_container(container: Object, host_network: bool) -> None:
    container.setdefault("resources", {})
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image") or ""))
    for port in container.get("ports") or ():
        port.setdefault("protocol", "TCP")
        if host_network and "containerPort" in port:
            port.setdefault("hostPort", port["containerPort"])
    for variable in container.get("env") or ():
        _fill_field_reference(variable.get("valueFrom") or {})
    for name in _PROBES:
        if container.get(name):
            _fill_probe(container[name])


def _pull_policy(image: str) -> str:
    if "@" in image:
        return "IfNotPresent"
    tag = image.rpartition("/")[2].partition(":")[2]
    return "Always" if tag in ("", "latest") else "IfNotPresent"


def _fill_probe(probe: Object) -> None:
    for field, value in _PROBE.items():
        if not probe.get(field):
            probe[field] = value
    request = probe.get("httpGet")
    if request is not None:
        request.setdefault("path", "/")
        request.setdefault("scheme", "HTTP")


def _fill_volume(volume: Object) -> None:
    if len(volume) == 1:  # a name and no source is an empty folder
        volume["emptyDir"] = {}
    for source in ("configMap", "downwardAPI", "projected", "secret"):
        if volume.get(source) is not None:
            volume[source].setdefault("defaultMode", _FILE_MODE)
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    for source in (volume.get("projected") or {}).get("sources") or ():
        token = source.get("serviceAccountToken")
        if token is not None:
            token.setdefault("expirationSeconds", _TOKEN_SECONDS)
        for item in (source.get("downwardAPI") or {}).get("items") or ():
            _fill_field_reference(item)
    for item in (volume.get("downwardAPI") or {}).get("items") or ():
        _fill_field_reference(item)


def _fill_field_reference(holder: Object) -> None:
    if holder.get("fieldRef") is not None:
        holder["fieldRef"].setdefault("apiVersion", "v1")


def _requests_from_limits(container: Object) -> None:
    limits = container["resources"].get("limits")
    if limits:
        container["resources"]["requests"] = {**limits, **(container["resources"].get("requests") or {})}
