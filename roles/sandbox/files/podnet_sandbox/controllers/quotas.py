# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ResourceQuotas: how much of them is used (resourcequota-controller). Keeping within them is the API's."""

from __future__ import annotations

from typing import Any

from ..api.quotas import hard_of, kind_of, used_of
from .objects import is_terminating

_NAME = "resourcequotas"


class Quotas:
    """Writes the status of ResourceQuotas. What it watches follows from them: any kind may be counted."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.watches = frozenset({_NAME})

    def reconcile(self) -> None:
        counted = {name for quota in self._store.scan(_NAME) for name in hard_of(quota)}
        self.watches = frozenset({_NAME, *map(kind_of, counted)})
        for quota in self._store.scan(_NAME):
            if is_terminating(quota):
                continue
            hard = hard_of(quota)
            used = {name: str(amount) for name, amount in sorted(used_of(self._store, quota, hard).items())}
            before = quota.get("status") or {}
            if (before.get("hard"), before.get("used")) != (hard, used):
                gone = dict.fromkeys({*(before.get("hard") or {})} - hard.keys())
                status = {"hard": {**gone, **hard}, "used": {**gone, **used}}
                where = (quota["metadata"]["name"], {"status": status}, quota["metadata"]["namespace"])
                self._store.patch(_NAME, *where, subresource="status")
