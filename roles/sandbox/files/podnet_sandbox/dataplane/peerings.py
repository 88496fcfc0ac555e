# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""With whom a node's BIRD speaks: the node-to-node mesh, and BGPPeer objects. Pure, as confd's client and template.

Source: calico-facts 10; confd's client.go and bird.cfg.template of v3.30. A BGPPeer between nodes is made from both its sides;
a global one goes before one of single nodes to the same address; a reflector takes every peer of its AS for a client that does
not name the reflector's own cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..ipam.selector import selects
from .bgp_passwords import usable_password
from .desired import BgpPeer
from .duration import seconds

DEFAULT_AS_NUMBER = 64512
AS_ANNOTATION = "projectcalico.org/ASNumber"
REFLECTOR_ANNOTATION = "projectcalico.org/RouteReflectorClusterID"
ADDRESS_ANNOTATION = "projectcalico.org/IPv4Address"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Speaker:
    """A node as BGP sees it; ``address`` is "" until calico-node has written one, ``cluster_id`` a reflector's."""

    name: str
    address: str
    as_number: int
    cluster_id: str
    port: int
    labels: tuple[tuple[str, str], ...]

    def selected(self, selector: str) -> bool:
        return selects(selector, dict(self.labels))


@dataclass(frozen=True)
class _Far:
    """The other end of a peering, as a BGPPeer or another node gives it."""

    address: str
    as_number: int
    port: int = 0
    cluster_id: str = ""
    source: bool = True
    keep_next_hop: bool = False
    restart_time: int = 0
    filters: tuple[str, ...] = ()
    password: str = field(default="", repr=False)


@dataclass(frozen=True)
class Mesh:
    """What all sessions of the node-to-node mesh have: BGPConfiguration's nodeMeshPassword and nodeMeshMaxRestartTime (seconds)."""

    password: str = field(default="", repr=False)
    restart_time: int = 0


def speakers_of(nodes: Iterable[Object], configurations: Iterable[Object]) -> tuple[Speaker, ...]:
    """Every node, by name. ``configurations``: BGPConfiguration `default`, and `node.NAME` for a listening port of its own."""
    specs = {item["metadata"]["name"]: item.get("spec") or {} for item in configurations}
    common = specs.get("default", {})
    found = []
    for node in nodes:
        metadata = node["metadata"]
        annotations = metadata.get("annotations") or {}
        own = specs.get(f"node.{metadata['name']}", {})
        found.append(Speaker(
            name=metadata["name"],
            address=annotations.get(ADDRESS_ANNOTATION, "").partition("/")[0],
            as_number=int(annotations.get(AS_ANNOTATION) or common.get("asNumber") or DEFAULT_AS_NUMBER),
            cluster_id=annotations.get(REFLECTOR_ANNOTATION) or "",
            port=int(own.get("listenPort") or common.get("listenPort") or 0),
            labels=tuple(sorted((metadata.get("labels") or {}).items())),
        ))  # fmt: skip
    return tuple(sorted(found, key=lambda speaker: speaker.name))


def peers_of(
    local: Speaker, speakers: Iterable[Speaker], bgp_peers: Iterable[Object], mesh: Mesh | None, secrets: Iterable[Object] = ()
) -> tuple[BgpPeer, ...]:
    """The sessions of ``local``, sorted by name. ``mesh`` None: the nodes do not speak with each other unless a BGPPeer says so."""
    everyone = tuple(speakers)
    found: list[BgpPeer] = []
    if mesh is not None and local.address and not local.cluster_id:
        members = [other for other in everyone if other.address and not other.cluster_id and other.name != local.name]
        # The node with the lower address, compared as text, waits (FINDINGS A13).
        ends = [replace(_node(other), password=mesh.password, restart_time=mesh.restart_time) for other in members]
        found += [replace(_peer("Mesh", local, end), passive=end.address > local.address) for end in ends]
    by_name = sorted(bgp_peers, key=lambda item: item["metadata"]["name"])
    specs = [_with_password(item.get("spec") or {}, secrets) for item in by_name]
    for kind, ends in _configured(local, everyone, specs):
        found += [_peer(kind, local, end) for end in ends if end.address != local.address]
    return tuple(sorted(found))


