# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The downward API: what a pod may be told of itself, as text."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from ...api.quantities import value_of

Object = Mapping[str, Any]


class SpecError(Exception):
    """A container that cannot be configured (CreateContainerConfigError); text in the kubelet's words."""


def field_text(pod: Object, path: str) -> str:
    """The value of a ``fieldRef``. Raises `SpecError` for a path that is none."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    match = re.fullmatch(r"metadata\.(labels|annotations)\['(.+)'\]", path)
    if match:
        return (metadata.get(match.group(1)) or {}).get(match.group(2), "")
    if path in ("metadata.labels", "metadata.annotations"):
        values = metadata.get(path.partition(".")[2]) or {}
        return "\n".join(f"{key}={json.dumps(values[key])}" for key in sorted(values))
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": ",".join(entry["ip"] for entry in status.get("hostIPs") or ()),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": ",".join(entry["ip"] for entry in status.get("podIPs") or ()),
    }
    if path not in known:
        raise SpecError(f"unsupported fieldPath: {path}")
    return str(known[path])


def resource_text(container: Object, reference: Object) -> str:
    """The value of a ``resourceFieldRef``, in units of its divisor, rounded up; without a limit, the machine's."""
    kind, _ignored, name = reference["resource"].partition(".")
    text = ((container.get("resources") or {}).get(kind) or {}).get(name)
    if text is None:
        machine = {"cpu": os.cpu_count() or 1, "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")}
        text = str(machine.get(name, 0)) if kind == "limits" else "0"
    divisor = value_of(reference.get("divisor") or "1") or 1
    return str(-(-value_of(text) // divisor))
