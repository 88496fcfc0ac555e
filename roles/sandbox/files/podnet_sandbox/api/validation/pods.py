# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods and pod templates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import Cause, duplicate, forbidden_field, invalid_value, required, unsupported
from ..names import label_error
from .metadata import label_causes

Object = Mapping[str, Any]

_RESTART = ("Always", "OnFailure", "Never")
_PULL = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_IMMUTABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)
_MUTABLE = frozenset({"activeDeadlineSeconds", "nodeName", "terminationGracePeriodSeconds", "tolerations"})


def pod_causes(pod: Object) -> Iterator[Cause]:
    """What is wrong with a new pod."""
    yield from pod_spec_causes(pod.get("spec") or {}, "spec")


def pod_change_causes(pod: Object, old: Object) -> Iterator[Cause]:
    """A pod's spec is fixed, but for images, tolerations added, and the node the scheduler chose."""
    before, after = old["spec"], pod["spec"]
    if _fixed_part(before) != _fixed_part(after) or (before.get("nodeName") and before["nodeName"] != after.get("nodeName")):
        yield forbidden_field("spec", _IMMUTABLE)
        return
    missing = [item for item in before.get("tolerations") or () if item not in (after.get("tolerations") or ())]
    if missing:
        yield forbidden_field("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def template_causes(template: Object, field: str) -> Iterator[Cause]:
    """What is wrong with a pod template at ``field``."""
    yield from label_causes((template.get("metadata") or {}).get("labels"), f"{field}.metadata.labels")
    yield from pod_spec_causes(template.get("spec") or {}, f"{field}.spec")


def pod_spec_causes(spec: Object, field: str) -> Iterator[Cause]:
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    yield from _name_causes(volumes, f"{field}.volumes")
    containers = spec.get("containers") or ()
    if not containers:
        yield required(f"{field}.containers")
    seen: set[str] = set()
    for part in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(part) or ()):
            yield from _container_causes(container, f"{field}.{part}[{index}]", volumes, seen)
    yield from _choice(f"{field}.restartPolicy", spec.get("restartPolicy"), _RESTART)
    yield from _choice(f"{field}.dnsPolicy", spec.get("dnsPolicy"), _DNS)
    grace = spec.get("terminationGracePeriodSeconds", 0)
    if grace < 0:
        yield invalid_value(f"{field}.terminationGracePeriodSeconds", str(grace), "must be greater than or equal to 0")
    yield from label_causes(spec.get("nodeSelector"), f"{field}.nodeSelector")
    if spec.get("hostNetwork"):
        yield from _host_port_causes(containers, field)


def _container_causes(container: Object, field: str, volumes: Sequence[str], seen: set[str]) -> Iterator[Cause]:
    name = container.get("name", "")
    if not name:
        yield required(f"{field}.name")
    elif label_error(name):
        yield invalid_value(f"{field}.name", json.dumps(name), str(label_error(name)))
    elif name in seen:
        yield duplicate(f"{field}.name", name)
    seen.add(name)
    image = container.get("image", "")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield invalid_value(f"{field}.image", json.dumps(image), "must not have leading or trailing whitespace")
    yield from _choice(f"{field}.imagePullPolicy", container.get("imagePullPolicy"), _PULL)
    yield from _port_causes(container.get("ports") or (), f"{field}.ports")
    for index, variable in enumerate(container.get("env") or ()):
        if not variable.get("name"):
            yield required(f"{field}.env[{index}].name")
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            where = f"{field}.volumeMounts[{index}].name"
            yield Cause("FieldValueNotFound", f'Not found: "{mount.get("name", "")}"', where)
        if not mount.get("mountPath"):
            yield required(f"{field}.volumeMounts[{index}].mountPath")
    for probe in _PROBES:
        if container.get(probe) is not None and not any(container[probe].get(handler) for handler in _HANDLERS):
            yield required(f"{field}.{probe}", "must specify a handler type")


def _port_causes(ports: Sequence[Object], field: str) -> Iterator[Cause]:
    for index, port in enumerate(ports):
        where = f"{field}[{index}]"
        number = port.get("containerPort", 0)
        if number == 0:
            yield required(f"{where}.containerPort")
        elif not 0 < number < 65536:
            yield invalid_value(f"{where}.containerPort", str(number), "must be between 1 and 65535, inclusive")
        yield from _choice(f"{where}.protocol", port.get("protocol"), _PROTOCOLS)
    names = [port["name"] for port in ports if port.get("name")]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield duplicate(f"{field}[{index}].name", name)


def _host_port_causes(containers: Sequence[Object], field: str) -> Iterator[Cause]:
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort") != port.get("containerPort"):
                where = f"{field}.containers[{index}].ports[{number}].hostPort"
                yield invalid_value(where, str(port.get("hostPort")), "must match `containerPort` when `hostNetwork` is true")


def _name_causes(names: Sequence[str], field: str) -> Iterator[Cause]:
    for index, name in enumerate(names):
        if not name:
            yield required(f"{field}[{index}].name")
        elif label_error(name):
            yield invalid_value(f"{field}[{index}].name", json.dumps(name), str(label_error(name)))
        elif name in names[:index]:
            yield duplicate(f"{field}[{index}].name", name)


def _choice(field: str, value: str | None, allowed: Sequence[str]) -> Iterator[Cause]:
    if value is not None and value not in allowed:
        yield unsupported(field, value, allowed)


def _fixed_part(spec: Object) -> dict[str, Any]:
    """A pod spec without what may change."""
    fixed = {key: value for key, value in spec.items() if key not in _MUTABLE}
    for part in ("initContainers", "containers"):
        if part in fixed:
            fixed[part] = [{key: value for key, value in item.items() if key not in ("image", "imagePullPolicy")} for item in fixed[part]]
    return fixed
