# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with an object, in Kubernetes' words: each rule yields a cause, and all causes are reported at once.

The rules are those a person is likely to break, not all of Kubernetes'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import Cause
from ..registry import Resource
from . import access, cluster, config, definitions, networking, pods, workloads
from .ephemeral import ephemeral_causes
from .metadata import metadata_causes, metadata_change_causes

__all__ = ["created_causes", "ephemeral_causes", "updated_causes"]

Check = Callable[[Mapping[str, Any]], Iterable[Cause]]
CheckChange = Callable[[Mapping[str, Any], Mapping[str, Any]], Iterable[Cause]]

_CREATED: Mapping[str, Check] = {
    "pods": pods.pod_causes,
    **workloads.CREATED,
    **networking.CREATED,
    **config.CREATED,
    **access.CREATED,
    **cluster.CREATED,
    **definitions.CREATED,
}
_UPDATED: Mapping[str, CheckChange] = {
    "pods": pods.pod_change_causes,
    **workloads.UPDATED,
    **networking.UPDATED,
    **config.UPDATED,
    **access.UPDATED,
    **cluster.UPDATED,
    **definitions.UPDATED,
}


def created_causes(resource: Resource, obj: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with a new object."""
    check = _CREATED.get(resource.name)
    return [*metadata_causes(resource, obj), *(check(obj) if check else ())]


def updated_causes(resource: Resource, obj: Mapping[str, Any], old: Mapping[str, Any]) -> list[Cause]:
    """What is wrong with ``obj`` as a successor of ``old``."""
    causes = list(metadata_change_causes(obj, old))
    check = _CREATED.get(resource.name)
    if check and resource.name != "pods":
        causes += check(obj)
    change = _UPDATED.get(resource.name)
    if change:
        causes += change(obj, old)
    return causes