def _with_password(spec: Object, secrets: Iterable[Object]) -> Object:
    """The spec with the password itself in place of where it is."""
    return {**spec, "password": usable_password(spec.get("password"), secrets)}


def _configured(local: Speaker, everyone: tuple[Speaker, ...], specs: list[Object]) -> Iterator[tuple[str, list[_Far]]]:
    """Global peerings, and those of this node alone; the first to name an address has it."""
    everywhere: dict[tuple[str, int], _Far] = {}
    here: dict[tuple[str, int], _Far] = {}
    for spec in specs:
        if _is_global(spec):
            for end in _far_ends(spec, local, everyone):
                everywhere.setdefault((end.address, end.port), end)
    own = [end for spec in specs if not _is_global(spec) and _is_local(spec, local) for end in _far_ends(spec, local, everyone)]
    reverse = [end for spec in specs if _is_far_end(spec, local) for end in _near_ends(spec, everyone)]
    for end in (*own, *reverse):
        if (end.address, end.port) not in everywhere:
            here.setdefault((end.address, end.port), end)
    yield "Global", list(everywhere.values())
    yield "Node", list(here.values())


def _is_global(spec: Object) -> bool:
    return not spec.get("node") and not spec.get("nodeSelector")


def _is_local(spec: Object, speaker: Speaker) -> bool:
    """Whether the peering starts at the node."""
    if spec.get("nodeSelector"):
        return speaker.selected(spec["nodeSelector"])
    return not spec.get("node") or spec["node"] == speaker.name


def _is_far_end(spec: Object, speaker: Speaker) -> bool:
    """Whether the node is what the BGPPeer names as the peer."""
    if spec.get("peerSelector"):
        return speaker.selected(spec["peerSelector"])
    address, port = _split(spec.get("peerIP") or "")
    wanted = int(spec.get("asNumber") or speaker.as_number)
    return bool(address) and (address, wanted) == (speaker.address, speaker.as_number) and port in (0, speaker.port)


def _far_ends(spec: Object, local: Speaker, everyone: tuple[Speaker, ...]) -> Iterator[_Far]:
    if spec.get("peerSelector"):
        yield from (_with(spec, _node(other)) for other in everyone if other.address and other.selected(spec["peerSelector"]))
        return
    address, port = _split(spec.get("peerIP") or "")
    if address:
        number = int(spec.get("asNumber") or local.as_number)
        node = next((other for other in everyone if (other.address, other.as_number) == (address, number)), None)
        yield _with(spec, _Far(address, number, port or (node.port if node else 0)))


def _near_ends(spec: Object, everyone: tuple[Speaker, ...]) -> Iterator[_Far]:
    yield from (_with(spec, _node(other)) for other in everyone if other.address and _is_local(spec, other))


def _node(speaker: Speaker) -> _Far:
    return _Far(speaker.address, speaker.as_number, speaker.port, speaker.cluster_id)


def _with(spec: Object, end: _Far) -> _Far:
    return replace(
        end,
        source=spec.get("sourceAddress") != "None",
        keep_next_hop=bool(spec.get("keepOriginalNextHop")),
        restart_time=int(seconds(spec.get("maxRestartTime"), 0)),
        filters=tuple(spec.get("filters") or ()),
        password=spec["password"],
    )


def _split(peer: str) -> tuple[str, int]:
    """``172.18.0.9:1790`` -> address and port; without a port 0."""
    address, _ignored, port = peer.partition(":")
    return address, int(port) if port.isdigit() else 0


def _peer(kind: str, local: Speaker, end: _Far) -> BgpPeer:
    internal = end.as_number == local.as_number
    port = f"_port_{end.port}" if end.port and kind != "Mesh" else ""
    return BgpPeer(
        name=f"{kind}_{end.address.replace('.', '_')}{port}",
        address=end.address,
        as_number=end.as_number,
        port=end.port,
        client_of=local.cluster_id if internal and local.cluster_id and end.cluster_id != local.cluster_id else "",
        source=end.source,
        keep_next_hop=end.keep_next_hop and not internal,
        restart_time=end.restart_time,
        filters=end.filters,
        password=end.password,
    )
