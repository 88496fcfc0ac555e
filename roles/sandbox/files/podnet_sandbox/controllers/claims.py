# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""PersistentVolumeClaims: nothing here provides volumes, and each claim says so as in a cluster without a StorageClass."""

from __future__ import annotations

from typing import Any

from .events import EventRecorder


class VolumeClaims:
    """Has every new claim told why it waits."""

    watches = frozenset({"persistentvolumeclaims"})

    def __init__(self, store: Any) -> None:
        self._store = store
        self._events = EventRecorder(store, "persistentvolume-controller")
        self._told: set[str] = set()

    def reconcile(self) -> None:
        claims = {claim["metadata"]["uid"]: claim for claim in self._store.scan("persistentvolumeclaims")}
        for uid, claim in claims.items():
            if uid not in self._told:
                self._events.normal(claim, "FailedBinding", _why(claim["spec"].get("storageClassName") or ""))
        self._told = set(claims)


def _why(storage_class: str) -> str:
    if storage_class:
        return f'storageclass.storage.k8s.io "{storage_class}" not found'
    return "no persistent volumes available for this claim and no storage class is set"
