# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a pod's volumes: from ConfigMaps, Secrets, tokens and the pod itself to files. Pure but for reading objects."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...api.errors import ApiError
from ...api.quantities import bytes_of
from ...dataplane.kernel import PodFile
from .downward import SpecError, field_text, resource_text

Object = Mapping[str, Any]
Files = dict[str, PodFile]
Token = Callable[[Object], bytes]

_MODE = 0o644
#: What a volume may be made of here; the rest is storage that the sandbox has none of.
WRITTEN = ("configMap", "downwardAPI", "projected", "secret")
EMPTY, HOST = "emptyDir", "hostPath"


class VolumeError(Exception):
    """A volume that cannot be had yet: FailedMount, in the kubelet's words."""

    def __init__(self, volume: str, why: str) -> None:
        super().__init__(f'MountVolume.SetUp failed for volume "{volume}" : {why}')


def kind_of(volume: Object) -> str:
    """configMap, emptyDir … of a volume."""
    return next((key for key in volume if key != "name"), EMPTY)


def size_of(volume: Object) -> int | None:
    """Bytes an emptyDir may hold, where it says."""
    limit = (volume.get(EMPTY) or {}).get("sizeLimit")
    return None if limit is None else bytes_of(limit)


def in_memory(volume: Object) -> bool:
    """Whether an emptyDir is lost with its node's power."""
    return bool((volume.get(EMPTY) or {}).get("medium") == "Memory")


def written(volume: Object, pod: Object, store: Any, token: Token) -> Files:
    """The files of a volume that the kubelet writes. Raises `VolumeError`."""
    kind = kind_of(volume)
    source = volume[kind]
    default = source.get("defaultMode", _MODE)
    try:
        if kind == "projected":
            files: Files = {}
            for part in source.get("sources") or ():
                part_kind = next(iter(part))
                files |= dict(_part(part_kind, part[part_kind], pod, store, token, default))
            return files
        return dict(_part(kind, source, pod, store, token, default))
    except (ApiError, SpecError) as error:
        raise VolumeError(volume["name"], str(error)) from error


def _part(kind: str, source: Object, pod: Object, store: Any, token: Token, mode: int) -> Iterator[tuple[str, PodFile]]:
    if kind == "serviceAccountToken":
        yield source["path"], PodFile(token(pod), mode)
    elif kind == "downwardAPI":
        for item in source.get("items") or ():
            yield item["path"], PodFile(_of_pod(item, pod).encode(), item.get("mode", mode))
    elif kind in ("configMap", "secret"):
        yield from _of_object(kind, source, pod, store, mode)
    else:
        raise SpecError(f"the sandbox does not project {kind}")


def _of_object(kind: str, source: Object, pod: Object, store: Any, mode: int) -> Iterator[tuple[str, PodFile]]:
    name = source.get("name") or source.get("secretName") or ""
    namespace = pod["metadata"]["namespace"]
    found = store.find(f"{kind.lower()}s", name, namespace)
    if found is None:
        if not source.get("optional"):
            raise SpecError(f'{kind.lower()} "{name}" not found')
        return
    values = contents(kind, found)
    if not source.get("items"):
        for key, value in values.items():
            yield key, PodFile(value, mode)
    for item in source.get("items") or ():
        if item["key"] in values:
            yield item["path"], PodFile(values[item["key"]], item.get("mode", mode))
        elif not source.get("optional"):
            raise SpecError(f"references non-existent {kind.lower()} key: {item['key']}")


def contents(kind: str, obj: Object) -> dict[str, bytes]:
    """The values of a ConfigMap or Secret, as bytes."""
    encoded = obj.get("data") if kind == "secret" else obj.get("binaryData")
    values = {key: base64.b64decode(value) for key, value in (encoded or {}).items()}
    if kind == "configMap":
        values |= {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    return dict(sorted(values.items()))


def _of_pod(item: Object, pod: Object) -> str:
    if "fieldRef" in item:
        return field_text(pod, item["fieldRef"]["fieldPath"])
    reference = item["resourceFieldRef"]
    container = next((c for c in pod["spec"]["containers"] if c["name"] == reference.get("containerName")), {})
    return resource_text(container, reference)
