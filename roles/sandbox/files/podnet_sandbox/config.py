# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one sandbox is made of: the answers to `up`'s questions, checked before anything is built.

Addresses and networks are strings as a person writes them; ``port`` 0 means any free port.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

#: A lab's and a node's name: one DNS label (RFC 1123), as Kubernetes wants a node's name to be.
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_VERSION = re.compile(r"v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
#: The Calico releases whose routes `dataplane/felix.py` knows from recordings; a patch level does not matter.
CALICO_RELEASES = ("v3.30", "v3.31", "v3.32")
ENCAPSULATIONS = ("VXLANCrossSubnet", "VXLAN", "None")
#: gateway, network and broadcast address of the node subnet are not a node's.
_RESERVED_NODE_ADDRESSES = 3


class ConfigError(ValueError):
    """A configuration that cannot be built; the text names the field, its value and what would do."""


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox. The first of ``nodes`` is the control plane.

    A node's address follows from its place, unless ``node_addresses`` has one for each of ``nodes``, in the same order.
    With an ``encapsulation`` Calico is there from the start, with one pool of it over ``pod_subnet``; without, who wants Calico
    applies it.
    """

    name: str = "pod-routing"
    nodes: tuple[str, ...] = ("pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2")
    node_addresses: tuple[str, ...] = ()
    node_subnet: str = "172.18.0.0/16"
    pod_subnet: str = "192.168.0.0/16"
    service_subnet: str = "10.96.0.0/16"
    kubernetes_version: str = "v1.32.13"
    calico_version: str = "v3.30.7"
    encapsulation: str = ""
    block_size: int = 26
    bgp: str = "Enabled"
    port: int = 0
    state_dir: str = ""
    uuid: str = ""

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> SandboxConfig:
        """Build and check a configuration. Raises `ConfigError` on an unknown or unusable field."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(mapping) - known)
        if unknown:
            raise ConfigError(
                f"unknown sandbox setting {', '.join(unknown)}; the settings are {', '.join(sorted(known))}"
            )
        values = dict(mapping)
        for field, items in (("nodes", "names"), ("node_addresses", "addresses")):
            if field in values:
                values[field] = _strings(field, values[field], items)
        config = cls(**values)
        config._check()
        return config

    @classmethod
    def from_json(cls, text: str, **chosen: Any) -> SandboxConfig:
        """The reverse of `to_json`; what is ``chosen`` goes before it."""
        try:
            mapping = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"the sandbox configuration is not JSON: {error}") from error
        if not isinstance(mapping, dict):
            raise ConfigError(f"the sandbox configuration is {type(mapping).__name__}, expected an object")
        return cls.from_mapping({**mapping, **chosen})

    def to_json(self) -> str:
        """One JSON object, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @property
    def control_plane(self) -> str:
        """Name of the control-plane node."""
        return self.nodes[0]

    @property
    def gateway(self) -> str:
        """The bridge's address on the node network: its first host, as Docker's networks have it."""
        return str(ipaddress.IPv4Network(self.node_subnet)[1])

    def address_of(self, node: str) -> str:
        """The node's address: the one given, else .2 for the control plane, counting up."""
        place = self.nodes.index(node)
        return self.node_addresses[place] if self.node_addresses else str(ipaddress.IPv4Network(self.node_subnet)[2 + place])

    def _check(self) -> None:
        _match("name", self.name, _DNS_LABEL, "a lower-case DNS label, at most 63 characters")
        _check_nodes(self.nodes)
        networks = {
            name: _network(name, getattr(self, name)) for name in ("node_subnet", "pod_subnet", "service_subnet")
        }
        _check_disjoint(networks)
        if networks["node_subnet"].num_addresses < len(self.nodes) + _RESERVED_NODE_ADDRESSES:
            raise ConfigError(
                f"node_subnet {self.node_subnet} has no room for {len(self.nodes)} nodes and a gateway; use a larger one"
            )
        _check_addresses(self.node_addresses, self.nodes, networks["node_subnet"])
        for field in ("kubernetes_version", "calico_version"):
            _match(field, getattr(self, field), _VERSION, "a release like v3.30.7")
        if not self.calico_version.startswith(tuple(f"{release}." for release in CALICO_RELEASES)):
            raise ConfigError(
                f"calico_version {self.calico_version}: the sandbox knows the routes of {', '.join(CALICO_RELEASES)} only"
            )
        _check_pool(self.encapsulation, self.block_size, self.bgp, networks["pod_subnet"])
        if isinstance(self.port, bool) or not isinstance(self.port, int) or not 0 <= self.port <= 65535:
            raise ConfigError(f"port is {self.port!r}, expected a number from 0 (any free port) to 65535")


