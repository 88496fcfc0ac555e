# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of Kubernetes objects as facts."""

from __future__ import annotations

import json
import re

from leaves import flat, plain

Facts = dict[str, str]

#: Of a Node: how large the machine is and what it runs.
_MACHINE = ("status.capacity.", "status.allocatable.", "status.nodeInfo.kernelVersion", "status.nodeInfo.osImage")


def object_facts(text: str) -> Facts:
    """Objects of a list by namespace and name; a single object as it is."""
    content = json.loads(text)
    if content is None:
        return {}
    if "items" not in content:
        return {f"{content['metadata']['name']} {key}": value for key, value in flat(content)}
    found: Facts = {}
    for item in content["items"]:
        who = "/".join(filter(None, (item["metadata"].get("namespace"), item["metadata"]["name"])))
        if item["kind"] == "Event":
            found |= _event(item)
        elif item["kind"] == "Node":
            found |= {f"{who} {key}": value for key, value in flat(item) if not key.startswith(_MACHINE)}
        elif item["kind"] == "IPAMBlock":
            found |= {f"{who} {key}": value for key, value in flat(_block(item))}
        else:
            found |= {f"{who} {key}": value for key, value in flat(item)}
    return found


#: Events that tell who was faster: a pod than the node it wants, a probe than the server it asks.
_CHANCE = ("FailedScheduling", "Unhealthy", "BackOff", "Killing", "SandboxChanged")


_SANDBOX_ID = re.compile(r"\b[0-9a-f]{64}\b")


def _event(item: dict) -> Facts:
    """That somebody says such a thing of such an object, and Calico's own words; how often, when and of which one is not compared."""
    who = item["source"].get("component") or item.get("reportingComponent") or ""
    if item["reason"] in _CHANCE:
        return {}
    found = {f"{item['involvedObject']['kind']} {item['reason']}": plain(f"{item['type']} from {who}")}
    if "No IPs available" in item["message"]:
        found[f"{item['involvedObject']['kind']} {item['reason']} says"] = _SANDBOX_ID.sub("ID", item["message"])
    return found


def _block(item: dict) -> dict:
    """Places in a block are addresses': who has one is compared, not which number it has."""
    spec = dict(item["spec"])
    attributes = spec.pop("attributes")
    spec["allocated"] = {attribute["handle_id"]: attribute.get("secondary") or {} for attribute in attributes}
    spec["free and taken"] = str(len(spec.pop("unallocated")) + sum(1 for index in spec.pop("allocations") if index is not None))
    del spec["sequenceNumberForAllocation"]  # keeps the numbers of what was freed long ago
    return {**item, "spec": spec}
