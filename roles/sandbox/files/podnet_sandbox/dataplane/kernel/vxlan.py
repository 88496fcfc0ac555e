# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`vxlan.calico`: the device, its one address, and a permanent neighbour and FDB entry per remote node.

Source: calico-facts 3.5; FINDINGS B (device and entries exist also where nothing is tunnelled). Runs in the
namespace thread.
"""

from __future__ import annotations

import contextlib

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import VtepPeer, VxlanDevice
from . import tunnel
from .namespaces import NetworkNamespace
from .wiring import UPLINK

DEVICE = "vxlan.calico"
_PERMANENT = 0x80
_SELF = 0x02


class Vxlan:
    """One node's tunnel device. ``apply`` is idempotent and repairs; True when the device was made anew."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._device: VxlanDevice | None = None
        self._index = 0
        self._peers: frozenset[VtepPeer] = frozenset()

    def apply(self, wanted: VxlanDevice | None) -> bool:
        """Have ``wanted``, or no device."""
        if wanted is None:
            self._remove()
            return False
        made = self._have_device(wanted)
        if made:
            self._peers = frozenset()
        self._have_peers(frozenset(wanted.peers))
        self._device = wanted
        return made

    def restore(self) -> bool:
        """What Felix does every 10 s: the device back and up with its address, entries and MTU; True when made anew."""
        return self._device is not None and self.apply(self._device)

    def resync(self) -> None:
        """Every neighbour and FDB entry set again: Felix does so at its periodic resync, and when the device comes up, which has lost
        its neighbours by going down (felix/vxlanfdb/vxlan_fdb.go). A device that is down or gone waits for that.
        """
        if self._device is not None and self._namespace.is_up(DEVICE):
            self._peers = frozenset()
            self._have_peers(frozenset(self._device.peers))

    def _remove(self) -> None:
        self._namespace.remove_link(DEVICE)
        self._device, self._peers = None, frozenset()

    def _have_device(self, wanted: VxlanDevice) -> bool:
        old = self._device
        known = old is not None and (old.mac, old.local, old.vni, old.port) == (
            wanted.mac,
            wanted.local,
            wanted.vni,
            wanted.port,
        )
        made = not (known and self._is_ours(wanted))
        if made:
            self._namespace.remove_link(DEVICE)
            self._namespace.netlink.link(
                "add",
                ifname=DEVICE,
                kind="vxlan",
                address=wanted.mac,
                mtu=wanted.mtu,
                vxlan_id=wanted.vni,
                vxlan_port=wanted.port,
                vxlan_local=wanted.local,
                vxlan_link=self._namespace.index(UPLINK),
                vxlan_learning=False,
            )
            self._index = self._namespace.index(DEVICE)
        tunnel.configure(self._namespace, DEVICE, wanted.address, wanted.mtu)
        return made

    def _is_ours(self, wanted: VxlanDevice) -> bool:
        """Whether the device is there and nobody has put another in its place, or given it another MAC.

        Felix would keep another one with the same VNI, port, addresses and MAC (vxlanLinksIncompat in v3.30's vxlan_mgr.go).
        """
        found = self._namespace.has(DEVICE) and self._namespace.index(DEVICE) == self._index
        return found and self._namespace.mac(DEVICE) == wanted.mac

    def _have_peers(self, wanted: frozenset[VtepPeer]) -> None:
        index = self._namespace.index(DEVICE)
        for gone in self._peers - wanted:
            for command in ("neigh", "fdb"):
                with contextlib.suppress(NetlinkError):
                    self._entry("del", command, index, gone)
        for new in wanted - self._peers:
            for command in ("neigh", "fdb"):
                self._entry("replace", command, index, new)
        self._peers = wanted

    def _entry(self, action: str, kind: str, index: int, peer: VtepPeer) -> None:
        netlink = self._namespace.netlink
        if kind == "neigh":
            netlink.neigh(action, dst=peer.tunnel_address, lladdr=peer.mac, ifindex=index, state=_PERMANENT)
        else:
            netlink.fdb(action, ifindex=index, lladdr=peer.mac, dst=peer.node_address, state=_PERMANENT, flags=_SELF)
