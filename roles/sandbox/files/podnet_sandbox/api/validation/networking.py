# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, duplicate, invalid_value, required, unsupported
from ..names import label_error
from .metadata import label_causes

Object = Mapping[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")


def _service_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    kind = spec.get("type", "ClusterIP")
    ports = spec.get("ports") or ()
    if kind not in _TYPES:
        yield unsupported("spec.type", kind, _TYPES)
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if kind == "ExternalName" and not spec.get("externalName"):
        yield required("spec.externalName")
    if spec.get("sessionAffinity") not in (None, *_AFFINITIES):
        yield unsupported("spec.sessionAffinity", spec["sessionAffinity"], _AFFINITIES)
    yield from label_causes(spec.get("selector"), "spec.selector")
    seen: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port_causes(port, f"spec.ports[{index}]", many=len(ports) > 1, seen=seen)


def _port_causes(port: Object, field: str, *, many: bool, seen: set[str]) -> Iterator[Cause]:
    name = port.get("name", "")
    if not name and many:
        yield required(f"{field}.name")
    elif name and label_error(name):
        yield invalid_value(f"{field}.name", json.dumps(name), str(label_error(name)))
    elif name and name in seen:
        yield duplicate(f"{field}.name", name)
    seen.add(name)
    for part in ("port", "targetPort"):
        number = port.get(part, 0)
        if isinstance(number, int) and not 0 < number < 65536:
            yield invalid_value(f"{field}.{part}", str(number), "must be between 1 and 65535, inclusive")
    if port.get("protocol") not in (None, *_PROTOCOLS):
        yield unsupported(f"{field}.protocol", port["protocol"], _PROTOCOLS)


def _service_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"].get("clusterIP"), obj["spec"].get("clusterIP")
    if before and after and before != after and old["spec"].get("type") != "ExternalName":
        yield invalid_value("spec.clusterIPs[0]", f'[]string{{"{after}"}}', "may not change once set")


CREATED = {"services": _service_causes}
UPDATED = {"services": _service_change_causes}
