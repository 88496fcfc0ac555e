# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where kube-apiserver hands requests on to Calico's API server: from when its APIService is there, and as long as that is Available.

The rest is the kube-aggregator's: the group is listed while its APIService is there; what it serves is known from when it answered first;
requests are refused while it does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..call import Call
from ..errors import method_not_allowed, no_such_resource
from ..rest import Rest
from ..store import Store
from .availability import API_SERVICES, is_available
from .kinds import GROUP, PROFILE, VERSION, kinds
from .profiles import Profiles
from .view import View

_NAME = f"{VERSION}.{GROUP}"
_ROOT = f"/apis/{GROUP}/{VERSION}"


def _keep(_network: str) -> None:
    """There is no IPAM to let go of anything."""


@dataclass(frozen=True)
class Calico:
    """The Calico whose API server it is. ``release_pool`` lets go of the affinities in a network whose pool is deleted."""

    release: tuple[int, int] = (3, 30)
    release_pool: Callable[[str], None] = _keep


class Gateway:
    """Keeps the registry of ``store`` equal to the APIService, and answers in the place of Calico's API server."""

    def __init__(self, store: Store, calico: Calico) -> None:
        self._store = store
        self._kinds = tuple(kinds(calico.release))
        profile = next(kind for kind in self._kinds if kind.resource.kind == PROFILE)
        self._rest = Rest(View(store, (kind for kind in self._kinds if kind is not profile), calico.release_pool))
        self._profiles = Rest(Profiles(store, profile))
        store.subscribe(self._changed)
        self._follow(store.find(API_SERVICES, _NAME))

    def is_away(self, path: str) -> bool:
        """Whether a path is of Calico's API server, and that does not answer."""
        return (path == _ROOT or path.startswith(f"{_ROOT}/")) and not self._store.resources.answers(GROUP, VERSION)

    async def answer(self, call: Call) -> web.StreamResponse:
        """What is asked of an aggregated resource. Raises `ApiError`."""
        if call.info.subresource:
            subresource = call.resource.subresource(call.info.subresource)
            if subresource is None:
                raise no_such_resource()
            if call.info.verb not in subresource.verbs:
                raise method_not_allowed()
        return await (self._profiles if call.resource.kind == PROFILE else self._rest).answer(call)

    def _changed(self, event: str, res: str, obj: Mapping[str, Any], _old: Mapping[str, Any] | None) -> None:
        if res == API_SERVICES and obj["metadata"]["name"] == _NAME:
            self._follow(None if event == "DELETED" else obj)

    def _follow(self, service: Mapping[str, Any] | None) -> None:
        registry = self._store.resources
        if service is None:
            registry.withdraw(GROUP, VERSION)
            return
        registry.aggregate(GROUP, VERSION, (kind.resource for kind in self._kinds), answers=is_available(service))


def unavailable() -> web.Response:
    """What the kube-aggregator says of a server that does not answer: no Status, a line."""
    return web.Response(text="service unavailable\n", status=503, headers={"X-Content-Type-Options": "nosniff"})