def _check_pool(encapsulation: Any, block_size: Any, bgp: Any, pods: ipaddress.IPv4Network) -> None:
    if encapsulation not in ("", *ENCAPSULATIONS):
        why = ": the kernel's module for IPIP is not to be had everywhere" if str(encapsulation).startswith("IPIP") else ""
        raise ConfigError(
            f"encapsulation is {encapsulation!r}, expected one of {', '.join(ENCAPSULATIONS)}{why}; or nothing, for a cluster "
            "without Calico"
        )
    if isinstance(block_size, bool) or not isinstance(block_size, int) or not 20 <= block_size <= 32:
        raise ConfigError(f"block_size is {block_size!r}, expected a prefix length from 20 to 32")
    if encapsulation and block_size < pods.prefixlen:
        raise ConfigError(f"block_size is {block_size}, but a block has to fit into pod_subnet {pods}")
    if bgp not in ("Enabled", "Disabled"):
        raise ConfigError(f"bgp is {bgp!r}, expected Enabled or Disabled")
    if bgp == "Disabled" and encapsulation == "None":
        raise ConfigError("encapsulation None needs bgp Enabled: nobody else would tell the nodes of each other's blocks")


def _strings(field: str, value: Any, items: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, (list, tuple)):
        raise ConfigError(f"{field} is {value!r}, expected a list of {items}")
    return tuple(value)


def _match(field: str, value: Any, pattern: re.Pattern[str], expected: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ConfigError(f"{field} is {value!r}, expected {expected}")


def _check_nodes(nodes: tuple[str, ...]) -> None:
    if not nodes:
        raise ConfigError("nodes is empty; a sandbox has at least the control plane")
    for index, node in enumerate(nodes):
        _match(f"nodes[{index}]", node, _DNS_LABEL, "a lower-case DNS label, at most 63 characters")
    twice = sorted({node for node in nodes if nodes.count(node) > 1})
    if twice:
        raise ConfigError(f"nodes has {', '.join(twice)} more than once; a node's name is its own")


def _check_addresses(addresses: tuple[str, ...], nodes: tuple[str, ...], subnet: ipaddress.IPv4Network) -> None:
    if addresses and len(addresses) != len(nodes):
        raise ConfigError(f"node_addresses has {len(addresses)} addresses for {len(nodes)} nodes; give one for each, or none")
    taken = {str(subnet.network_address), str(subnet[1]), str(subnet.broadcast_address)}
    for index, address in enumerate(addresses):
        try:
            inside = ipaddress.IPv4Address(address) in subnet
        except ValueError as error:
            raise ConfigError(f"node_addresses[{index}] is {address!r}, expected an IPv4 address: {error}") from error
        if not inside or address in taken:
            raise ConfigError(
                f"node_addresses[{index}] is {address}, expected a free address of node_subnet {subnet}: not the network's, the "
                "gateway's, the broadcast address or another node's"
            )
        taken.add(address)


def _network(field: str, value: Any) -> ipaddress.IPv4Network:
    try:
        return ipaddress.IPv4Network(value)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{field} is {value!r}, expected an IPv4 network like 172.18.0.0/16: {error}") from error


def _check_disjoint(networks: Mapping[str, ipaddress.IPv4Network]) -> None:
    names = sorted(networks)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            if networks[first].overlaps(networks[second]):
                raise ConfigError(f"{first} {networks[first]} overlaps {second} {networks[second]}; choose another")
