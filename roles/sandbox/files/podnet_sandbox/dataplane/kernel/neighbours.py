# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbour entries that a large lab is given, because the machine has no room to learn them.

The kernel keeps learned neighbours of all network namespaces of a machine in one table, with one limit (`gc_thresh3`, 1024
unless the host's administrator changed it) that no namespace can raise. Past it ARP fails without a word, on the host as well.
Entries that are permanent do not count. Real nodes have a table each; so a lab learns as they do as long as it is small, and
only what would go beyond shows PERMANENT in `ip neigh`.

Everything here runs in the namespace thread.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import PodNetwork
from .namespaces import NetworkNamespace
from .wiring import POD_GATEWAY, WORKLOAD_MAC

#: What one lab may learn: half of the machine's table, the rest is the host's and other labs'.
_ROOM = 512
_PERMANENT = 0x80


class Neighbours:
    """Who of a lab learns its neighbours, and the entries of those who do not."""

    def __init__(self) -> None:
        self._learned: dict[str, int] = {}
        self._stations: dict[str, _Station] = {}

    def station(self, name: str, bridge: str, namespace: NetworkNamespace, device: str, address: str) -> None:
        """A node, or the router, has joined a bridge, where everyone may have to do with everyone."""
        new = _Station(bridge, namespace, device, address, namespace.mac(device))
        others = self._beside(bridge)
        if not self._learns(name, 2 * len(others)):
            for old in others:
                _write(new.namespace, new.device, old.address, old.mac)
                _write(old.namespace, old.device, new.address, new.mac)
        self._stations[name] = new

    def station_gone(self, name: str) -> None:
        """What others know of the node is of no use any more, and its room is free."""
        gone = self._stations.pop(name)
        if self._learned.pop(name, None) is None:
            for other in self._beside(gone.bridge):
                _remove(other.namespace, other.device, gone.address)

    def pod(self, node: NetworkNamespace, pod: NetworkNamespace, network: PodNetwork) -> None:
        """A pod was wired: its node knows it, and it knows its gateway, nobody else."""
        if not self._learns(network.host_device, 2):
            _write(node, network.host_device, network.address, pod.mac("eth0"))
            _write(pod, "eth0", POD_GATEWAY, WORKLOAD_MAC)

    def pod_gone(self, network: PodNetwork) -> None:
        """The entries go with the pod's devices; its room is free."""
        self._learned.pop(network.host_device, None)

    def _beside(self, bridge: str) -> list[_Station]:
        return [station for station in self._stations.values() if station.bridge == bridge]

    def _learns(self, who: str, entries: int) -> bool:
        """Whether there is room for ``entries`` more, which are then taken."""
        if sum(self._learned.values()) + entries > _ROOM:
            return False
        self._learned[who] = entries
        return True


@dataclass(frozen=True)
class _Station:
    """One who is on the node network."""

    bridge: str
    namespace: NetworkNamespace
    device: str
    address: str
    mac: str


def _write(namespace: NetworkNamespace, device: str, address: str, mac: str) -> None:
    index = namespace.index(device)
    namespace.netlink.neigh("replace", dst=address, lladdr=mac, ifindex=index, state=_PERMANENT)


def _remove(namespace: NetworkNamespace, device: str, address: str) -> None:
    with contextlib.suppress(NetlinkError):  # a device that was down has lost its entries
        namespace.netlink.neigh("del", dst=address, ifindex=namespace.index(device))
