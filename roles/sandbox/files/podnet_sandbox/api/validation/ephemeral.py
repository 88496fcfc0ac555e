# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ephemeral containers: they may be added to a pod, and neither changed nor taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, forbidden_field
from .containers import container_causes

Object = Mapping[str, Any]

FIELD = "spec.ephemeralContainers"
_NOT_THEIRS = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "resources")


def ephemeral_causes(pod: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with the ephemeral containers of ``pod`` as a successor of ``old``."""
    spec = pod["spec"]
    volumes = [volume.get("name", "") for volume in spec.get("volumes") or ()]
    others = {item["name"] for part in ("initContainers", "containers") for item in spec.get(part) or ()}
    seen, now = set(others), {}
    for index, container in enumerate(spec.get("ephemeralContainers") or ()):
        where = f"{FIELD}[{index}]"
        yield from container_causes(container, where, volumes, seen)
        now[container.get("name")] = container
        for field in _NOT_THEIRS:
            if container.get(field):
                yield forbidden_field(f"{where}.{field}", "cannot be set for an Ephemeral Container")
        target = container.get("targetContainerName")
        if target and target not in others:
            yield Cause("FieldValueNotFound", f'Not found: "{target}"', f"{where}.targetContainerName")
    for before in old["spec"].get("ephemeralContainers") or ():
        if before["name"] not in now:
            yield forbidden_field(FIELD, f'existing ephemeral containers "{before["name"]}" may not be removed\n')
        elif now[before["name"]] != before:
            yield forbidden_field(FIELD, f'existing ephemeral containers "{before["name"]}" may not be changed\n')
