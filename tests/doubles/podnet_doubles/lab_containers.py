# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What containerlab lists: the containers of a topology's nodes, or those with its label, and how each release prints them.

Facts (containerlab source, v0.67, v0.68 and v0.79: cmd/inspect, nodes/k8s_kind, runtime/docker): kind's containers are found by
kind's label and get the lab's labels in memory only, so that neither --all nor --name finds them; addresses with prefix length,
"N/A" for none; up to 0.67 one list under `containers` (details: a bare list) and nothing on stdout for none, from 0.68 on lists
by lab, `{}` for none, with absLabPath and status.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from podnet_doubles import docker, nodes
from podnet_doubles.topology import IMITATED_KIND, Topology

_LAB = "containerlab"
_FILE = "clab-topo-file"
_KIND = "clab-node-kind"
_OWNER = "clab-owner"
_FOLDER = "clab-node-lab-dir"
_NAME = "clab-node-name"


def of_topology(topology: Topology) -> list[dict[str, Any]]:
    """The containers of the topology's clusters, with the labels that containerlab gives them while it looks."""
    found = []
    for node in topology.nodes:
        labels = {
            _LAB: topology.name,
            _FILE: str(topology.file),
            _KIND: node.kind,
            _FOLDER: str(topology.folder / node.name),
            _OWNER: os.environ.get("SUDO_USER") or os.environ.get("USER", ""),
        }
        for one in _list(f"{nodes.CLUSTER_LABEL}={node.name}") if node.kind == IMITATED_KIND else []:
            one["Labels"] = {**one["Labels"], **labels, _NAME: one["Names"][0]}
            found.append(one)
    return found


def labelled(lab: str = "") -> list[dict[str, Any]]:
    """The containers that carry containerlab's label: of one lab, or of all."""
    return _list(f"{_LAB}={lab}" if lab else _LAB)


def summary(containers: Sequence[dict[str, Any]], *, grouped: bool) -> str:
    """The JSON of `inspect -f json`."""
    rows = sorted((_row(one, grouped=grouped) for one in containers), key=lambda row: (row.get("lab_name", ""), row["name"]))
    return json.dumps(_by_lab(rows, [row.get("lab_name", "") for row in rows]) if grouped else {"containers": rows}, indent=2)


def details(containers: Sequence[dict[str, Any]], *, grouped: bool) -> str:
    """The JSON of `inspect --details`."""
    listed = sorted(containers, key=lambda one: (one["Labels"].get(_LAB, ""), one["Names"][0]))
    return json.dumps(_by_lab(listed, [one["Labels"].get(_LAB, "") for one in listed]) if grouped else list(containers), indent=2)


def _by_lab(rows: Sequence[Any], labs: Sequence[str]) -> dict[str, list[Any]]:
    grouped: dict[str, list[Any]] = {}
    for row, lab in zip(rows, labs, strict=True):
        grouped.setdefault(lab or "_unknown_lab_", []).append(row)
    return grouped


def _row(one: dict[str, Any], *, grouped: bool) -> dict[str, Any]:
    labels, settings = one["Labels"], one["NetworkSettings"]
    path = labels.get(_FILE, "")
    row = {
        "lab_name": labels.get(_LAB, ""),
        "labPath": _shortest(path),
        **({"absLabPath": path} if grouped else {}),
        "name": one["Names"][0],
        "container_id": one["ShortID"],
        "image": one["Image"],
        "kind": labels.get(_KIND, ""),
        "state": one["State"],
        **({"status": one["Status"]} if grouped else {}),
        "ipv4_address": f"{settings['IPv4addr']}/{settings['IPv4pLen']}" if settings["IPv4addr"] else "N/A",
        "ipv6_address": f"{settings['IPv6addr']}/{settings['IPv6pLen']}" if settings["IPv6addr"] else "N/A",
        "owner": labels.get(_OWNER, ""),
    }
    return {key: value for key, value in row.items() if value}


def _shortest(path: str) -> str:
    relative = os.path.relpath(path) if path else ""
    return relative if path and len(relative) < len(path) else path


def _list(label: str) -> list[dict[str, Any]]:
    ids = docker.lines("ps", "-a", "--no-trunc", "--filter", f"label={label}", "--format", "{{.ID}}\t{{.Status}}")
    statuses = dict(line.split("\t", 1) for line in ids)
    return [_generic(one, statuses[one["Id"]]) for one in nodes.inspect(list(statuses))]


def _generic(one: dict[str, Any], status: str) -> dict[str, Any]:
    """As containerlab's GenericContainer is printed: Go's field names."""
    attached = one["NetworkSettings"]["Networks"]
    name, network = next(iter(attached.items())) if len(attached) == 1 else ("unknown", {})
    return {
        "Names": [one["Name"].lstrip("/")],
        "ID": one["Id"],
        "ShortID": one["Id"][:12],
        "Image": one["Config"]["Image"],
        "State": one["State"]["Status"],
        "Status": status,
        "Labels": dict(one["Config"]["Labels"]),
        "Pid": one["State"]["Pid"],
        "NetworkName": name,
        "NetworkSettings": {
            "IPv4addr": network.get("IPAddress", ""),
            "IPv4pLen": network.get("IPPrefixLen", 0),
            "IPv4Gw": network.get("Gateway", ""),
            "IPv6addr": network.get("GlobalIPv6Address", ""),
            "IPv6pLen": network.get("GlobalIPv6PrefixLen", 0),
            "IPv6Gw": network.get("IPv6Gateway", ""),
        },
        "Mounts": [{"Source": mount.get("Source", ""), "Destination": mount["Destination"]} for mount in one["Mounts"][-1:]],
        "Runtime": {"Client": {}},
        "Ports": [],
    }


def table(containers: Sequence[dict[str, Any]]) -> str:
    """The names, kinds, states and addresses; the real one draws a box around them."""
    rows = [_row(one, grouped=True) for one in containers]
    lines = [f"{row['name']}  {row.get('kind', '')}  {row['state']}  {Path(row['ipv4_address']).parent}" for row in rows]
    return "\n".join(["Name  Kind/Image  State  IPv4/6 Address", *lines])
