# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What programmes print as text, as facts."""

from __future__ import annotations

import re
from collections.abc import Callable

Facts = dict[str, str]

_TIME = re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?\b")


def text_facts(name: str, text: str) -> Facts:
    """The facts of the output ``name`` (`sysctls.txt` …); of one that has no form of its own each line is one."""
    return _TEXTS.get(name, _ping if name.startswith("ping-") else _lines)(text)


def _lines(text: str) -> Facts:
    """Each line is a fact."""
    return {line.strip(): "there" for line in text.splitlines() if line.strip()}


def _settings(text: str) -> Facts:
    """`name = value`; the names of one kernel are written with slashes or with dots."""
    pairs = (line.partition(" = ") for line in text.splitlines())
    found = {key.replace("/", ".").removeprefix("net."): value for key, _ignored, value in pairs if value}
    return {key: value for key, value in found.items() if not key.endswith(("neigh.all.proxy_delay", "neigh.default.proxy_delay"))}


def _columns(text: str) -> Facts:
    """A table of kubectl: the columns that name a row, then the others. Ages and restarts count time, kernel and image are the machine's."""
    heads, *rows = (re.split(r"\s{2,}", line.strip()) for line in text.splitlines())
    found: Facts = {}
    for row in rows:
        cells = dict(zip(heads, row))
        who = " ".join(cells.pop(head) for head in ("NAMESPACE", "NAME") if head in cells)
        found |= {f"{who} {head}": cell for head, cell in cells.items() if head not in _TIME_AND_MACHINE}
    return found


_TIME_AND_MACHINE = ("AGE", "RESTARTS", "SINCE", "KERNEL-VERSION", "OS-IMAGE")


def _resources(text: str) -> Facts:
    """`kubectl api-resources`: each kind of a version; the column of short names may be empty."""
    rows = (line.split() for line in text.splitlines()[1:])
    return {f"{row[0]} {row[-3]} {row[-1]}": " ".join([*row[1:-3], f"namespaced={row[-2]}"]) for row in rows}


def _ipsets(text: str) -> Facts:
    found: Facts = {}
    for part in text.split("\n\n"):
        head, _ignored, members = part.partition("Members:\n")
        fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        if "Name" in fields:
            found[f"{fields['Name']} type"] = fields["Type"]
            found[f"{fields['Name']} options"] = re.sub(r" (initval|hashsize|bucketsize) \S+", "", fields["Header"])
            found |= {f"{fields['Name']} member {member}": "there" for member in members.split("\n") if member}
    return found


def _nat(text: str) -> Facts:
    """Chains and rules, without what they counted."""
    text = re.sub(r"# Warning: iptables-legacy tables present.*\n", "", text)  # standard error came in between
    rules = (re.sub(r"^\[\d+:\d+\] | \[\d+:\d+\]$", "", line) for line in text.splitlines())
    return {line: "there" for line in rules if line and line[0] not in "#*" and line != "COMMIT"}


def _protocols(text: str) -> Facts:
    """Name, kind, state and info of each; what it counted and since when is not compared."""
    found: Facts = {}
    for line in text.splitlines():
        words = _TIME.sub("", line).split()
        if len(words) >= 4 and words[2] == "master":
            found[f"{words[0]} is"] = " ".join(words[1:])
    return found or _lines(text)


def _protocols_all(text: str) -> Facts:
    found: Facts = {}
    name = ""
    for line in text.splitlines():
        words = _TIME.sub("", line).split()
        if not line.startswith(" ") and len(words) >= 4 and words[2] == "master":
            name = words[0]
        field = re.match(r"\s+([A-Z][\w ]*): +(.*)$", line)
        if name and field and not field[1].startswith(("Import", "Export", "Route change", "Routes", "Hold timer", "Keepalive")):
            found[f"{name} {field[1]}"] = field[2].strip()
        if name and field and field[1].endswith("timer"):
            found[f"{name} {field[1]}"] = field[2].rpartition("/")[2]
    return found or _lines(text)


def _birds_routes(text: str) -> Facts:
    """Net, way and who told of it. Which of several that are equally good came first, and is best, is not compared."""
    found: Facts = {}
    net = way = ""
    for line in text.splitlines():
        route = re.match(r"(\S+)?\s+(via \S+ on \S+|dev \S+|blackhole|unreachable) \[(\S+) [\d:.-]+( from \S+)?\] ?([*!]?) ?(\(.*\).*)$", line)
        if route:
            net = route[1] or net
            way = f"{net} {route[2]} {route[3]}{route[4] or ''}"
            found[way] = route[6].strip()
        elif line.startswith("\t") and way and ": " in line:
            name, _ignored, value = line.strip().partition(": ")
            found[f"{way} {name}"] = value
        elif not line.startswith("BIRD ") and line.strip():
            found[line.strip()] = "there"
    return found


def _interfaces(text: str) -> Facts:
    found: Facts = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("\t"):
            found[f"{name} {line.strip()}"] = "there"
        elif " (index=" in line:
            name, state = line.split(" (index=")[0].split(" ", 1)
            found[f"{name} is"] = state
        elif not line.startswith("BIRD "):
            found[line] = "there"
    return found


def _status(text: str) -> Facts:
    return _lines(_TIME.sub("TIME", re.sub(r"\d{4}-\d\d-\d\d", "DATE", text)))


def _ping(text: str) -> Facts:
    """Command, answers by number, losses, errors, exit code; not how long it took, nor how many a refused ping counts as sent."""
    text = re.sub(r" time=?[ =][\d.]+ ?ms| time \d+ms|^rtt .*$|^command terminated.*$|^\d+ packets.*errors, ", "", text, flags=re.MULTILINE)
    return _lines(text)


def _hops(text: str) -> Facts:
    return _lines(re.sub(r" +[\d.]+ ms", "", text))


def _route_get(text: str) -> Facts:
    """Question → answer."""
    found: Facts = {}
    for part in re.split(r"^## node ", text, flags=re.MULTILINE)[1:]:
        question, _ignored, answer = part.partition("\n")
        kept = (line.strip() for line in answer.splitlines() if not line.startswith(("command terminated", "## ")))
        found[question] = " | ".join(line for line in kept if line)
    return found


def _mesh(text: str) -> Facts:
    """From → to: the TTL that the sender saw."""
    found: Facts = {}
    for line in text.splitlines():
        match = re.match(r"([\d.]+)\s+\S+\s+-> ([\d.]+)\s+\S+\s+(.*)$", line)
        if match:
            found[f"{match[1]} -> {match[2]}"] = match[3]
    return found


_TEXTS: dict[str, Callable[[str], Facts]] = {
    "sysctls.txt": _settings,
    "ipset-list.txt": _ipsets,
    "iptables-nft-save-c.txt": _nat,
    "birdcl-show-protocols.txt": _protocols,
    "birdcl6-show-protocols.txt": _protocols,
    "birdcl-show-protocols-all.txt": _protocols_all,
    "birdcl-show-route.txt": _birds_routes,
    "birdcl-show-route-all.txt": _birds_routes,
    "birdcl-show-interfaces.txt": _interfaces,
    "birdcl-show-status.txt": _status,
    "traceroute-cross-node.txt": _hops,
    "traceroute-icmp-cross-node.txt": _hops,
    "traceroute-same-node.txt": _hops,
    "route-get.txt": _route_get,
    "ping-mesh.txt": _mesh,
    "kubectl-get-nodes-wide.txt": _columns,
    "kubectl-get-pods-wide.txt": _columns,
    "kubectl-get-tigerastatus.txt": _columns,
    "kubectl-api-resources.txt": _resources,
}
