# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to ask a node and a pod, and what the answers say (private, pure).

calico-node's image has ``ip``, ``birdcl``, ``ipset``, ``iptables-*-save``, ``cat`` and a POSIX shell; no ``bridge``, ``awk``,
``sysctl`` or ``ping``. A pod may have anything or nothing. Every piece of evidence stands alone: a command that is
missing, fails, or says what cannot be read makes that piece unobserved and touches no other.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _bird, _iproute
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    Bird,
    FdbEntry,
    Masquerade,
    NodeFacts,
    PodFacts,
    Unobserved,
)
from ansible_collections.podnet.calico.plugins.module_utils._script import Section
from ansible_collections.podnet.calico.plugins.module_utils._version import ALL_POOLS, NETWORK_POOLS

BIRDCL = "birdcl -s /var/run/calico/bird.ctl"
VXLAN_DEVICE = "vxlan.calico"
_SYSCTLS = (
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/ipv4/conf/*/forwarding",
    "net/ipv4/conf/*/proxy_arp",
    "net/ipv4/conf/*/rp_filter",
    "net/ipv4/conf/*/route_localnet",
    "net/ipv4/neigh/*/proxy_delay",
)


class Piece(NamedTuple):
    """One piece of evidence: the field of the facts that it fills, the command, its reader.

    ``plain``: the command for an ``ip`` that knows no JSON (BusyBox).
    """

    field: str
    command: str
    parse: Callable[[str], Any]
    plain: Optional[str] = None


def _fdb_entries(output: str) -> Tuple[FdbEntry, ...]:
    """``ip`` leaves out the device when it is asked about one."""
    return _iproute.parse_fdb(output, VXLAN_DEVICE)


_LINKS = Piece("links", "ip -j -d -s link", _iproute.parse_links, "ip -d -s link")
_ADDRESSES = Piece("addresses", "ip -j addr", _iproute.parse_addresses, "ip addr")
_NEIGHBOURS = Piece("neighbours", "ip -j neigh", _iproute.parse_neighbours, "ip neigh")

NODE_PIECES: Tuple[Piece, ...] = (
    _LINKS,
    _ADDRESSES,
    Piece("routes", "ip -j -d route show table all", _iproute.parse_routes, "ip route show table all"),
    Piece("rules", "ip -j rule", _iproute.parse_rules, "ip rule"),
    _NEIGHBOURS,
    Piece("fdb", "ip -j -f bridge neigh show dev " + VXLAN_DEVICE, _fdb_entries),
)
POD_PIECES: Tuple[Piece, ...] = (
    _LINKS,
    _ADDRESSES,
    Piece("routes", "ip -j -d route", _iproute.parse_routes, "ip route"),
    _NEIGHBOURS,
)

# s: not the shell's own `read`, which dash does byte by byte, and /proc/sys gives no second byte. grep's exit code 2 means
# that a device went away meanwhile. g: the pipe would hide a tool that is missing or fails behind grep's exit code 1.
_REFUSED = 3
_NODE_TOOLS = r"""
s() { grep -sH . "$@"; [ $? -le 2 ]; }
g() { command -v "$1" >/dev/null || return 127; n=$("$1" -t nat) || return 3; printf '%s\n' "$n" | grep -e cali40masq-ipam-pools; }
"""


def _lines(pieces: Sequence[Piece]) -> List[str]:
    lines = []
    for piece in pieces:
        line = "r %s %s" % (piece.field, piece.command)
        if piece.plain:
            line += " || r %s.plain %s" % (piece.field, piece.plain)
        lines.append(line)
    return lines


def node_script() -> str:
    """The body of the script for calico-node; what grows with the cluster (BIRD's table) comes last."""
    return "\n".join(
        [_NODE_TOOLS.strip()]
        + _lines(NODE_PIECES)
        + ["r sysctls s " + " ".join("/proc/sys/" + name for name in _SYSCTLS)]
        + ["r ipset.%s ipset list %s" % (name, name) for name in (ALL_POOLS, NETWORK_POOLS, _MASQUERADE_POOLS)]
        + ["r nat.%s g iptables-%s-save" % (backend, backend) for backend in _BACKENDS]
        + ["r bird.protocols %s show protocols && r bird.routes %s show route primary" % (BIRDCL, BIRDCL)]
    )


def pod_script() -> str:
    """The body of the script for a pod."""
    return "\n".join(_lines(POD_PIECES))


_MASQUERADE_POOLS = "cali40masq-ipam-pools"
# Felix picks the backend itself, and the image's iptables-save may be the other one: both are asked.
_BACKENDS = ("nft", "legacy")


def node_facts(sections: Mapping[str, Section], problem: Optional[str] = None) -> NodeFacts:
    """Facts of a node. ``problem``: why the exec gave no or not all output; the reason for what is missing."""
    reader = _Reader(sections, problem)
    values = reader.pieces(NODE_PIECES)
    sysctls = reader.read("sysctls", "grep -H . /proc/sys/net/ipv4/…", _sysctls)
    return NodeFacts(
        **values,
        sysctls=sysctls or {},
        bird=_read_bird(reader),
        masquerade=_read_masquerade(reader),
        unobserved=tuple(reader.unobserved),
    )


