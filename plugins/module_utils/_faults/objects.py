# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of change in objects: whether one exists, what a field or annotation says, who holds an address of a block.

Only what the fault is about is changed, on the object as it is at that moment: what others change meanwhile stays.
"""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from .hands import Hands

# What a person wrote of an object; the rest is the API server's.
_KEPT_METADATA = ("name", "annotations", "labels")


class Existence:
    """The object at the path, as it would be created; None where there is none."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[Dict[str, Any]]:
        item = hands.object(place)
        return None if item is None else as_created(item)

    def write(self, hands: Hands, place: str, key: str, current: Any, wanted: Optional[Dict[str, Any]]) -> None:
        if wanted is None:
            hands.delete(place)
        else:
            hands.create(place, wanted)


def as_created(item: Dict[str, Any]) -> Dict[str, Any]:
    """An object without what the API server added."""
    metadata = {name: item["metadata"][name] for name in _KEPT_METADATA if item["metadata"].get(name)}
    return {"apiVersion": item["apiVersion"], "kind": item["kind"], "metadata": metadata, "spec": item["spec"]}


class SpecField:
    """One field of the object's spec."""

    def read(self, hands: Hands, place: str, key: str) -> Any:
        item = hands.object(place)
        return None if item is None else item["spec"].get(key)

    def write(self, hands: Hands, place: str, key: str, current: Any, wanted: Any) -> None:
        def change(item: Dict[str, Any]) -> None:
            item["spec"][key] = wanted

        hands.edit(place, change, "kubectl patch %%s --type merge -p '%s'" % json.dumps({"spec": {key: wanted}}))


class Annotation:
    """One annotation of the object, of Calico's on a Node or Pod."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        item = hands.object(place)
        return None if item is None else (item["metadata"].get("annotations") or {}).get(key)

    def write(self, hands: Hands, place: str, key: str, current: Any, wanted: Optional[str]) -> None:
        def change(item: Dict[str, Any]) -> None:
            annotations = dict(item["metadata"].pop("annotations", None) or {}, **{key: wanted})
            kept = {name: value for name, value in annotations.items() if value is not None}
            if kept:
                item["metadata"]["annotations"] = kept

        said = "--overwrite %s=%s" % (key, wanted) if wanted is not None else key + "-"
        hands.edit(place, change, "kubectl annotate %%s %s" % said)


class HeldAddress:
    """Who holds the ``key``-th address of an IPAMBlock: its entry in ``attributes``, None for a free one.

    Source of the block's shape: libcalico-go/lib/backend/model/block.go (v3.30); ``unallocated`` is a queue, a freed
    address goes to its end. An attribute that nobody refers to is dropped only at the end of the list: taking out another
    one would number the rest anew.
    """

    def read(self, hands: Hands, place: str, key: str) -> Optional[Dict[str, Any]]:
        item = hands.object(place)
        return None if item is None else holder(item["spec"], int(key))

    def write(self, hands: Hands, place: str, key: str, current: Any, wanted: Optional[Dict[str, Any]]) -> None:
        def change(item: Dict[str, Any]) -> None:
            if wanted is None:
                release(item["spec"], int(key))
            else:
                hold(item["spec"], int(key), wanted)

        whom = "nobody" if wanted is None else wanted.get("handle_id")
        hands.edit(place, change, "kubectl edit %%s # allocations[%s]: %s" % (key, whom))


def holder(spec: Dict[str, Any], ordinal: int) -> Optional[Dict[str, Any]]:
    """The attribute of the holder."""
    index = spec["allocations"][ordinal]
    return None if index is None else spec["attributes"][index]


def release(spec: Dict[str, Any], ordinal: int) -> None:
    """Let go of the address."""
    index = spec["allocations"][ordinal]
    spec["allocations"][ordinal] = None
    spec["unallocated"].append(ordinal)
    if index == len(spec["attributes"]) - 1 and index not in spec["allocations"]:
        spec["attributes"].pop()


def hold(spec: Dict[str, Any], ordinal: int, attribute: Dict[str, Any]) -> None:
    """Give a free address to the holder."""
    if attribute not in spec["attributes"]:
        spec["attributes"].append(attribute)
    spec["allocations"][ordinal] = spec["attributes"].index(attribute)
    spec["unallocated"].remove(ordinal)


KINDS: Dict[str, object] = {
    "object": Existence(),
    "field": SpecField(),
    "annotation": Annotation(),
    "held-address": HeldAddress(),
}
