# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output of `birdcl` ⇄ the model (private): `show protocols` and `show route` of BIRD 1.6 as Calico ships it.

With ``bgp: Disabled`` there is no BIRD in calico-node and the client says ``Unable to connect to server control
socket …``: that is an observation (``running`` False), not a failure to observe.
"""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Tuple

from ._model import BgpSession, Bird, BirdRoute

_BANNER = re.compile(r"^BIRD (\S+) ready")
UNREACHABLE = "Unable to connect to server control socket"
_PEER = re.compile(r"^(?:Mesh|Global|Node|Local_Workload)_([0-9]+(?:_[0-9]+){3})(?:_port_\d+)?$")
_KINDS = ("blackhole", "unreachable", "prohibit")


def parse_bird(protocols: str, routes: Tuple[BirdRoute, ...] = ()) -> Bird:
    """What one node's BIRD says of itself in `show protocols`; ``routes``: its best ones, where they were asked for.

    ValueError where neither BIRD speaks nor its client.
    """
    version = None
    for line in protocols.splitlines():
        banner = _BANNER.match(line)
        if banner:
            version = banner.group(1)
        elif line.startswith(UNREACHABLE):
            return Bird(running=False, message=line.strip())
    if version is None:
        raise ValueError("not what birdcl prints: %.200r" % protocols.strip())
    return Bird(True, version, None, parse_sessions(protocols), routes)


def parse_sessions(protocols: str) -> Tuple[BgpSession, ...]:
    """The BGP protocols of `show protocols`: ``name proto table state since info``."""
    sessions = []
    for line in protocols.splitlines():
        words = line.split()
        if len(words) >= 5 and words[1] == "BGP" and line[0] not in " \t":
            sessions.append(BgpSession(words[0], peer_of(words[0]), words[3], " ".join(words[5:])))
    return tuple(sessions)


def peer_of(protocol: str) -> Optional[str]:
    """The peer's address in a protocol name that Calico makes (``Mesh_172_18_0_3``); None for other names."""
    match = _PEER.match(protocol)
    return match.group(1).replace("_", ".") if match else None


def parse_bird_routes(output: str) -> Tuple[BirdRoute, ...]:
    """The best paths of `show route`, with or without ``all`` or ``primary``. ValueError where it shows none.

    A BIRD that runs has its devices' routes at least. Beside the best, a mesh of N nodes over VXLAN has a path from every peer
    for every block (calico-facts 3.3), N² lines on each node: nothing needs them.
    """
    routes = tuple(_routes(output))
    if not routes:
        raise ValueError("no best route in it")
    return routes


def _routes(output: str) -> Iterator[BirdRoute]:
    destination = None
    for line in output.splitlines():
        if "[" not in line or line.startswith("\t"):  # banner, attribute of `show route all`, further next hop
            continue
        before, _bracket, after = line.partition("[")
        inside, _bracket, rest = after.partition("]")
        words = before.split()
        if not line[0].isspace():
            destination = words.pop(0)
        if destination is None or not inside:
            continue
        mark = rest.split(None, 1)[:1]
        if mark in (["*"], ["!"]):
            yield _route(destination, words, inside.split()[0], mark[0])


def _route(destination: str, words: List[str], protocol: str, mark: str) -> BirdRoute:
    kind, via, dev = "unicast", None, None
    for position, word in enumerate(words):
        if word in _KINDS:
            kind = word
        elif word == "via":
            via = words[position + 1]
        elif word in ("on", "dev"):
            dev = words[position + 1]
    return BirdRoute(destination, via, dev, protocol, mark, kind)


def sessions_text(bird: Bird) -> str:
    """`show protocols` as BIRD prints it; the time since a state is not part of the model and printed as zeros."""
    lines = ["BIRD %s ready." % bird.version, "name     proto    table    state  since       info"]
    for session in bird.sessions:
        lines.append("%-8s BGP      master   %-6s 00:00:00    %s" % (session.name, session.state, session.info))
    return "\n".join(lines) + "\n"


def bird_routes_text(routes: Tuple[BirdRoute, ...]) -> str:
    """`show route` as BIRD prints it, without times and preferences, which the model does not hold."""
    lines = []
    for route in routes:
        where = route.kind if route.kind != "unicast" else ""
        if route.via:
            where = "via %s on %s" % (route.via, route.dev)
        elif route.dev:
            where = "dev %s" % route.dev
        lines.append("%-18s %s [%s 00:00:00] %s (100)" % (route.dst, where, route.protocol, route.mark))
    return "\n".join(lines) + "\n"
