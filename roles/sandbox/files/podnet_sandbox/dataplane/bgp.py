# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BIRD on a node is configured with: the calculation that confd's templates do in Calico. Pure.

Source: calico-facts 10, FINDINGS A13 (who waits for whom) and D (metric of v3.32).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..ipam.pools import encapsulates_vxlan
from .desired import Bgp, BgpPeer, BgpPool

if TYPE_CHECKING:
    from .felix import Datastore, Host

DEFAULT_AS_NUMBER = 64512
AS_ANNOTATION = "projectcalico.org/ASNumber"
ROUTE_REFLECTOR_ANNOTATION = "projectcalico.org/RouteReflectorClusterID"
ADDRESS_ANNOTATION = "projectcalico.org/IPv4Address"


def mesh(local: Host, remote: Mapping[str, Host], data: Datastore) -> Bgp:
    """BIRD of ``local`` in the node-to-node mesh."""
    numbers = _as_numbers(data)
    return Bgp(
        router_id=local.address,
        as_number=numbers[local.name],
        blocks=tuple(sorted(_own_blocks(local.name, data))),
        pools=tuple(sorted(BgpPool(pool["spec"]["cidr"], not encapsulates_vxlan(pool)) for pool in data.pools)),
        peers=tuple(sorted(_peers(local, remote, numbers, data))),
        metric=1024 if _minor(data.calico_version) >= (3, 32) else 0,
    )


def facts_of(node: Mapping[str, Any]) -> tuple[str, str | None, bool]:
    """What the mesh follows from in a Node object: name, AS number of its own, whether it is a member."""
    annotations = _annotations(node)
    return node["metadata"]["name"], annotations.get(AS_ANNOTATION), _in_mesh(annotations)


def _own_blocks(node: str, data: Datastore) -> Iterator[str]:
    """From BlockAffinities, not from blocks; pending ones do not count (calico-facts 0.7, 10)."""
    for affinity in data.affinities:
        spec = affinity["spec"]
        valid = spec.get("state") != "pending" and spec.get("deleted") not in (True, "true")
        own = spec["node"] == node and spec.get("type", "host") == "host"
        if valid and own and not spec["cidr"].endswith("/32"):
            yield spec["cidr"]


def _peers(
    local: Host, remote: Mapping[str, Host], numbers: Mapping[str, int], data: Datastore
) -> Iterator[BgpPeer]:
    configuration = (data.bgp_configuration or {}).get("spec") or {}
    members = {node["metadata"]["name"] for node in data.nodes if _in_mesh(_annotations(node))}
    if configuration.get("nodeToNodeMeshEnabled") is False or local.name not in members:
        return
    for host in remote.values():
        if host.name in members:
            yield BgpPeer(
                name="Mesh_" + host.address.replace(".", "_"),
                address=host.address,
                as_number=numbers[host.name],
                passive=local.address < host.address,  # compared as text, as confd does
            )


def _in_mesh(annotations: Mapping[str, str]) -> bool:
    """A node is in the mesh once calico-node has written its address, unless it is a route reflector."""
    return ADDRESS_ANNOTATION in annotations and ROUTE_REFLECTOR_ANNOTATION not in annotations


def _as_numbers(data: Datastore) -> dict[str, int]:
    configuration = (data.bgp_configuration or {}).get("spec") or {}
    default = int(configuration.get("asNumber") or DEFAULT_AS_NUMBER)
    return {
        node["metadata"]["name"]: int(_annotations(node).get(AS_ANNOTATION) or default) for node in data.nodes
    }


def _annotations(node: Mapping[str, Any]) -> Mapping[str, str]:
    return node["metadata"].get("annotations") or {}


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.lstrip("v").split(".")[:2])
