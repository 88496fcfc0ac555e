# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BIRD 2 says, in the layout of BIRD 1.6, which is Calico's. Pure: lines in, lines out.

BIRD 2 prints a route's next hop on a line of its own, times with milliseconds, tables per protocol, and a session's
figures under a channel. Layouts held against recordings of Calico and the output of BIRD 2.0.12 and 2.17.5 by the tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_FRACTION = re.compile(r"(\d\d:\d\d:\d\d)\.\d{3}")
_SECONDS = re.compile(r"(timer:\s+)(\d+)\.\d+/")
_PROTOCOL = re.compile(r"^(\S+)\s+([A-Z]\w*)\s+(\S+)\s+(start|up|down|stop|flush|wait)\s+(\S+)\s*(.*?)\s*$")
_ROUTE = re.compile(r"^(\S*)\s+(unicast|blackhole|unreachable|prohibit) (\[.*?\])( [*!])? \(([\d/?-]+)\)(.*)$")
_KIND = re.compile(r"^\tType: (\w+) univ$")
_CHANNEL_ONLY = ("State:", "Table:", "BGP Next hop:", "IGP IPv4 table:")
_CAPABILITIES = {
    "Route refresh": "refresh",
    "Enhanced refresh": "enhanced-refresh",
    "Graceful restart": "restart-able",
    "Long-lived graceful restart": "llgr-aware",
    "4-octet AS numbers": "AS4",
    "ADD-PATH": "add-path-rx add-path-tx",
}
_SESSION_ONLY = ("Local capabilities", "Neighbor capabilities", "Local AS:", "Send hold timer:")
_HEADER = "name     proto    table    state  since       info"


def as_bird1(command: str, lines: Sequence[str]) -> list[str]:
    """The answer to ``command`` as a BIRD 1.6 would have given it."""
    words = command.split()
    lines = [_SECONDS.sub(r"\1\2/", _FRACTION.sub(r"\1", line)) for line in lines]
    if words[:2] == ["show", "protocols"]:
        return list(_protocols(lines))
    if words[:2] == ["show", "route"]:
        return list(_routes(lines))
    if words[:2] == ["show", "interfaces"]:
        return [line.replace("(Preferred,", "(Primary,") for line in lines if ":" not in line.partition("/")[0]]
    return [line for line in lines if not line.startswith("Hostname is ")]


def _protocols(lines: Sequence[str]) -> Iterator[str]:
    """One line per protocol, and with `all` what belongs to it."""
    details: list[str] = []
    for line in lines:
        match = _PROTOCOL.match(line)
        if line.startswith("  "):
            details.append(line)
            continue
        yield from _details(details)
        details = []
        if line.startswith("Name "):
            yield _HEADER
        elif match:
            name, kind, _ignored, state, since, info = match.groups()
            yield f"{name:<8} {kind:<8} {'master':<8} {state:<5}  {since:<10}  {info + '   ' if info else ''}"
        else:
            yield line
    yield from _details(details)


def _details(lines: Sequence[str]) -> list[str]:
    """Description, then the channel's figures one step further out, then the session with the neighbour's capabilities."""
    start = next((index for index, line in enumerate(lines) if line.startswith("  Channel ")), len(lines))
    figures = [line[2:] for line in lines[start + 1 :] if not line.strip().startswith(_CHANNEL_ONLY)]
    described = [line for line in lines[:start] if line.startswith("  Description:")]
    session = [line for line in lines[:start] if not line.startswith("  Description:")]
    return described + figures + list(_session(session))


def _session(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a BGP session; its neighbour's capabilities on one line, ours not at all, as in 1.6."""
    heading = ""
    found: list[str] = []
    for line in lines:
        if line.startswith("      "):
            if heading == "Neighbor capabilities":
                found += [_CAPABILITIES[line.strip()]] if line.strip() in _CAPABILITIES else []
            continue
        if heading == "Neighbor capabilities":
            yield f"    Neighbor caps:    {' '.join(found)}"
        heading = line.strip()
        if not heading.startswith(_SESSION_ONLY):
            yield line


def _routes(lines: Sequence[str]) -> Iterator[str]:
    """A route and its first next hop on one line."""
    pending: re.Match[str] | None = None
    for line in lines:
        match = _ROUTE.match(line)
        if match and match[2] == "unicast":
            pending = match
        elif match:
            yield _route_line(match, match[2])
        elif pending is not None and line.startswith("\t"):
            yield _route_line(pending, line.strip().removesuffix(" weight 1").removesuffix(" onlink"))
            pending = None
        elif line.startswith("Table ") or line.startswith("\tKernel.scope:"):
            continue
        else:
            yield _KIND.sub(r"\tType: \1 unicast univ", line)


def _route_line(match: re.Match[str], target: str) -> str:
    prefix, _ignored, source, best, preference, rest = match.groups()
    if rest.strip() and "/" not in preference:
        preference += "/0"  # BGP: BIRD 2 leaves out a next hop's metric of 0
    return f"{prefix:<18} {target} {source}{best or ''} ({preference}){rest}"
