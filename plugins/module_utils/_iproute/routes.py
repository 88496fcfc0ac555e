# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip route` (private). Without ``-d`` iproute2 leaves out type unicast, protocol boot, scope global and table main."""

from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Tuple

from .._model import Nexthop, Route
from .base import ParseError, cidr, drop_none, parse, shorten

TYPES = frozenset(
    "unicast local broadcast multicast anycast blackhole unreachable prohibit throw nat xresolve".split()
)
FLAGS = frozenset("onlink linkdown dead pervasive offload offload_failed trap notify unresolved rt_trap rt_offload cache".split())
_COLUMNS = {"dev": "dev", "table": "table", "proto": "protocol", "scope": "scope", "src": "prefsrc", "metric": "metric", "mtu": "mtu"}


def parse_routes(output: str) -> Tuple[Route, ...]:
    """Routes of both families; a default route is IPv6 if its gateway is, or if it has a router preference."""
    return parse(output, "ip route", _from_json, _from_text)


def _from_json(entry: dict) -> Iterator[Route]:
    via = entry.get("via")
    gateway = entry.get("gateway") or (via["host"] if via else None)
    ipv6 = "pref" in entry or (via is None and gateway is not None and ":" in gateway)
    mtu = None
    for metrics in entry.get("metrics") or ():
        mtu = metrics.get("mtu", mtu)
    nexthops = entry.get("nexthops")
    yield Route(
        cidr(entry["dst"], ipv6),
        entry.get("type", "unicast"),
        gateway,
        entry.get("dev"),
        entry.get("protocol", "boot"),
        entry.get("scope", "global"),
        entry.get("metric", 0),
        entry.get("table", "main"),
        entry.get("prefsrc"),
        mtu,
        tuple(entry.get("flags") or ()),
        tuple(_nexthop(leg) for leg in nexthops) if nexthops else (),
    )


def _nexthop(leg: dict) -> Nexthop:
    gateway = leg.get("gateway") or (leg["via"]["host"] if "via" in leg else None)
    return Nexthop(gateway, leg.get("dev"), leg.get("weight", 1), tuple(leg.get("flags") or ()))


def _from_text(output: str) -> Iterator[Route]:
    pending: Optional[Route] = None
    for line in output.splitlines():
        words = line.split()
        if not words or words[0] == "cache":  # the second line of `ip route get`
            continue
        if words[0] == "nexthop":
            if pending is None:
                raise ParseError("ip route: a next hop without its route: %.200s" % line)
            pending = pending._replace(nexthops=pending.nexthops + (_nexthop(_scan(words[1:], line)),))
            continue
        if pending is not None:
            yield pending
        pending = _route_of(words, line)
    if pending is not None:
        yield pending


def _route_of(words: List[str], line: str) -> Route:
    kind = "unicast"
    if words[0] in TYPES:
        kind, words = words[0], words[1:]
    if not words or not (words[0] == "default" or words[0][0].isdigit() or ":" in words[0]):
        raise ParseError("ip route: no destination in %.200r" % line)
    entry = _scan(words[1:], line)
    entry.update(dst=words[0], type=kind)
    return next(_from_json(entry))


def _scan(words: List[str], line: str) -> Dict:
    """The rest of a route's line in the shape of `ip -j`; keys the model does not hold are skipped with their value."""
    entry: Dict = {"flags": []}
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        if word in FLAGS:
            entry["flags"].append(word)
            continue
        if position == len(words):
            raise ParseError("ip route: %r without a value in %.200r" % (word, line))
        value = words[position]
        position += 1
        if value in ("lock", "inet6", "inet") and position < len(words):  # `mtu lock 1400`, `via inet6 fe80::1`
            if value == "inet6":
                entry["via"] = {"host": words[position]}
                word = "via6"
            value = words[position]
            position += 1
        if word == "via":
            entry["gateway"] = value
        elif word == "mtu":
            entry["metrics"] = [{"mtu": _number(value, line)}]
        elif word in ("metric", "weight"):
            entry[word] = _number(value, line)
        elif word == "pref":
            entry["pref"] = value
        elif word in _COLUMNS:
            entry[_COLUMNS[word]] = value
    return entry


def _number(value: str, line: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ParseError("ip route: %r is not a number in %.200r" % (value, line))


def route_json(route: Route) -> dict:
    """The route as ``ip -j route`` prints it (a router preference marks IPv6, as the kernel does)."""
    ipv6 = ":" in route.dst
    entry = {
        "type": None if route.type == "unicast" else route.type,
        "dst": shorten(route.dst),
        "gateway": route.gateway,
        "dev": route.dev,
        "table": None if route.table == "main" else route.table,
        "protocol": None if route.protocol == "boot" else route.protocol,
        "scope": None if route.scope == "global" else route.scope,
        "prefsrc": route.prefsrc,
        "metric": route.metric or None,
        "flags": list(route.flags),
        "metrics": [{"mtu": route.mtu}] if route.mtu else None,
        "pref": "medium" if ipv6 else None,
        "nexthops": [_nexthop_json(leg, ipv6) for leg in route.nexthops] or None,
    }
    if route.gateway and ":" in route.gateway and not ipv6:
        entry.update(gateway=None, via={"family": "inet6", "host": route.gateway})
    return drop_none(entry)


def _nexthop_json(leg: Nexthop, ipv6: bool) -> dict:
    entry = {"gateway": leg.gateway, "dev": leg.dev, "weight": leg.weight, "flags": list(leg.flags)}
    if leg.gateway and ":" in leg.gateway and not ipv6:
        entry.update(gateway=None, via={"family": "inet6", "host": leg.gateway})
    return drop_none(entry)


def route_text(route: Route) -> str:
    """The route as ``ip route`` prints it: one line, and one more for each next hop of a multipath route."""
    words = [] if route.type == "unicast" else [route.type]
    words += [shorten(route.dst)] + _hop_words(route.gateway, route.dev, ":" in route.dst)
    if route.table != "main":
        words += ["table", route.table]
    if route.protocol != "boot":
        words += ["proto", route.protocol]
    if route.scope != "global":
        words += ["scope", route.scope]
    if route.prefsrc:
        words += ["src", route.prefsrc]
    if route.metric:
        words += ["metric", str(route.metric)]
    words += route.flags
    if route.mtu:
        words += ["mtu", str(route.mtu)]
    if ":" in route.dst:
        words += ["pref", "medium"]
    lines = [" ".join(words)]
    for leg in route.nexthops:
        hop = ["nexthop"] + _hop_words(leg.gateway, leg.dev, ":" in route.dst) + ["weight", str(leg.weight)]
        lines.append("\t" + " ".join(hop + list(leg.flags)))
    return "\n".join(lines)


def _hop_words(gateway: Optional[str], dev: Optional[str], ipv6: bool) -> List[str]:
    words = []
    if gateway:
        words += ["via", "inet6", gateway] if ":" in gateway and not ipv6 else ["via", gateway]
    return words + (["dev", dev] if dev else [])
