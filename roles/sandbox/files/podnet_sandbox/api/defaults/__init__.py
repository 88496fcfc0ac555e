# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server fills in where a client says nothing, kind by kind (kube-apiserver v1.32.13)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..registry import Resource
from . import access, cluster, networking, workloads
from .pods import fill_pod, fill_pod_status

__all__ = ["fill", "fill_pod_status"]

Fill = Callable[[dict[str, Any]], None]

_FILL: Mapping[str, Fill] = {
    "pods": fill_pod,
    **workloads.FILL,
    **networking.FILL,
    **access.FILL,
    **cluster.FILL,
}


def fill(resource: Resource, obj: dict[str, Any]) -> None:
    """Fill ``obj`` in place; it holds afterwards what the real API would answer."""
    filler = _FILL.get(resource.name)
    if filler is not None:
        filler(obj)
