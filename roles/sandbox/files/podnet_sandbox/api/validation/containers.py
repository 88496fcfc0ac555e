# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers: names, images, ports, variables, mounts, resources, probes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import Cause, duplicate, forbidden_field, invalid_value, required, unsupported
from ..literals import quantity
from ..names import config_key_errors, label_errors, port_name_errors, variable_errors
from .metadata import each

Object = Mapping[str, Any]

_PULL = ("Always", "IfNotPresent", "Never")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_MESSAGES = ("File", "FallbackToLogsOnError")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_ALWAYS_ONE = ("livenessProbe", "startupProbe")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_RESOURCES = ("cpu", "memory", "ephemeral-storage")
NOT_NEGATIVE = "must be greater than or equal to 0"
_PORTS = "must be between 1 and 65535, inclusive"


def choice(field: str, value: str | None, allowed: Sequence[str]) -> Iterator[Cause]:
    """A value, where there is one, must be one of ``allowed``."""
    if value is not None and value not in allowed:
        yield unsupported(field, value, allowed)


def container_causes(container: Object, field: str, volumes: Sequence[str], seen: set[str]) -> Iterator[Cause]:
    """What is wrong with a container at ``field``; ``volumes``: of its pod, ``seen``: names that are taken."""
    name = container.get("name", "")
    if not name:
        yield required(f"{field}.name")
    else:
        yield from each(f"{field}.name", name, label_errors(name))
    image = container.get("image", "")
    if not image:
        yield required(f"{field}.image")
    elif image != image.strip():
        yield invalid_value(f"{field}.image", json.dumps(image), "must not have leading or trailing whitespace")
    yield from choice(f"{field}.terminationMessagePolicy", container.get("terminationMessagePolicy"), _MESSAGES)
    yield from _port_causes(container.get("ports") or (), f"{field}.ports")
    for index, variable in enumerate(container.get("env") or ()):
        yield from _variable_causes(variable, f"{field}.env[{index}]")
    yield from _mount_causes(container.get("volumeMounts") or (), f"{field}.volumeMounts", volumes)
    yield from choice(f"{field}.imagePullPolicy", container.get("imagePullPolicy"), _PULL)
    yield from _resource_causes(container.get("resources") or {}, f"{field}.resources")
    if name in seen:
        yield duplicate(f"{field}.name", name)
    seen.add(name)
    for probe in _PROBES:
        if container.get(probe) is not None:
            yield from _probe_causes(container[probe], f"{field}.{probe}")
            if probe in _ALWAYS_ONE and container[probe].get("successThreshold", 1) != 1:
                yield invalid_value(f"{field}.{probe}.successThreshold", str(container[probe]["successThreshold"]), "must be 1")


def host_port_causes(containers: Sequence[Object], field: str, *, host_network: bool) -> Iterator[Cause]:
    """Ports of the node: each once, and with ``host_network`` the container's own."""
    seen: set[str] = set()
    for index, container in enumerate(containers):
        for number, port in enumerate(container.get("ports") or ()):
            where, taken = f"{field}.containers[{index}].ports[{number}].hostPort", port.get("hostPort", 0)
            said = f"{port.get('protocol', 'TCP')}/{port.get('hostIP', '')}/{taken}"
            if taken and said in seen:
                yield duplicate(where, said)
            seen.add(said)
            # A template may leave it to the pod's defaults (recorded of calico-typha).
            if host_network and taken and taken != port.get("containerPort"):
                yield invalid_value(where, str(taken), "must match `containerPort` when `hostNetwork` is true")


def _port_causes(ports: Sequence[Object], field: str) -> Iterator[Cause]:
    names: set[str] = set()
    for index, port in enumerate(ports):
        where, name = f"{field}[{index}]", port.get("name", "")
        if name and port_name_errors(name):
            yield from each(f"{where}.name", name, port_name_errors(name))
        elif name and name in names:
            yield duplicate(f"{where}.name", name)
        names.add(name)
        number = port.get("containerPort", 0)
        if number == 0:
            yield required(f"{where}.containerPort")
        for part in ("containerPort", "hostPort"):
            if port.get(part) and not 0 < port[part] < 65536:
                yield invalid_value(f"{where}.{part}", str(port[part]), _PORTS)
        yield from choice(f"{where}.protocol", port.get("protocol"), _PROTOCOLS)


def _variable_causes(variable: Object, field: str) -> Iterator[Cause]:
    name, source = variable.get("name", ""), variable.get("valueFrom")
    if not name:
        yield required(f"{field}.name")
    else:
        yield from each(f"{field}.name", name, variable_errors(name))
    if source is None:
        return
    found = [key for key, value in source.items() if value is not None]
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in found and not source[key].get("key"):
            yield required(f"{field}.valueFrom.{key}.key")
        elif key in found:
            yield from each(f"{field}.valueFrom.{key}.key", source[key]["key"], config_key_errors(source[key]["key"]))
    if not found:
        why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        yield invalid_value(f"{field}.valueFrom", '""', why)
    if variable.get("value") and found:
        yield invalid_value(f"{field}.valueFrom", '""', "may not be specified when `value` is not empty")
    elif len(found) > 1:
        yield invalid_value(f"{field}.valueFrom", '""', "may not have more than one field specified at a time")


def _mount_causes(mounts: Sequence[Object], field: str, volumes: Sequence[str]) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        where, name, path = f"{field}[{index}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{where}.name")
        if name not in volumes:
            yield Cause("FieldValueNotFound", f"Not found: {json.dumps(name)}", f"{where}.name")
        if not path:
            yield required(f"{where}.mountPath")
        elif path in seen:
            yield invalid_value(f"{where}.mountPath", json.dumps(path), "must be unique")
        seen.add(path)


def _resource_causes(resources: Object, field: str) -> Iterator[Cause]:
    limits = resources.get("limits") or {}
    for part in ("limits", "requests"):
        for name, value in (resources.get(part) or {}).items():
            where = f"{field}.{part}[{name}]"
            if "/" not in name and name not in _RESOURCES and not name.startswith("hugepages-"):
                yield invalid_value(where, json.dumps(name), "must be a standard resource type or fully qualified")
                yield invalid_value(where, json.dumps(name), "must be a standard resource for containers")
            if quantity(value) < 0:
                yield invalid_value(where, json.dumps(str(value)), NOT_NEGATIVE)
            if part == "requests" and name in limits and quantity(value) > quantity(limits[name]):
                why = f"must be less than or equal to {name} limit of {limits[name]}"
                yield invalid_value(f"{field}.requests", json.dumps(str(value)), why)


def _probe_causes(probe: Object, field: str) -> Iterator[Cause]:
    handlers = [name for name in _HANDLERS if probe.get(name) is not None]
    for extra in handlers[1:]:
        yield forbidden_field(f"{field}.{extra}", "may not specify more than 1 handler type")
    if not handlers:
        yield required(field, "must specify a handler type")
    if "exec" in handlers and not probe["exec"].get("command"):
        yield required(f"{field}.exec.command")
    for name in ("httpGet", "tcpSocket"):
        port = (probe.get(name) or {}).get("port")
        if isinstance(port, int) and not 0 < port < 65536:
            yield invalid_value(f"{field}.{name}.port", str(port), _PORTS)
    if "httpGet" in handlers:
        yield from choice(f"{field}.httpGet.scheme", probe["httpGet"].get("scheme"), ("HTTP", "HTTPS"))
    for name in _NUMBERS:
        if probe.get(name, 0) < 0:
            yield invalid_value(f"{field}.{name}", str(probe[name]), NOT_NEGATIVE)
