# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`tunl0`, where this machine's kernel has IPIP: the device and its one address. The outer address is each route's gateway.

Source: calico-facts 3.6; felix/dataplane/linux/ipip_mgr.go of v3.32.1. Runs in the namespace thread.
"""

from __future__ import annotations

import contextlib
import errno

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import IpipDevice
from . import tunnel
from .namespaces import NetworkNamespace

DEVICE = "tunl0"
KIND = "ipip"


def supported() -> bool:
    """Whether the kernel makes IPIP tunnels, asked in a namespace of no further use."""
    namespace = NetworkNamespace.create("probe")
    try:
        namespace.netlink.link("add", ifname="probe0", kind=KIND, ipip_local="127.0.0.1", ipip_remote="127.0.0.2")
    except NetlinkError:
        return False
    finally:
        namespace.close()
    return True


class Ipip:
    """One node's tunl0. ``apply`` is idempotent and repairs; True when the device was not there. ``kind``: of another device, in tests."""

    def __init__(self, namespace: NetworkNamespace, kind: str = KIND) -> None:
        self._namespace, self._kind = namespace, kind
        self._device: IpipDevice | None = None

    def apply(self, wanted: IpipDevice | None) -> bool:
        """Have ``wanted``, or none. The kernel's module gives every namespace a tunl0 that cannot be deleted: it is left, down."""
        if wanted is None:
            self._leave()
            return False
        made = not self._namespace.has(DEVICE)
        if made:
            with _already(errno.EEXIST):
                self._namespace.netlink.link("add", ifname=DEVICE, kind=self._kind)
        tunnel.configure(self._namespace, DEVICE, wanted.address, wanted.mtu)
        self._device = wanted
        return made

    def restore(self) -> bool:
        """What Felix does every 10 s; True when the device had gone."""
        return self._device is not None and self.apply(self._device)

    def _leave(self) -> None:
        device, self._device = self._device, None
        if device is not None and self._namespace.has(DEVICE):
            netlink, index = self._namespace.netlink, self._namespace.index(DEVICE)
            with _already(errno.EADDRNOTAVAIL):
                netlink.addr("del", index=index, address=device.address, prefixlen=32)
            netlink.link("set", index=index, state="down")


@contextlib.contextmanager
def _already(code: int):
    """What was wanted is so if the kernel answers with ``code``."""
    try:
        yield
    except NetlinkError as error:
        if error.code != code:
            raise
