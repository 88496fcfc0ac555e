# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGPFilter objects in BIRD's words, as confd's template functions put them. Pure.

Source: confd/pkg/resource/template/template_funcs.go of v3.30.7 and v3.32.1. A rule is one statement; its conditions are joined by
"and", one without any is the action alone. What v3.32 added (peer type, communities, AS path, priority, operations) counts from
there on. What Calico's API server would not have let in is refused here by name, as confd refuses to render it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .desired import BgpFilter

#: A route's priority is what is missing to this local preference.
HIGHEST_PREFERENCE = 2147483647
#: BIRD's symbols are not longer.
_LONGEST_NAME = 64
_OPERATORS = {"Equal": "=", "NotEqual": "!=", "In": "~", "NotIn": "!~"}
_PEER_TYPES = {"iBGP": "same_as", "eBGP": "! same_as"}
_ACTIONS = ("Accept", "Reject")
_INTERFACE = re.compile(r"[\w.*:-]{1,15}")
_COMMUNITY = re.compile(r"\d+:\d+(:\d+)?")

Object = Mapping[str, Any]


class FilterError(Exception):
    """A rule that BIRD cannot be told."""


def filters_of(objects: Iterable[Object], *, later: bool) -> tuple[BgpFilter, ...]:
    """Every BGPFilter, by name. ``later``: Calico v3.32 or newer. Raises `FilterError`."""
    named = sorted((item["metadata"]["name"], item.get("spec") or {}) for item in objects)
    return tuple(
        BgpFilter(
            name,
            imports=tuple(_statements(name, "importV4", spec, later=later)),
            exports=tuple(_statements(name, "exportV4", spec, later=later)),
        )
        for name, spec in named
    )


def function_name(name: str, direction: str) -> str:
    """The BIRD function of a BGPFilter, for import or export; a long name is cut and told apart by a hash."""
    head, tail = "bgp_", f"_{direction}FilterV4"
    room = _LONGEST_NAME - len(head) - len(tail)
    if len(name) > room:
        name = f"{name[: room - 17]}_{hashlib.sha256(name.encode()).hexdigest().upper()[:16]}"
    return f"'{head}{name}{tail}'"


def _statements(name: str, field: str, spec: Object, *, later: bool) -> Iterator[str]:
    for place, rule in enumerate(spec.get(field) or ()):
        try:
            yield _statement(rule, later=later)
        except (ValueError, KeyError, TypeError) as error:
            raise FilterError(f"BGPFilter {name}, spec.{field}[{place}]: {error or rule}") from error


def _statement(rule: Object, *, later: bool) -> str:
    conditions = [*_conditions(rule), *(_later_conditions(rule) if later else ())]
    body = " ".join([*(_operations(rule) if later else ()), f"{_one_of(rule['action'], _ACTIONS).lower()};"])
    return f"if ( {' && '.join(conditions)} ) then {{ {body} }}" if conditions else body


def _conditions(rule: Object) -> Iterator[str]:
    if rule.get("cidr"):
        yield f"net {_OPERATORS[_one_of(rule.get('matchOperator'), _OPERATORS)]} {_networks(rule['cidr'], rule.get('prefixLength'))}"
    if rule.get("source"):
        _one_of(rule["source"], ("RemotePeers",))
        yield "source = RTS_BGP"
    if rule.get("interface"):
        if not _INTERFACE.fullmatch(rule["interface"]):
            raise ValueError(f"{rule['interface']!r} is no pattern of an interface")
        yield f'( defined(ifname) && ifname ~ "{rule["interface"]}" )'


def _networks(cidr: str, lengths: Object | None) -> str:
    """The network, or all in it of certain lengths."""
    network = ipaddress.IPv4Network(cidr, strict=False)
    if lengths is None:
        return str(network)
    shortest = max(network.prefixlen, int(lengths.get("min") or 0))
    longest = min(32, int(lengths["max"])) if lengths.get("max") is not None else 32
    return f"[ {network}{{{shortest},{longest}}} ]"


def _later_conditions(rule: Object) -> Iterator[str]:
    if rule.get("communities"):
        value = rule["communities"]["values"][0]
        yield f"{_community(value)} ~ {_attribute(value)}"
    if rule.get("asPathPrefix"):
        yield f"bgp_path ~ [= {' '.join(str(int(number)) for number in rule['asPathPrefix'])} * =]"
    if rule.get("priority"):
        yield f"( defined(bgp_local_pref) && bgp_local_pref = {HIGHEST_PREFERENCE - int(rule['priority'])} )"
    if rule.get("peerType"):
        yield _PEER_TYPES[_one_of(rule["peerType"], _PEER_TYPES)]


def _operations(rule: Object) -> Iterator[str]:
    for operation in rule.get("operations") or ():
        if "addCommunity" in operation:
            value = operation["addCommunity"]["value"]
            yield f"{_attribute(value)}.add({_community(value)});"
        elif "prependASPath" in operation:  # BIRD prepends one at a time, the last comes to stand first
            yield from (f"bgp_path.prepend({int(number)});" for number in reversed(operation["prependASPath"]["prefix"]))
        else:
            yield f"bgp_local_pref = {HIGHEST_PREFERENCE - int(operation['setPriority']['value'])};"


def _community(value: str) -> str:
    if not _COMMUNITY.fullmatch(value):
        raise ValueError(f"{value!r} is no community")
    return f"({', '.join(value.split(':'))})"


def _attribute(value: str) -> str:
    return "bgp_large_community" if value.count(":") == 2 else "bgp_community"


def _one_of(value: Any, known: Iterable[str]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return str(value)
