# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Felix's routes of one node: what changed is applied at once, what others changed at the resync.

Felix of v3.30 takes a kernel route for its own by its looks (protocol 80 anywhere, or protocol boot on a `cali*` or
`vxlan.calico` device), compares destinations only, and so repairs a deleted route but none that was changed in place
and still looks its own (FINDINGS A4; v3.32 compares fully, FINDINGS D). Runs in the namespace thread.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
from collections.abc import Iterable, Iterator, Set
from dataclasses import replace
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError

from ..desired import Route
from .namespaces import NetworkNamespace

_MAIN_TABLE = 254
_BOOT = 3
_FELIX = 80
_TYPES = {"unicast": 1, "blackhole": 6}
_SCOPES = {"global": 0, "link": 253}
#: What only others make is told by a number, and is only ever deleted: of whichever type and scope (RTN_UNSPEC, RT_SCOPE_NOWHERE).
_ANY_TYPE, _ANY_SCOPE = 0, 255
_ONLINK = 4
_POD_DEVICES = "cali"
_OWN_DEVICES = (_POD_DEVICES, "vxlan.calico")
#: The route or its device is gone already: what was wanted.
_ABSENT = (errno.ESRCH, errno.ENODEV, errno.ENOENT)

Key = tuple[str, int]


def key(route: Route) -> Key:
    """What the kernel tells routes of one table apart by: destination and metric."""
    return str(ipaddress.IPv4Network(route.dst)), route.metric


class RouteTable:
    """One node's Felix routes: the wanted ones, and how to have them.

    A tunnel gateway's own route (`<VTEP> dev vxlan.calico scope link`) is set before the routes through it.
    """

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._wanted: dict[Key, Route] = {}
        self._missing: set[Key] = set()  # wanted, but not to be had the last time

    def apply(self, routes: Iterable[Route]) -> list[str]:
        """Make ``routes`` the wanted ones and change what differs from the last time. Returns what could not be had."""
        wanted = {key(route): route for route in routes}
        before, self._wanted = self._wanted, wanted
        gone = [before[name] for name in before.keys() - wanted.keys()]
        self._look_up(gone)
        for route in gone:
            self._remove(route)
        changed = {name for name, route in wanted.items() if before.get(name) != route}
        return self._set(changed | self._missing & wanted.keys())

    def forget(self, device: str) -> None:
        """The device went away and took its routes along: the next `apply` sets those anew that it still names."""
        self._missing |= {name for name, route in self._wanted.items() if route.device == device}

    def restore(self, device: str) -> list[str]:
        """The device is back: so are its routes."""
        return self._set({name for name, route in self._wanted.items() if route.device == device})

    def resync(self, *, compare: bool = False, remove_external: bool = True) -> list[str]:
        """Read the kernel's table; put back what is missing, remove what looks Felix's and is not wanted.

        ``compare``: also put right what is there but differs (Calico v3.32.1 and later). ``remove_external``: on a pod's
        device everything is Felix's, whoever made it (calico-facts 2.3).
        """
        present = dict(self._present(remove_external))
        unwanted = [present[name] for name in present.keys() - self._wanted.keys()]
        self._look_up(unwanted)
        for route in unwanted:
            self._remove(route)
        return self._set(
            {
                name
                for name, route in self._wanted.items()
                if name not in present or (compare and present[name] != route)
            }
        )

    def _set(self, names: Set[Key]) -> list[str]:
        trouble = []
        self._look_up(self._wanted[name] for name in names)
        for name in sorted(names, key=lambda name: (self._wanted[name].gateway is not None, name)):
            route = self._wanted[name]
            self._missing.discard(name)
            try:
                if route.metric and route.device and route.device.startswith(_POD_DEVICES):
                    self._remove(replace(route, metric=0))  # the CNI plugin's own, which carries no metric (FINDINGS D)
                self._replace(route)
            except (NetlinkError, LookupError) as error:
                self._missing.add(name)
                trouble.append(f"route {route.dst}: {error}")
        return trouble

    def _present(self, remove_external: bool) -> Iterator[tuple[Key, Route]]:
        """The main table's routes that look Felix's."""
        with self._namespace.entered():
            devices = dict(socket.if_nameindex())
        for message in self._namespace.netlink.get_routes(family=socket.AF_INET, table=_MAIN_TABLE):
            attributes = dict(message["attrs"])
            device = devices.get(attributes.get("RTA_OIF"))
            protocol = message["proto"]
            external = remove_external and device is not None and device.startswith(_POD_DEVICES)
            if external or protocol == _FELIX or (protocol == _BOOT and device and device.startswith(_OWN_DEVICES)):
                route = _decoded(message, attributes, device)
                yield key(route), route

    def _look_up(self, routes: Iterable[Route]) -> None:
        """Once for all of them: a device made anew has another index."""
        for device in {route.device for route in routes if route.device}:
            self._namespace.has(device)

    def _replace(self, route: Route) -> None:
        self._namespace.netlink.route("replace", **self._encoded(route))

    def _remove(self, route: Route) -> None:
        with contextlib.suppress(LookupError):
            try:
                self._namespace.netlink.route("del", **self._encoded(route))
            except NetlinkError as error:
                if error.code not in _ABSENT:
                    raise

    def _encoded(self, route: Route) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "dst": route.dst,
            "proto": route.protocol,
            "type": _TYPES.get(route.kind, _ANY_TYPE),
            "scope": _SCOPES.get(route.scope, _ANY_SCOPE),
            "table": _MAIN_TABLE,
        }
        if route.device:
            fields["oif"] = self._namespace.index(route.device)
        if route.gateway:
            fields["gateway"] = route.gateway
        if route.onlink:
            fields["flags"] = _ONLINK
        if route.metric:
            fields["priority"] = route.metric
        if route.mtu:
            fields["metrics"] = {"mtu": route.mtu}
        return fields


def _decoded(message: Any, attributes: dict[str, Any], device: str | None) -> Route:
    metrics = attributes.get("RTA_METRICS")
    kinds = {number: name for name, number in _TYPES.items()}
    scopes = {number: name for name, number in _SCOPES.items()}
    return Route(
        dst=f"{attributes.get('RTA_DST', '0.0.0.0')}/{message['dst_len']}",
        kind=kinds.get(message["type"], str(message["type"])),
        gateway=attributes.get("RTA_GATEWAY"),
        device=device,
        protocol=message["proto"],
        scope=scopes.get(message["scope"], str(message["scope"])),
        onlink=bool(message["flags"] & _ONLINK),
        metric=attributes.get("RTA_PRIORITY", 0),
        mtu=metrics.get_attr("RTAX_MTU") if metrics is not None else None,
    )
