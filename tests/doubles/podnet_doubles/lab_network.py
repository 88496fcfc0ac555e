# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerlab's management network, which it makes even for a lab of kind nodes alone.

Facts (containerlab source, v0.79: runtime/docker/docker.go): label `containerlab`, the MTU of Docker's bridge network,
unprotected NAT from Docker 28 on; an existing network of the name is used; on destroy it goes unless somebody is in it; the
words for a subnet that another network has. Not imitated: the rules it adds to this host's FORWARD chain.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from podnet_doubles import docker
from podnet_doubles.errors import ToolError
from podnet_doubles.topology import Topology

_MANUAL = "See https://containerlab.dev/manual/network/"
_UNPROTECTED = 28


def ensure(topology: Topology, say: Callable[..., None]) -> None:
    """Have the network. Raises `ToolError`."""
    if docker.succeeds("network", "inspect", topology.network):
        return
    mtu = str(topology.mtu or _default_mtu())
    facts = {"IPv4 subnet": topology.ipv4, "IPv6 subnet": topology.ipv6, "MTU": mtu}
    say("INFO", "Creating docker network", name=topology.network, **facts)
    arguments = ["--driver", "bridge", "--label", "containerlab=", "--opt", f"com.docker.network.driver.mtu={mtu}"]
    for subnet in filter(None, (topology.ipv4, topology.ipv6)):
        arguments += ["--subnet", subnet]
    arguments += ["--ipv6"] if topology.ipv6 else []
    if int(docker.run("version", "--format", "{{.Server.Version}}").split(".")[0]) >= _UNPROTECTED:
        for family in ("ipv4", "ipv6"):
            arguments += ["--opt", f"com.docker.network.bridge.gateway_mode_{family}=nat-unprotected"]
    try:
        docker.run("network", "create", *arguments, topology.network)
    except docker.CommandFailed as failure:
        raise ToolError(_explained(topology, failure.output.strip())) from failure


def remove(topology: Topology) -> None:
    """Remove the network, unless a container is in it or it is gone."""
    if not docker.succeeds("network", "inspect", topology.network):
        return
    if not json.loads(docker.run("network", "inspect", topology.network))[0]["Containers"]:
        docker.run("network", "rm", topology.network)


def _default_mtu() -> str:
    return (
        docker.run("network", "inspect", "bridge", "-f", '{{ index .Options "com.docker.network.driver.mtu" }}').strip() or "1500"
    )


def _explained(topology: Topology, output: str) -> str:
    if "pool overlaps" not in output.lower() and "subnet" not in output.lower():
        return output
    listed = docker.lines("network", "ls", "-q")
    taken = {
        one["Name"]: [config["Subnet"] for config in one["IPAM"]["Config"] or []]
        for one in json.loads(docker.run("network", "inspect", *listed))
    }
    for name, subnets in taken.items():
        for subnet in subnets:
            if subnet in (topology.ipv4, topology.ipv6):
                return f'subnet {subnet} already in use by Docker network "{name}". {_MANUAL}'
    existing = " ".join(f"{name}:[{' '.join(subnets)}]" for name, subnets in sorted(taken.items()))
    wanted = ", ".join(filter(None, (topology.ipv4, topology.ipv6)))
    said = f"Existing networks: map[{existing}]. Original error: {output}. {_MANUAL}"
    return f"requested subnet(s) {wanted} overlap an existing Docker network. {said}"