def pod_facts(sections: Mapping[str, Section], problem: Optional[str] = None) -> PodFacts:
    """Facts of a pod's network namespace; ``problem`` as in :func:`node_facts`."""
    reader = _Reader(sections, problem)
    return PodFacts(**reader.pieces(POD_PIECES), unobserved=tuple(reader.unobserved))


class _Reader:
    """Reads sections and remembers what could not be had."""

    def __init__(self, sections: Mapping[str, Section], problem: Optional[str]) -> None:
        self.sections = sections
        self.problem = problem
        self.unobserved: List[Unobserved] = []

    def pieces(self, pieces: Sequence[Piece]) -> Dict[str, Any]:
        values: Dict[str, Any] = {}
        for piece in pieces:
            plain = self.sections.get(piece.field + ".plain")
            if plain is not None and plain.code == 0:
                values[piece.field] = self.read(piece.field + ".plain", piece.plain or "", piece.parse, piece.field) or ()
            elif piece.field == "fdb" and self._no_such_device():
                values["fdb"] = ()
            else:
                values[piece.field] = self.read(piece.field, piece.command, piece.parse) or ()
        return values

    def _no_such_device(self) -> bool:
        """No VXLAN device is a fact about the node, not a gap in what was seen."""
        section = self.sections.get("fdb")
        return section is not None and section.code not in (0, None) and "Cannot find device" in section.stderr

    def read(self, name: str, command: str, parse: Callable[[str], Any], what: Optional[str] = None) -> Any:
        """``parse`` of the section, or None with the reason kept under ``what``."""
        reason, value = self._try(name, parse)
        if reason is not None:
            self.unobserved.append(Unobserved(what or name, command, reason))
        return value

    def _try(self, name: str, parse: Callable[[str], Any]) -> Tuple[Optional[str], Any]:
        section = self.sections.get(name)
        if section is None or section.code is None:
            return self.problem or "the command printed nothing", None
        if section.code != 0:
            return section.said, None
        try:
            return None, parse(section.stdout)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            return "its output cannot be read (%s: %s)" % (type(error).__name__, str(error)[:200]), None


def _sysctls(text: str) -> Dict[str, str]:
    """``/proc/sys/net/ipv4/conf/caliX/proxy_arp:1`` lines, by the dotted name (a device name cannot contain a colon)."""
    values = {}
    for line in text.splitlines():
        path, separator, value = line.partition(":")
        if separator and path.startswith("/proc/sys/"):
            values[path[len("/proc/sys/") :].replace("/", ".")] = value.strip()
    if not values:
        raise ValueError("no line of the form path:value")
    return values


def _read_bird(reader: _Reader) -> Optional[Bird]:
    """BIRD as its client tells. A client that cannot reach its daemon is an answer: BIRD does not run."""
    section = reader.sections.get("bird.protocols")
    if section is not None and section.code == 1 and _bird.UNREACHABLE in section.stdout + section.stderr:
        return _bird.parse_bird(section.stdout + section.stderr)
    protocols = reader.read("bird.protocols", BIRDCL + " show protocols", str, "bird")
    if protocols is None:
        return None
    routes = reader.read("bird.routes", BIRDCL + " show route primary", _bird.parse_bird_routes)
    return _bird.parse_bird(protocols, routes or ())


def _read_masquerade(reader: _Reader) -> Masquerade:
    """natOutgoing: the two ipsets, and the rule in whichever iptables backend Felix uses."""
    codes = [reader.sections[name].code for name in ("nat." + b for b in _BACKENDS) if name in reader.sections]
    rule: Optional[bool] = None
    if 0 in codes:
        rule = True
    elif 1 in codes and all(code in (1, _REFUSED, 127) for code in codes):
        rule = False  # one backend has no such rule, and the other is not there: without its kernel module it refuses
    else:
        reader.unobserved.append(
            Unobserved("masquerade", "iptables-nft-save -t nat", reader.problem or "no iptables-save could be run")
        )
    newer = reader.sections.get("ipset." + NETWORK_POOLS)
    all_pools = NETWORK_POOLS if newer is not None and newer.code == 0 else ALL_POOLS  # a release has one of them
    return Masquerade(all_pools=_ipset(reader, all_pools), masquerade_pools=_ipset(reader, _MASQUERADE_POOLS), rule_present=rule)


def _ipset(reader: _Reader, name: str) -> Optional[Tuple[str, ...]]:
    """Members of a set, sorted; empty when it does not exist; None when ipset could not be asked."""
    section = reader.sections.get("ipset." + name)
    if section is not None and section.code == 1 and "does not exist" in section.stderr:
        return ()
    return reader.read("ipset." + name, "ipset list " + name, _members, "masquerade")


def _members(text: str) -> Tuple[str, ...]:
    _head, found, tail = text.partition("\nMembers:\n")
    if not found:
        raise ValueError("no list of members")
    return tuple(sorted(line.split()[0] for line in tail.splitlines() if line.strip()))
