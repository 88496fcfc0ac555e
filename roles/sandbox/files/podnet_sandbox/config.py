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
#: The number of the first node's address in its subnet, after the gateway's.
_FIRST_NODE = 2


def release_of(version: str) -> tuple[int, int]:
    """Major and minor of a version like v3.30.7: what Calico's releases differ by (FINDINGS D)."""
    major, minor = version.lstrip("v").split(".")[:2]
    return int(major), int(minor)


class ConfigError(ValueError):
    """A configuration that cannot be built; the text names the field, its value and what would do."""


@dataclass(frozen=True)
class SandboxConfig:
    """One sandbox. The first of ``nodes`` is the control plane.

    A node's address follows from its place, unless ``node_addresses`` has one for each of ``nodes``, in the same order.
    ``node_subnets`` cut ``node_subnet`` into parts with a router between them: a node is in the part that has its address.
    With an ``encapsulation`` Calico is there from the start, with one pool of it over ``pod_subnet``; without, who wants Calico
    applies it.
    """

    name: str = "pod-routing"
    nodes: tuple[str, ...] = ("pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2")
    node_addresses: tuple[str, ...] = ()
    node_subnet: str = "172.18.0.0/16"
    node_subnets: tuple[str, ...] = ()
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
        for field, items in (("nodes", "names"), ("node_addresses", "addresses"), ("node_subnets", "networks")):
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

    def address_of(self, node: str) -> str:
        """The node's address: the one given, else the next of its subnet, from .2 on."""
        place = self.nodes.index(node)
        return self.node_addresses[place] if self.node_addresses else self._dealt[place]

    def interface_of(self, node: str) -> str:
        """The node's address with its own mask, as calico-node announces it."""
        return f"{self.address_of(node)}/{self._subnet_of(node).prefixlen}"

    def gateway_of(self, node: str) -> str:
        """The router as the node reaches it: the first host of its subnet, or of ``node_subnet`` where that is too small for one."""
        subnet = self._subnet_of(node)
        return str((subnet if _has_router(subnet) else ipaddress.IPv4Network(self.node_subnet))[1])

    @property
    def _subnets(self) -> list[ipaddress.IPv4Network]:
        return [ipaddress.IPv4Network(subnet) for subnet in self.node_subnets or (self.node_subnet,)]

    @property
    def _dealt(self) -> list[str]:
        """An address for each node: every subnet has as many as the others, the first ones one more where it does not come out even."""
        each, more = divmod(len(self.nodes), len(self._subnets))
        return [
            str(subnet[_FIRST_NODE * _has_router(subnet) + number])
            for index, subnet in enumerate(self._subnets)
            for number in range(each + (index < more))
        ]

    def _subnet_of(self, node: str) -> ipaddress.IPv4Network:
        address = ipaddress.IPv4Address(self.address_of(node))
        return next(subnet for subnet in self._subnets if address in subnet)

    def _check(self) -> None:
        _match("name", self.name, _DNS_LABEL, "a lower-case DNS label, at most 63 characters")
        _check_nodes(self.nodes)
        networks = {
            name: _network(name, getattr(self, name)) for name in ("node_subnet", "pod_subnet", "service_subnet")
        }
        _check_disjoint(networks)
        _check_subnets(self.node_subnets, networks["node_subnet"])
        if self.node_addresses:
            _check_addresses(self.node_addresses, self.nodes, self._subnets, networks["node_subnet"])
        else:
            _check_room(len(self.nodes), self._subnets, "node_subnets" if self.node_subnets else "node_subnet")
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
        why = ": only Calico's own BIRD can route into IPIP's tunl0" if str(encapsulation).startswith("IPIP") else ""
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


def _check_subnets(subnets: tuple[str, ...], whole: ipaddress.IPv4Network) -> None:
    names = {f"node_subnets[{index}]": subnet for index, subnet in enumerate(subnets)}
    networks = {name: _network(name, subnet) for name, subnet in names.items()}
    for name, network in networks.items():
        if not network.subnet_of(whole):
            raise ConfigError(f"{name} {network} is not a part of node_subnet {whole}; take one, or change node_subnet as well")
    _check_disjoint(networks)


def _check_room(nodes: int, subnets: list[ipaddress.IPv4Network], field: str) -> None:
    """The first subnet has as many nodes as any."""
    most = -(-nodes // len(subnets))
    for subnet in subnets:
        if subnet.num_addresses < most + _RESERVED_NODE_ADDRESSES * _has_router(subnet):
            gateway = " and a gateway" if _has_router(subnet) else ""
            raise ConfigError(f"{field} {subnet} has no room for {most} nodes{gateway}; use a larger one")


def _check_addresses(
    addresses: tuple[str, ...], nodes: tuple[str, ...], subnets: list[ipaddress.IPv4Network], whole: ipaddress.IPv4Network
) -> None:
    if len(addresses) != len(nodes):
        raise ConfigError(f"node_addresses has {len(addresses)} addresses for {len(nodes)} nodes; give one for each, or none")
    taken = {str(whole[1])}
    for subnet in filter(_has_router, subnets):
        taken |= {str(subnet.network_address), str(subnet[1]), str(subnet.broadcast_address)}
    field = "one of node_subnets" if len(subnets) > 1 else "node_subnet"
    for index, address in enumerate(addresses):
        try:
            inside = any(ipaddress.IPv4Address(address) in subnet for subnet in subnets)
        except ValueError as error:
            raise ConfigError(f"node_addresses[{index}] is {address!r}, expected an IPv4 address: {error}") from error
        if not inside or address in taken:
            raise ConfigError(
                f"node_addresses[{index}] is {address}, expected a free address of {field} {', '.join(map(str, subnets))}: not the "
                "network's, the gateway's, the broadcast address or another node's"
            )
        taken.add(address)


def _has_router(subnet: ipaddress.IPv4Network) -> bool:
    """Whether one of its addresses is left for the router; a /31 has two hosts and no other address."""
    return subnet.prefixlen < 31


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
