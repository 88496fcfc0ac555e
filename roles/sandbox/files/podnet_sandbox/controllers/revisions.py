# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ControllerRevisions: the templates a DaemonSet or StatefulSet has had, for `kubectl rollout history` and `undo`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .objects import is_owned, owner_reference, template_hash

_NAME = "controllerrevisions.apps"
HASH_LABEL = "controller-revision-hash"

Object = Mapping[str, Any]


def current_revision(store: Any, owner: Object, in_use: Sequence[str]) -> Object:
    """The revision of ``owner``'s template, made or renewed where needed. ``in_use`` are hashes that pods still have.

    Of the others revisionHistoryLimit are kept.
    """
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    namespace = owner["metadata"]["namespace"]
    owned = [item for item in store.scan(_NAME, namespace) if is_owned(item, owner)]
    owned.sort(key=lambda item: item["revision"])
    digest = template_hash(owner["spec"]["template"])
    found = next((item for item in owned if template_hash(item["data"]["spec"]["template"]) == digest), None)
    newest = owned[-1]["revision"] if owned else 0
    if found is None:
        found = store.create(_NAME, _revision(owner, data, newest + 1))
    elif found["revision"] < newest:
        found = store.patch(_NAME, found["metadata"]["name"], {"revision": newest + 1}, namespace)
    kept = {found["metadata"]["name"]}
    idle = [item for item in owned if item["metadata"]["name"] not in kept and hash_of(item) not in in_use]
    for item in idle[: max(0, len(idle) - owner["spec"].get("revisionHistoryLimit", 10))]:
        store.delete(_NAME, item["metadata"]["name"], namespace)
    return found


def hash_of(revision: Object) -> str:
    """What pods of that template are labelled with."""
    return str(revision["metadata"]["labels"][HASH_LABEL])


def _revision(owner: Object, data: Object, number: int) -> dict[str, Any]:
    digest = template_hash(owner["spec"]["template"])
    name = f"{owner['metadata']['name']}-{digest}"
    labels = (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}
    annotations = owner["metadata"].get("annotations") or {}
    return {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": name,
            "namespace": owner["metadata"]["namespace"],
            "labels": {**labels, HASH_LABEL: name if owner["kind"] == "StatefulSet" else digest},
            **({"annotations": dict(annotations)} if annotations else {}),
            "ownerReferences": [owner_reference(owner)],
        },
        "data": data,
        "revision": number,
    }
