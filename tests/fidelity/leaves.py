# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A value of JSON as facts: each leaf by its way down, without what says only when, how often or how manieth."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

_VOLATILE = {
    "uid", "resourceVersion", "creationTimestamp", "generation", "observedGeneration", "lastHeartbeatTime", "lastTransitionTime",
    "lastProbeTime", "startTime", "startedAt", "finishedAt", "firstTimestamp", "lastTimestamp", "eventTime", "count", "restartCount",
    "containerID", "timestamp", "sequenceNumber", "managedFields", "clusterGUID", "lastState", "caBundle",
}  # fmt: skip
_DATE = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( \+0000 UTC|Z)?")
#: What a Service is given, of the recordings' service network; the API server's and the DNS server's are fixed.
_SERVICE = re.compile(r"\b10\.96\.(?!0\.10?\b)\d+\.\d+\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


def flat(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Leaves, each with its way down; an empty list or object is a leaf."""
    if isinstance(value, dict) and value:
        for name in sorted(value):
            if name not in _VOLATILE:
                yield from flat(value[name], f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value:
        for place, item in enumerate(value):
            yield from flat(item, f"{key}.{_own_name(item, place)}")
    elif isinstance(value, str) and value[:1] in "[{" and _is_json(value):
        yield from flat(json.loads(value), key)
    else:
        yield key, plain(value if isinstance(value, str) else json.dumps(value))


def plain(text: str) -> str:
    return _SERVICE.sub("SERVICE-IP", _UUID.sub("UID", _DATE.sub("TIME", text)))


def _own_name(item: Any, place: int) -> str:
    """Lists of Kubernetes are keyed by these; others by place."""
    if isinstance(item, dict):
        for name in ("name", "type", "ip", "key", "mountPath", "handle_id"):
            if isinstance(item.get(name), str):
                return str(item[name])
    return str(place)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
