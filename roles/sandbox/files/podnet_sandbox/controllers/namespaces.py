# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every namespace has: ServiceAccount `default` and the cluster's CA certificate."""

from __future__ import annotations

from typing import Any

from ..api.errors import ApiError
from .objects import is_terminating

ROOT_CA = "kube-root-ca.crt"


class Namespaces:
    """Fills new namespaces. Those that are being deleted are the API's (`background.py`)."""

    watches = frozenset({"namespaces"})

    def __init__(self, store: Any, ca_certificate: str) -> None:
        self._store = store
        self._ca_certificate = ca_certificate

    def reconcile(self) -> None:
        for namespace in self._store.scan("namespaces"):
            if not is_terminating(namespace):
                self._fill(namespace["metadata"]["name"])

    def _fill(self, namespace: str) -> None:
        self._ensure("serviceaccounts", {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "default", "namespace": namespace},
        })  # fmt: skip
        self._ensure("configmaps", {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": ROOT_CA, "namespace": namespace},
            "data": {"ca.crt": self._ca_certificate},
        })  # fmt: skip

    def _ensure(self, res: str, wanted: dict[str, Any]) -> None:
        try:
            self._store.get(res, wanted["metadata"]["name"], wanted["metadata"]["namespace"])
        except ApiError:
            self._store.create(res, wanted)
