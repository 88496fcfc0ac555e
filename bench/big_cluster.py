# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A healthy cluster of any size as a snapshot file, written line by line: nobody has to hold what a thousand nodes know.

One subnet, pool 10.128.0.0/9 in /26 blocks, VXLANCrossSubnet: every node has a route, a neighbour and a forwarding entry for
every other, as the recordings of that mode have. Written from the fact sheet, without the verifier's own expectation.
"""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

POOL = ipaddress.ip_network("10.128.0.0/9")
NODES = ipaddress.ip_network("10.0.0.0/16")
_RULES = [
    {"priority": 0, "selector": "from all", "action": "lookup local"},
    {"priority": 32766, "selector": "from all", "action": "lookup main"},
    {"priority": 32767, "selector": "from all", "action": "lookup default"},
]


def device(pod: str) -> str:
    """The host's end of a pod's veth."""
    return "cali" + hashlib.sha1(f"default.{pod}".encode()).hexdigest()[:11]


class BigCluster:
    """``nodes`` nodes with ``pods`` pods each."""

    def __init__(self, nodes: int, pods: int) -> None:
        self.pods = pods
        self.names = [f"node-{number:04d}" for number in range(nodes)]
        self.addresses = [str(NODES[number + 2]) for number in range(nodes)]
        self.blocks = [str(POOL[64 * number]) for number in range(nodes)]
        self.macs = ["66:" + hashlib.sha1(name.encode()).hexdigest()[:10] for name in self.names]
        self.macs = [":".join([mac[:2], *(mac[place : place + 2] for place in range(3, 13, 2))]) for mac in self.macs]

    def lines(self) -> Iterator[dict[str, Any]]:
        """The snapshot's lines; the tunnel address is the first of each block, pods have those after it."""
        yield {
            "line": "header", "schema_version": 1, "collected_at": "2026-01-01T00:00:00Z", "cluster_id": "big", "calico_version": "v3.32.1",
            "evidence": ["api", "nodes"], "settings": {"bgp_enabled": False},
        }  # fmt: skip
        yield {
            "line": "pool", "name": "default", "cidr": str(POOL), "block_size": 26, "vxlan_mode": "CrossSubnet", "ipip_mode": "Never",
            "nat_outgoing": True,
        }  # fmt: skip
        shared = [
            {"dst": f"{block}/26", "gateway": address, "dev": "eth0", "protocol": "80", "flags": ["onlink"]}
            for block, address in zip(self.blocks, self.addresses)
        ]
        neighbours = [
            {"dev": "vxlan.calico", "address": block, "mac": mac, "states": ["PERMANENT"]} for block, mac in zip(self.blocks, self.macs)
        ]
        fdb = [
            {"dev": "vxlan.calico", "mac": mac, "dst": address, "states": ["permanent"]}
            for mac, address in zip(self.macs, self.addresses)
        ]
        yield from ({"line": "route", **entry} for entry in shared)
        # As they are collected: by address, and by MAC.
        yield from ({"line": "neighbour", **entry} for entry in sorted(neighbours, key=itemgetter("address")))
        yield from ({"line": "fdb", **entry} for entry in sorted(fdb, key=itemgetter("mac")))
        addresses, macs = sorted(self.blocks), sorted(self.macs)
        for number, name in enumerate(self.names):
            places = number, addresses.index(self.blocks[number]), macs.index(self.macs[number])
            yield self._node(number, name, *map(self._all_but, places))
            yield from self._of_ipam(number, name)

    def _all_but(self, place: int) -> list[list[int]]:
        """The numbers of all shared lines of a kind but the one at ``place``, as runs."""
        runs = [[0, place - 1], [place + 1, len(self.names) - 1]]
        return [[first, last] for first, last in runs if first <= last]

    def _pods(self, number: int) -> list[tuple[str, str]]:
        block = ipaddress.ip_address(self.blocks[number])
        return [(f"{self.names[number]}-pod-{at}", str(block + 1 + at)) for at in range(self.pods)]

    def _node(self, number: int, name: str, blocks: list[list[int]], neighbours: list[list[int]], fdb: list[list[int]]) -> dict[str, Any]:
        address, block = self.addresses[number], self.blocks[number]
        vxlan = {"vni": 4096, "port": 4789, "local": address, "dev": "eth0"}
        links = [
            {"name": "eth0", "mtu": 1500, "admin_up": True, "mac": "02:00:00:00:00:01", "kind": "veth"},
            {"name": "vxlan.calico", "mtu": 1450, "admin_up": True, "mac": self.macs[number], "kind": "vxlan", "vxlan": vxlan},
        ]
        routes = [
            {"dst": "0.0.0.0/0", "gateway": "10.0.0.1", "dev": "eth0"},
            {"dst": str(NODES), "dev": "eth0", "protocol": "kernel", "scope": "link", "prefsrc": address},
            {"dst": f"{block}/26", "type": "blackhole", "protocol": "80"},
            *blocks,
        ]
        sysctls = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.forwarding": "1", "net.ipv4.conf.vxlan.calico.forwarding": "1"}
        for pod, ip in self._pods(number):
            cali = device(pod)
            links.append({"name": cali, "mtu": 1450, "admin_up": True, "mac": "ee:ee:ee:ee:ee:ee", "kind": "veth"})
            routes.append({"dst": f"{ip}/32", "dev": cali, "scope": "link", "metric": 1024})
            sysctls[f"net.ipv4.conf.{cali}.proxy_arp"] = sysctls[f"net.ipv4.conf.{cali}.forwarding"] = "1"
        addresses = [{"dev": "eth0", "address": address, "prefixlen": 16}, {"dev": "vxlan.calico", "address": block, "prefixlen": 32}]
        pools = [str(POOL)]
        return {
            "line": "node", "name": name, "internal_ip": address, "calico_address": f"{address}/16", "vxlan_tunnel_address": block,
            "vxlan_tunnel_mac": self.macs[number], "calico_node_pod": f"calico-system/calico-node-{number}", "calico_node_ready": True,
            "facts": {
                "links": links, "addresses": addresses, "routes": routes, "rules": _RULES, "neighbours": neighbours, "fdb": fdb,
                "sysctls": sysctls, "masquerade": {"all_pools": pools, "masquerade_pools": pools, "rule_present": True},
            },
        }  # fmt: skip

    def _of_ipam(self, number: int, name: str) -> Iterator[dict[str, Any]]:
        cidr = f"{self.blocks[number]}/26"
        tunnel = {"address": self.blocks[number], "handle": f"tunnel-{name}", "node": name, "use": "vxlanTunnelAddress"}
        allocations = [tunnel]
        yield {"line": "handle", "id": f"tunnel-{name}", "blocks": {cidr: 1}}
        for pod, ip in self._pods(number):
            allocations.append({"address": ip, "handle": f"h-{pod}", "node": name, "namespace": "default", "pod": pod})
            yield {"line": "handle", "id": f"h-{pod}", "blocks": {cidr: 1}}
            yield {
                "line": "pod", "namespace": "default", "name": pod, "node": name, "address": ip, "addresses": [ip], "calico_address": ip,
                "container_id": f"c-{pod}", "skipped": "not selected",
            }  # fmt: skip
        yield {"line": "block", "cidr": cidr, "affinity": f"host:{name}", "allocations": allocations}
        yield {"line": "affinity", "name": f"{name}-block", "cidr": cidr, "node": name}

    def shard(self, name: str, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The lines of one shard of several, which looks into every so manieth node."""
        at = itertools.cycle(names)
        for line in self.lines():
            if line["line"] == "header":
                line["shard"] = {"name": name, "of": list(names), "collection": "bench"}
            elif line["line"] == "node" and next(at) != name:
                del line["facts"]
                line["skipped"] = "of another shard"
            yield line

    def write(self, path: Path, lines: Iterable[dict[str, Any]] | None = None) -> int:
        """The file, gzipped, of all lines or these; how many routes are in it."""
        routes = count = 0
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
            for line in self.lines() if lines is None else lines:
                for entry in line.get("facts", {}).get("routes", ()):
                    routes += entry[1] + 1 - entry[0] if isinstance(entry, list) else 1
                file.write(json.dumps(line, separators=(",", ":")) + "\n")
                count += 1
            file.write(json.dumps({"line": "end", "lines": count}) + "\n")
        return routes
