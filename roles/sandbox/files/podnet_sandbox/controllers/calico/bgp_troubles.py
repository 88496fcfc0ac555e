# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of BGP's objects BIRD cannot be told, said in events of those objects. A real confd says it in calico-node's log only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ...config import release_of
from ...dataplane.bgp_filters import FilterError, filters_of
from ...dataplane.bgp_passwords import NAMESPACE, PasswordError, password_of
from ...dataplane.bird import md5
from ..events import EventRecorder

_GROUP = "crd.projectcalico.org"
_PEERS, _CONFIGURATIONS, _FILTERS = f"bgppeers.{_GROUP}", f"bgpconfigurations.{_GROUP}", f"bgpfilters.{_GROUP}"
_NO_SIGNATURES = (
    "this machine's kernel has no TCP MD5 signatures (CONFIG_TCP_MD5SIG), so BIRD cannot use the password and the session stays down; "
    "use a kernel that has them, or no password"
)

Object = Mapping[str, Any]


class BgpTroubles:
    """Warns once of each trouble, as long as it lasts. ``signs``: whether the kernel can do passwords."""

    watches = frozenset({_PEERS, _CONFIGURATIONS, _FILTERS, "secrets"})

    def __init__(self, store: Any, calico_version: str, signs: Callable[[], bool] = md5.supported) -> None:
        self._store, self._later, self._signs = store, release_of(calico_version) >= (3, 32), signs
        self._events = EventRecorder(store, "confd")
        self._told: set[tuple[str, str]] = set()

    def reconcile(self) -> None:
        found = [*self._of_passwords(), *self._of_filters()]
        for item, reason, message in found:
            if (item["metadata"]["uid"], message) not in self._told:
                self._events.warning(item, reason, message)
        self._told = {(item["metadata"]["uid"], message) for item, _reason, message in found}

    def _of_passwords(self) -> Iterator[tuple[Object, str, str]]:
        secrets = [secret for secret in self._store.scan("secrets") if secret["metadata"]["namespace"] == NAMESPACE]
        for resource, field in ((_PEERS, "password"), (_CONFIGURATIONS, "nodeMeshPassword")):
            for item in self._store.scan(resource):
                try:
                    password = password_of((item.get("spec") or {}).get(field), secrets)
                except PasswordError as error:
                    yield item, "PasswordNotUsed", f"spec.{field}: {error}; the session is tried without a password"
                    continue
                if password and not self._signs():
                    yield item, "PasswordNotUsed", f"spec.{field}: {_NO_SIGNATURES}"

    def _of_filters(self) -> Iterator[tuple[Object, str, str]]:
        for item in self._store.scan(_FILTERS):
            try:
                filters_of([item], later=self._later)
            except FilterError as error:
                yield item, "NotRendered", f"{error}; until it is mended every BIRD goes on with the configuration it has"
