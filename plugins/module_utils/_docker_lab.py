# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What there is of a lab on a Docker host, and whose it is (private, pure).

kind's containers carry the label `io.x-k8s.kind.cluster=<cluster>` and nothing of ours, so a cluster is the lab's only by what the
lab folder says: the record of a build that came to its end has the containers' ids; the intention of one that did not has the time
after which all of them were made.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address, ip_network
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

_CLUSTER = "io.x-k8s.kind.cluster"
_ROLE = "io.x-k8s.kind.role"
NETWORK_LABEL = "podnet.calico/lab"
_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$")


def describe(
    host: Mapping[str, Any],
    cluster: str,
    network: str,
    building: Optional[Mapping[str, Any]],
    recorded: Optional[Mapping[str, Any]],
) -> Dict[str, Any]:
    """What there is: ``state``, why, the containers, the network ``network``, the other networks, the host's time.

    ``host`` is what community.docker.docker_host_info returned, with containers and networks in full. States: absent, running,
    stopped, incomplete (some of the lab's containers are gone), half_built (by us), foreign.
    """
    building, recorded = building or {}, recorded or {}
    nodes = _containers(host, cluster, network)
    state, reason = _state(nodes, cluster, building, recorded)
    networks = host.get("networks") or []
    return {
        "state": state,
        "reason": reason,
        "uuid": _uuid(state, building, recorded),
        "nodes": nodes,
        "start_order": [one["id"] for one in sorted(recorded.get("containers", []), key=_first_address)],
        "network": next((_network(one) for one in networks if one["Name"] == network), {}),
        "other_networks": [_network(one) for one in networks if one["Name"] != network],
        "now": _utc(str((host.get("host_info") or {}).get("SystemTime", ""))),
    }


def subnet_errors(found: Mapping[str, Any], network: str, wanted: Mapping[str, str], managed: Optional[str]) -> List[str]:
    """What is wrong with the subnets, given the networks there are.

    ``wanted`` has the values of podnet_node_subnet, podnet_pod_subnet and podnet_service_subnet; ``managed`` is the subnet of
    containerlab's management network where that will be made.
    """
    errors: List[str] = []
    if found["network"]:
        label = "the Docker network '%s', which exists and becomes the nodes' network," % network
        errors.extend(_clashes(label, found["network"]["subnets"], wanted, ("podnet_pod_subnet", "podnet_service_subnet")))
    for other in found["other_networks"]:
        names = ("podnet_pod_subnet", "podnet_service_subnet") if found["network"] else tuple(wanted)
        errors.extend(_clashes("the Docker network '%s'" % other["name"], other["subnets"], wanted, names))
    if managed and not any(managed in other["subnets"] for other in found["other_networks"]):
        errors.extend(_clashes("containerlab_management_subnet", [managed], wanted, tuple(wanted)))
    return errors


def _clashes(label: str, subnets: Sequence[str], wanted: Mapping[str, str], names: Sequence[str]) -> Iterator[str]:
    # With two families a variable holds one subnet of each, as kind wants them: separated by a comma.
    pairs = [(name, part) for name in names for part in wanted[name].split(",")]
    for name, part in pairs:
        for subnet in subnets:
            mine, other = ip_network(part), ip_network(subnet)
            if mine.version == other.version and mine.overlaps(other):
                yield "%s %s overlaps %s %s. Choose another subnet, or remove that network" % (name, mine, label, other)


def _containers(host: Mapping[str, Any], cluster: str, network: str) -> List[Dict[str, Any]]:
    found = []
    for one in host.get("containers") or []:
        labels = one.get("Labels") or {}
        if labels.get(_CLUSTER) != cluster:
            continue
        attached = ((one.get("NetworkSettings") or {}).get("Networks") or {}).get(network) or {}
        found.append(
            {
                "id": one["Id"],
                "name": one["Names"][0].lstrip("/"),
                "role": labels.get(_ROLE, ""),
                "running": one["State"] == "running",
                "state": one["State"],
                "created": int(one["Created"]),
                "addresses": [address for address in (attached.get("IPAddress"), attached.get("GlobalIPv6Address")) if address],
            }
        )
    return sorted(found, key=lambda one: (one["role"] != "control-plane", len(one["name"]), one["name"]))


def _first_address(container: Mapping[str, Any]) -> int:
    addresses = container.get("addresses")
    return int(ip_address(addresses[0])) if addresses else 0


def _state(nodes: List[Dict[str, Any]], cluster: str, building: Mapping[str, Any], recorded: Mapping[str, Any]) -> Tuple[str, str]:
    if not nodes:
        return "absent", ""
    known = {one["id"] for one in recorded.get("containers", [])}
    found = {one["id"] for one in nodes}
    if found == known:
        stopped = [one["name"] for one in nodes if not one["running"]]
        return ("stopped", "not running: %s" % ", ".join(stopped)) if stopped else ("running", "")
    if found < known:
        gone = [one["name"] for one in recorded["containers"] if one["id"] not in found]
        return "incomplete", "there is no %s any more" % ", no ".join(gone)
    if building.get("cluster") == cluster and all(one["created"] >= _seconds(building["since"]) for one in nodes):
        return "half_built", "an earlier run was interrupted"
    return "foreign", "its nodes are %s" % ", ".join(one["name"] for one in nodes if one["id"] not in known)


def _uuid(state: str, building: Mapping[str, Any], recorded: Mapping[str, Any]) -> str:
    """The uuid that goes on being the lab's; empty where a lab begins."""
    return str((recorded if state in ("running", "stopped", "incomplete") else building).get("uuid", ""))


def _network(one: Mapping[str, Any]) -> Dict[str, Any]:
    configured = (one.get("IPAM") or {}).get("Config") or []
    return {
        "name": one["Name"],
        "id": one["Id"],
        "subnets": [config["Subnet"] for config in configured if config.get("Subnet")],
        "lab": (one.get("Labels") or {}).get(NETWORK_LABEL, ""),
        "mtu": (one.get("Options") or {}).get("com.docker.network.driver.mtu", ""),
    }


def _utc(text: str) -> str:
    """Docker's SystemTime, which has nanoseconds and the host's zone, in UTC to the second."""
    match = _TIME.match(text)
    if match is None:
        return ""
    zone = "+00:00" if match.group(2) == "Z" else match.group(2)
    return datetime.fromisoformat(match.group(1) + zone).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(since: str) -> float:
    """Unix time of an intention's ``since``."""
    epoch = datetime(1970, 1, 1)
    return (datetime.strptime(since, "%Y-%m-%dT%H:%M:%SZ") - epoch) / timedelta(seconds=1)
