# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request on a resource: what it asks for, in which form, and whether its path is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from .decoding import WARN
from .errors import method_not_allowed, no_such_resource
from .media import Wanted, accepted
from .registry import Resource
from .request import RequestInfo


@dataclass(frozen=True)
class Call:
    """A request on a resource, its body read."""

    request: web.Request
    info: RequestInfo
    resource: Resource
    body: bytes

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def wanted(self) -> Wanted:
        return accepted(self.request.headers.get("Accept", ""), protobuf_too=not (self.resource.custom or self.resource.aggregated))

    @property
    def include(self) -> str:
        return self.query.get("includeObject", "Metadata")

    @property
    def manager(self) -> str:
        """Who writes: named, or the program's name from its User-Agent."""
        return self.query.get("fieldManager") or self.request.headers.get("User-Agent", "").partition("/")[0] or "unknown"

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept."""
        return "dryRun" in self.query

    @property
    def validation(self) -> str:
        """What is said of unknown fields."""
        return self.query.get("fieldValidation") or WARN

    @property
    def namespace(self) -> str | None:
        """Where the object is, as the Store names it."""
        return self.info.namespace if self.resource.namespaced else None


def check_place(call: Call) -> None:
    """Refuse paths that are no resource's: a namespace too few or too many. Raises `ApiError`."""
    info, resource = call.info, call.resource
    if resource.name == "namespaces":
        return
    if resource.namespaced and not info.namespace and info.verb == "create":
        raise method_not_allowed()
    if (resource.namespaced and not info.namespace and info.name) or (info.namespace and not resource.namespaced):
        raise no_such_resource()
