# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was before and after something happened, as facts: of each form in which somebody watched a recorded cluster.

Which address a pod or a tunnel has of its block is not compared, nor what was on the way from the one state to the other.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Iterator

from texts import text_facts

Facts = dict[str, str]

#: The nodes' own.
_FABRIC = ipaddress.IPv4Network("172.18.0.0/16")
_ADDRESS = re.compile(r"\b(\d+\.\d+\.\d+\.\d+)(?![\d/])")


def state_facts(name: str, text: str) -> Facts:
    """The facts of ``name``: timeline.txt, objects-timeline.txt, before-nodes.txt or after-nodes.txt."""
    return {"timeline.txt": _tables, "objects-timeline.txt": _objects}.get(name, _nodes)(text)


def _tables(text: str) -> Facts:
    """Each node's first and last routes; of pods' how many came and went."""
    seen = [(match[1], match[2], part.strip().splitlines()[1:]) for part in text.split("\n## ") if (match := _TABLE.search(part))]
    before = {node: lines for when, node, lines in seen if when == "before"}
    after = before | {node: lines for when, node, lines in seen if when == "changed"}
    blocks = list(_blocks(line for tables in (before, after) for lines in tables.values() for line in lines))
    found: Facts = {}
    for node in before:
        for when, lines in (("before", before[node]), ("after", after[node])):
            found |= {f"{node}: {when} {_in_words(line, blocks)}": "there" for line in lines if line.strip()}
        devices = [{word for line in lines for word in line.split() if word.startswith("cali")} for lines in (before[node], after[node])]
        found[f"{node}: pods"] = f"{len(devices[0] - devices[1])} gone, {len(devices[1] - devices[0])} come"
    return found


_TABLE = re.compile(r"\(\+[\d.]+s\) (before|changed) ip route on (\S+)")


def _blocks(lines: Iterable[str]) -> Iterator[ipaddress.IPv4Network]:
    for line in lines:
        word = line.removeprefix("blackhole ").split(" ")[0]
        if "/" in word and ipaddress.IPv4Network(word) != _FABRIC:
            yield ipaddress.IPv4Network(word)


def _in_words(line: str, blocks: list[ipaddress.IPv4Network]) -> str:
    """An address of a block by its block, a pod's device without its hash."""

    def name(match: re.Match[str]) -> str:
        inside = [block for block in blocks if ipaddress.IPv4Address(match[1]) in block]
        return f"<in {max(inside, key=lambda block: block.prefixlen)}>" if inside else match[1]

    return re.sub(r"\bcali[0-9a-f]{11}\b", "cali*", _ADDRESS.sub(name, line)).strip()


def _objects(text: str) -> Facts:
    """Nodes, blocks and affinities at the first look and at the last."""
    looks = [part for part in re.split(r"^## ", text, flags=re.MULTILINE) if "nodes: " in part]
    found: Facts = {}
    for when, look in (("before", looks[0]), ("after", looks[-1])):
        fields = dict(re.findall(r"(nodes|blocks|affinities): (.*)", look))
        found |= {f"{when} node {words[0]}": words[1] for node in fields["nodes"].split(";") if len(words := node.split()) > 1}
        found |= {f"{when} block {cidr}": str(affinity) for cidr, affinity, _count in json.loads(fields["blocks"])}
        found |= {f"{when} affinity {name}": state for name, state in json.loads(fields["affinities"])}
    return found


def _nodes(text: str) -> Facts:
    """The tunnel's permanent neighbours, BIRD's sessions and its ways to one block."""
    found: Facts = {}
    for node, part in re.findall(r"^## (\S+): ip neigh.*\n((?:(?!## ).*\n?)*)", text, flags=re.MULTILINE):
        neighbours, protocols, routes = re.split(r"^BIRD v.*\n", part, flags=re.MULTILINE)
        found |= {f"{node}: neighbour {mac}": state for mac, state in re.findall(r"lladdr (\S+) (\S+)", neighbours)}
        found |= {f"{node}: {key}": value for key, value in text_facts("birdcl-show-protocols.txt", protocols).items()}
        found |= {f"{node}: {key}": value for key, value in text_facts("birdcl-show-route-all.txt", routes).items()}
    return found
