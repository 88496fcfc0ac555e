# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ConfigMaps, Secrets, Events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, forbidden_field, invalid_value, required
from ..names import config_key_errors
from .metadata import each

Object = Mapping[str, Any]

_TOKEN_SECRET = "kubernetes.io/service-account-token"
_ACCOUNT_ANNOTATION = "kubernetes.io/service-account.name"
_MAX_BYTES = 1024 * 1024
#: What Secrets of a type must hold.
_NEEDED = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def _configmap_causes(obj: Object) -> Iterator[Cause]:
    yield from _key_causes(obj.get("data") or {}, "data")
    yield from _key_causes(obj.get("binaryData") or {}, "binaryData")
    for key in obj.get("binaryData") or {}:
        if key in (obj.get("data") or {}):
            yield invalid_value(f"data[{key}]", json.dumps(key), "duplicate of key present in binaryData")
    size = sum(len(str(value).encode()) for part in ("data", "binaryData") for value in (obj.get(part) or {}).values())
    if size > _MAX_BYTES:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_MAX_BYTES} bytes", "[]")


def _secret_causes(obj: Object) -> Iterator[Cause]:
    data = obj.get("data") or {}
    yield from _key_causes(data, "data")
    for kind, keys in _NEEDED.items():
        for key in keys:
            if obj.get("type") == kind and key not in data:
                yield required(f"data[{key}]")
    if obj.get("type") == _TOKEN_SECRET and not (obj["metadata"].get("annotations") or {}).get(_ACCOUNT_ANNOTATION):
        yield required(f"metadata.annotations[{_ACCOUNT_ANNOTATION}]")


def _frozen(obj: Object, old: Object) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        yield forbidden_field("immutable", "field is immutable when `immutable` is set")
    for part in ("data", "binaryData"):
        if obj.get(part) != old.get(part):
            yield forbidden_field(part, "field is immutable when `immutable` is set")


def _secret_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    if obj.get("type") != old.get("type"):
        yield invalid_value("type", json.dumps(obj.get("type")), "field is immutable")
    yield from _frozen(obj, old)


def _key_causes(values: Mapping[str, Any], field: str) -> Iterator[Cause]:
    for key in values:
        yield from each(f"{field}[{key}]", key, config_key_errors(key))


def _event_causes(obj: Object) -> Iterator[Cause]:
    """An Event is where what it is of is; those of cluster-wide objects are in ``default``."""
    own, involved = obj["metadata"].get("namespace", ""), (obj.get("involvedObject") or {}).get("namespace", "")
    if involved != own and not (not involved and own == "default"):
        yield invalid_value("involvedObject.namespace", json.dumps(involved), "does not match event.namespace")


CREATED = {"configmaps": _configmap_causes, "events": _event_causes, "secrets": _secret_causes}
UPDATED = {"configmaps": _frozen, "secrets": _secret_change_causes}
