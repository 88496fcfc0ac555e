# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and deleting the pods of a workload, and saying so in its events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..api.errors import ApiError
from .events import EventRecorder
from .objects import is_terminating

#: HTTP codes by which the API says that an object cannot be made as it is: nothing is gained by asking again at once.
REFUSED = (403, 422)
#: Kinds whose change may let in what was refused; Kubernetes' controllers try again with a growing pause.
LETTING_IN = frozenset({"limitranges", "resourcequotas"})


class PodControl:
    """For one controller, by its ``component`` name."""

    def __init__(self, store: Any, component: str) -> None:
        self._store = store
        self.events = EventRecorder(store, component)

    def create(self, owner: Mapping[str, Any], pod: Mapping[str, Any]) -> bool:
        """Whether it was made; where the API refused, the owner has the event."""
        try:
            made = self._store.create("pods", pod)
        except ApiError as error:
            if error.code not in REFUSED:
                raise
            self.events.warning(owner, "FailedCreate", f"Error creating: {error.message}")
            return False
        self.events.normal(owner, "SuccessfulCreate", f"Created pod: {made['metadata']['name']}")
        return True

    def delete(self, owner: Mapping[str, Any], pod: Mapping[str, Any]) -> None:
        """Once: a pod that is going already is left alone."""
        if not is_terminating(pod):
            metadata = pod["metadata"]
            self._store.delete("pods", metadata["name"], metadata["namespace"])
            self.events.normal(owner, "SuccessfulDelete", f"Deleted pod: {metadata['name']}")
