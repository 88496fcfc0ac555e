# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of one node or pod in a recorded folder say (private).

Of several files that say the same the fullest that can be read counts. A file that is cut off, or holds something else
than its command prints, is a gap like one that is missing: nobody has seen what is not in it.
"""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Optional, Tuple

from ._bird import parse_bird, parse_bird_routes
from ._iproute import parse_addresses, parse_fdb, parse_links, parse_neighbours, parse_routes, parse_rules
from ._model import Bird, Masquerade, NodeFacts, PodFacts, Unobserved
from ._prefix import prefix
from ._recorded_files import NO_SUCH_FILE, Files, Recorded
from ._version import ALL_POOLS, NETWORK_POOLS

Own = Tuple[str, str]
Sources = Dict[str, Tuple[Tuple[str, str], ...]]
# What each fact is read from, best first, with the command that made the file.
_NODE_FILES: Sources = {
    "links": (("ip-j-d-link.json", "ip -j -d link"), ("ip-link.txt", "ip link")),
    "addresses": (("ip-j-addr.json", "ip -j addr"), ("ip-addr.txt", "ip addr")),
    "routes": (
        ("ip-j-d-route-table-all.json", "ip -j -d route show table all"),
        ("ip-j-route.json", "ip -j route"),
        ("node-ip-j-route.json", "ip -j route"),
        ("ip-d-route.txt", "ip -d route"),
        ("ip-route.txt", "ip route"),
    ),
    "rules": (("ip-j-rule.json", "ip -j rule"), ("ip-rule.txt", "ip rule")),
    "neighbours": (("ip-j-neigh.json", "ip -j neigh"), ("ip-neigh.txt", "ip neigh")),
    "fdb": (("bridge-j-fdb.json", "bridge -j fdb show"), ("bridge-fdb.txt", "bridge fdb show")),
}
_POD_FILES: Sources = {
    "links": (("ip-j-d-link.json", "ip -j -d link"), ("ip-j-link.json", "ip -j link"), ("ip-link.txt", "ip link")),
    "addresses": _NODE_FILES["addresses"],
    "routes": (("ip-j-d-route.json", "ip -j -d route"), ("ip-j-route.json", "ip -j route"), ("ip-route.txt", "ip route")),
    "neighbours": _NODE_FILES["neighbours"],
}
_PARSERS: Dict[str, Callable[[str], tuple]] = {
    "links": parse_links,
    "addresses": parse_addresses,
    "routes": parse_routes,
    "rules": parse_rules,
    "neighbours": parse_neighbours,
    "fdb": parse_fdb,
}
# A namespace has lo and the kernel's rules. Its table of neighbours may be empty, and then its file may be, too; not the JSON of
# calico-node's iproute2, which is a list also where nothing is in it. A pod's may be older than 5.0 and print nothing.
_NEVER_EMPTY, _MAY_BE_EMPTY = ("links", "addresses", "rules"), ("neighbours", "fdb")
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
# The image's iptables-save may be of the backend that Felix does not use (FINDINGS A8), so that it alone denies nothing.
_SAVED = ("iptables-nft-save-c.txt", "iptables-legacy-save-c.txt", "iptables-save-c.txt")
# What record-cluster writes before what a backend said: it keeps the rules of natOutgoing alone.
_ASKED = "# asked: iptables-"


def node_facts(files: Files, own: Own) -> NodeFacts:
    """The facts of the node whose files are in the folder ``own``."""
    facts, gaps = _facts(files, own, _NODE_FILES, json_may_be_empty=False)
    bird = _bird(files, own, gaps)
    sysctls = files.read(*own, "sysctls.txt", may_be_empty=False)
    if sysctls.text is None:
        gaps.append(Unobserved("sysctls", "cat /proc/sys/net/…", sysctls.reason))
    masquerade = _masquerade(files, own, gaps)
    return NodeFacts(sysctls=_sysctls(sysctls.text or ""), bird=bird, masquerade=masquerade, unobserved=tuple(gaps), **facts)


def pod_facts(files: Files, own: Own) -> PodFacts:
    """The facts of the pod whose files are in the folder ``own``."""
    facts, gaps = _facts(files, own, _POD_FILES, json_may_be_empty=True)
    return PodFacts(unobserved=tuple(gaps), **facts)


def _facts(files: Files, own: Own, sources_of: Sources, json_may_be_empty: bool) -> Tuple[Dict[str, tuple], List[Unobserved]]:
    facts: Dict[str, tuple] = {}
    gaps: List[Unobserved] = []
    for what, sources in sources_of.items():
        reasons: List[str] = []
        for name, _command in sources:
            may_be_empty = what in _MAY_BE_EMPTY and (json_may_be_empty or not name.endswith(".json"))
            found = files.read(*own, name, may_be_empty=may_be_empty)
            if found.text is None:
                reasons += [found.reason] if found.told else []
                continue
            try:
                facts[what] = _read(what, found.text)
                break
            except _UNREADABLE as error:
                reasons.append("%s cannot be read: %s" % ("/".join(own + (name,)), error))
        else:
            gaps.append(Unobserved(what, sources[0][1], reasons[0] if reasons else NO_SUCH_FILE))
    return facts, gaps


def _read(what: str, text: str) -> tuple:
    rows = _PARSERS[what](text)
    if not rows and what in _NEVER_EMPTY:
        raise ValueError("it holds no %s" % what)
    for route in rows if what == "routes" else ():
        prefix(route.dst)
    return rows


def _bird(files: Files, own: Own, gaps: List[Unobserved]) -> Optional[Bird]:
    protocols = files.read(*own, "birdcl-show-protocols.txt", may_be_empty=False)
    bird = None
    try:
        bird = parse_bird(protocols.text) if protocols.text is not None else None
    except _UNREADABLE as error:
        protocols = Recorded(None, str(error))
    if bird is None:
        gaps.append(Unobserved("bird", "birdcl show protocols", protocols.reason))
        return None
    if not bird.running:
        return bird
    routes = files.read(*own, "birdcl-show-route.txt")
    try:
        return bird._replace(routes=parse_bird_routes(routes.text or ""))
    except _UNREADABLE as error:
        gaps.append(Unobserved("bird.routes", "birdcl show route", routes.reason or str(error)))
        return bird


def _sysctls(text: str) -> Dict[str, str]:
    values = {}
    for line in text.splitlines():
        name, equals, value = line.partition(" = ")
        if equals:
            values[name.strip().replace("/", ".")] = value.strip()
    return values


def _masquerade(files: Files, own: Own, gaps: List[Unobserved]) -> Masquerade:
    """A recording may do without the sets, without the rules, or without both."""
    listed = files.read(*own, "ipset-list.txt")
    sets: Dict[str, Tuple[str, ...]] = {}
    try:
        sets = _ipsets(listed.text or "")
    except ValueError as error:
        listed = Recorded(None, "%s: %s" % ("/".join(own + ("ipset-list.txt",)), error), told=True)
    if listed.told:
        gaps.append(Unobserved("masquerade", "ipset list", listed.reason))
    all_pools = sets.get(NETWORK_POOLS, sets.get(ALL_POOLS))
    return Masquerade(all_pools, sets.get("cali40masq-ipam-pools"), _rule(files, own, gaps))


def _rule(files: Files, own: Own, gaps: List[Unobserved]) -> Optional[bool]:
    """Whether the rule of natOutgoing is there; None where nobody asked, or where what was said does not tell."""
    saved = {name: files.read(*own, name) for name in _SAVED}
    texts = [found.text for found in saved.values() if found.text and found.text.strip()]
    if any("cali40masq-ipam-pools" in line and "MASQ" in line for text in texts for line in text.splitlines()):
        return True
    if not any(saved[name].told or saved[name].text is not None for name in _SAVED[:-1]):
        return None
    of_calico = [text for text in texts if "cali-" in text]
    problems = [found.reason for found in saved.values() if found.told]
    if any(text.count("\n*") > text.count("\nCOMMIT") for text in texts):
        problems.append("it is cut off")
    elif not (any("\n*nat" in text for text in of_calico) or any(_ASKED in text for text in texts) or (len(texts) > 1 and not of_calico)):
        problems.append("no table nat of Calico's in it, and the other backend was not recorded")
    if not problems:
        return False
    gaps.append(Unobserved("masquerade", "iptables-nft-save -t nat", problems[0]))
    return None


def _ipsets(text: str) -> Dict[str, Tuple[str, ...]]:
    """Members by set, of ``ipset list``. With nftables there are no sets, and the file is empty."""
    found: Dict[str, Tuple[str, ...]] = {}
    for part in text.split("Name: ")[1:]:
        name, _newline, rest = part.partition("\n")
        head, members, tail = rest.partition("Members:\n")
        lines = [line for line in tail.split("\n\n")[0].splitlines() if line.strip()]
        told = re.search(r"^Number of entries: (\d+)", head, re.MULTILINE)
        if not members or (told and int(told.group(1)) != len(lines)):
            raise ValueError("the set %s is cut off" % name.strip())
        found[name.strip()] = tuple(sorted(line.split()[0] for line in lines))
    return found
