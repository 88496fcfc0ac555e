# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request is about, read from its method and path, as kube-apiserver's RequestInfo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch"}
#: What may follow a namespace's name and is not a kind in it.
_NAMESPACE_SUBRESOURCES = ("finalize", "status")


@dataclass(frozen=True)
class RequestInfo:
    """``verb`` on a resource, or, where ``resource`` is '', on a path."""

    verb: str
    path: str
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    name: str = ""
    subresource: str = ""

    @property
    def about_resource(self) -> bool:
        return bool(self.resource)


def truth(value: str | None) -> bool:
    """A query parameter that means yes: whatever is there and does not say false."""
    return value is not None and value != "0" and value.lower() != "false"


def parse(method: str, path: str, query: Mapping[str, str]) -> RequestInfo:
    """The request's meaning; a path that is no resource's keeps the lower-case method as its verb."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return RequestInfo(method.lower(), path)
    watches = rest[0] == "watch" and len(rest) > 1  # the old way to say it, which is still served
    rest = rest[1:] if watches else rest
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 1:
        namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    resource, name, subresource = (*rest[:3], "", "", "")[:3]
    verb = "watch" if watches and method == "GET" else _verb(method, name, query)
    return RequestInfo(verb, path, group, version, namespace, resource, name, subresource)


def _verb(method: str, name: str, query: Mapping[str, str]) -> str:
    if method in ("GET", "HEAD"):
        if name:
            return "get"
        return "watch" if truth(query.get("watch")) else "list"
    if method == "DELETE":
        return "delete" if name else "deletecollection"
    return _VERBS.get(method, method.lower())
