# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker network `kind`: taken as it is where it is there, else made as kind makes it.

Facts (kind source, v0.31.0: pkg/cluster/internal/providers/docker/network.go, and the network that the real kind made): bridge,
masquerading, the MTU of Docker's own bridge network, an IPv6 subnet derived from the name, an IPv4 subnet of Docker's choosing;
IPv4 alone where Docker cannot do IPv6; never removed by kind; KIND_EXPERIMENTAL_DOCKER_NETWORK names another, with two
warnings.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import struct
from collections.abc import Callable

from podnet_doubles import docker
from podnet_doubles.errors import ToolError

_NO_IPV6 = (
    "Error response from daemon: Cannot read IPv6 setup for bridge",
    "Error response from daemon: Failed to Setup IP tables: Unable to enable NAT rule:  (iptables failed: ip6tables",
    "Error response from daemon: setting default policy to DROP in FORWARD chain failed:  (iptables failed: ip6tables",
)
_ATTEMPTS = 5


def name(warn: Callable[[str], None]) -> str:
    """The network's name, with kind's warnings where the environment names another."""
    other = os.environ.get("KIND_EXPERIMENTAL_DOCKER_NETWORK")
    if other:
        warn("WARNING: Overriding docker network due to KIND_EXPERIMENTAL_DOCKER_NETWORK")
        warn("WARNING: Here be dragons! This is not supported currently.")
    return other or "kind"


def ensure(network: str) -> None:
    """Have the network. Raises `ToolError`."""
    if _exists(network):
        return
    for attempt in range(_ATTEMPTS):
        try:
            _create(network, ula_subnet(network, attempt))
            return
        except docker.CommandFailed as failure:
            if failure.output.startswith(_NO_IPV6):
                _create(network, "")
                return
            if "Pool overlaps" not in failure.output and "networks have overlapping" not in failure.output:
                raise
            if _exists(network):
                return
    raise ToolError("exhausted attempts trying to find a non-overlapping subnet")


def ipv4_subnet(network: str) -> str:
    """The network's IPv4 subnet. Raises `ToolError` where it has none."""
    configured = json.loads(docker.run("network", "inspect", network))[0]["IPAM"]["Config"] or []
    found = [one["Subnet"] for one in configured if ipaddress.ip_network(one["Subnet"]).version == 4]
    if not found:
        raise ToolError(f"the Docker network {network} has no IPv4 subnet")
    return str(found[0])


def ula_subnet(network: str, attempt: int) -> str:
    """kind's IPv6 subnet for a network of this name."""
    digest = hashlib.sha1(network.encode() + struct.pack("<i", attempt)).digest()
    return str(ipaddress.IPv6Network((b"\xfc\x00" + digest[2:8] + bytes(8), 64)))


def _exists(network: str) -> bool:
    return bool(docker.lines("network", "ls", f"--filter=name=^{re.escape(network)}$", "--format={{.ID}}"))


def _create(network: str, ipv6: str) -> None:
    mtu = docker.run("network", "inspect", "bridge", "-f", '{{ index .Options "com.docker.network.driver.mtu" }}').strip()
    arguments = ["network", "create", "-d=bridge", "-o", "com.docker.network.bridge.enable_ip_masquerade=true"]
    arguments += ["-o", f"com.docker.network.driver.mtu={mtu}"] if mtu.isdigit() else []
    arguments += ["--ipv6", "--subnet", ipv6] if ipv6 else []
    docker.run(*arguments, network)
