# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to the API and happens a moment later: emptying namespaces that are deleted, filling token Secrets, looking whether
an aggregated server answers.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from collections.abc import Callable, Mapping
from typing import Any

from .aggregated import availability
from .authentication import Authenticator
from .errors import ApiError
from .owners import Reference
from .store import Store

LOG = logging.getLogger(__name__)

#: Seconds before a namespace that is deleted is emptied, as the namespace controller of kube-controller-manager waits.
NAMESPACE_GRACE = 5.0
_TOKEN_SECRET = "kubernetes.io/service-account-token"
_ACCOUNT, _ACCOUNT_UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class Background:
    """Looks at the Store after changes that may concern it. ``ca_certificate`` (PEM) goes into token Secrets."""

    def __init__(self, store: Store, authenticator: Authenticator, ca_certificate: str, namespace_grace: float) -> None:
        self._store, self._authenticator, self._ca_certificate = store, authenticator, ca_certificate
        self._namespace_grace = namespace_grace
        self._going: dict[str, float] = {}
        self._due: set[Callable[[], None]] = {self.empty_namespaces, self.fill_secrets, self.check_availability}
        self._owned: set[Reference] = set()
        self._wake = asyncio.Event()
        self._wake.set()
        store.subscribe(self._changed)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, set()
            for work in due:
                try:
                    work()
                except ApiError as error:  # someone else was faster; the next change brings it here again
                    LOG.debug("%s: %s", work.__name__, error.message)
                except Exception:
                    LOG.exception("%s failed", work.__name__)

    def empty_namespaces(self) -> None:
        """Delete what is in namespaces that are going, and let them go when nothing is left."""
        loop = asyncio.get_running_loop()
        going = {item["metadata"]["uid"]: item for item in self._store.scan("namespaces") if item["metadata"].get("deletionTimestamp")}
        self._going = {uid: self._going.get(uid, loop.time() + self._namespace_grace) for uid in going}
        for uid, namespace in going.items():
            if loop.time() >= self._going[uid]:
                self._empty(namespace["metadata"]["name"])
            else:
                loop.call_at(self._going[uid], self._again)

    def _again(self) -> None:
        self._due.add(self.empty_namespaces)
        self._wake.set()

    def fill_secrets(self) -> None:
        """Give token Secrets their token; delete those whose ServiceAccount is gone."""
        for secret in self._store.scan("secrets"):
            if secret.get("type") == _TOKEN_SECRET:
                self._fill(secret)

    def check_availability(self) -> None:
        """Whether what an APIService stands for answers."""
        availability.check(self._store)

    def collect_garbage(self) -> None:
        """Look whether the owners of what was made or changed are there."""
        owned, self._owned = self._owned, set()
        for reference in owned:
            self._store.collect(reference)

    def _changed(self, event: str, res: str, obj: Mapping[str, Any], _old: Mapping[str, Any] | None) -> None:
        metadata = obj["metadata"]
        if metadata.get("ownerReferences") and event != "DELETED":
            self._owned.add(Reference(res, metadata.get("namespace", ""), metadata["name"]))
            self._due.add(self.collect_garbage)
        if res in availability.WATCHED:
            self._due.add(self.check_availability)
        if res in ("secrets", "serviceaccounts"):
            self._due.add(self.fill_secrets)
        if res == "namespaces" or (event == "DELETED" and self._is_going(obj["metadata"].get("namespace"))):
            self._due.add(self.empty_namespaces)
        if self._due:
            self._wake.set()

    def _is_going(self, namespace: str | None) -> bool:
        found = self._store.find("namespaces", namespace) if namespace else None
        return found is not None and "deletionTimestamp" in found["metadata"]

    def _empty(self, namespace: str) -> None:
        left = False
        for resource in self._store.resources:
            if not resource.namespaced:
                continue
            for obj in self._store.scan(resource.name, namespace):
                name = obj["metadata"]["name"]
                if not obj["metadata"].get("deletionTimestamp") and self._store.find(resource.name, name, namespace):
                    self._store.delete(resource.name, name, namespace)
            left = left or bool(self._store.scan(resource.name, namespace))
        found = self._store.find("namespaces", namespace)
        if not left and found is not None:
            self._store.update("namespaces", {**found, "spec": {"finalizers": []}}, "finalize")

    def _fill(self, secret: Mapping[str, Any]) -> None:
        metadata = secret["metadata"]
        annotations = metadata.get("annotations") or {}
        account = self._store.find("serviceaccounts", annotations.get(_ACCOUNT, ""), metadata["namespace"])
        if account is None:
            if annotations.get(_ACCOUNT_UID):
                self._store.delete("secrets", metadata["name"], metadata["namespace"])
            return
        if (secret.get("data") or {}).get("token"):
            return
        content = {
            "ca.crt": self._ca_certificate,
            "namespace": metadata["namespace"],
            "token": self._authenticator.issue_for_secret(account),
        }
        data = {key: base64.b64encode(value.encode()).decode() for key, value in content.items()}
        patch = {"metadata": {"annotations": {_ACCOUNT_UID: account["metadata"]["uid"]}}, "data": data}
        self._store.patch("secrets", metadata["name"], patch, metadata["namespace"])
