# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rtnetlink messages that a large lab needs by the ten thousand, packed by hand; pyroute2 has the rest.

A full mesh of N nodes has some 3 N² routes, neighbours and forwarding entries. pyroute2 takes about half a millisecond of
processor for one, most of it for describing messages in general; packing the few fields that are used here takes a tenth. Methods and
arguments are pyroute2's; what is not spelled out here is handed on to it, so a pod's namespace opens one socket and no `IPRoute`.

Layouts: linux/rtnetlink.h, linux/neighbour.h, linux/if_addr.h, linux/if_link.h.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

_REQUEST, _ACK = 0x1, 0x4
#: NLM_F_CREATE | NLM_F_EXCL, NLM_F_CREATE | NLM_F_REPLACE
_COMMANDS = {"add": 0x600, "replace": 0x500, "del": 0}
_NEW_LINK, _DELETE_LINK, _GET_LINK = 16, 17, 18
_NEW_ADDRESS, _NEW_ROUTE, _NEW_NEIGHBOUR = 20, 24, 28  # the one that deletes is the next number
_SET_NEIGHBOUR_TABLE = 67
#: Numbers that a new device can have, IFLA_* of linux/if_link.h.
_NEW_DEVICE = {"mtu": 4, "txqlen": 13, "net_ns_fd": 28, "num_tx_queues": 31, "num_rx_queues": 32}
#: IPV4_DEVCONF_* of linux/ip.h: the files of /proc/sys/net/ipv4/conf/DEVICE, by their names.
_SETTINGS = {"forwarding": 1, "proxy_arp": 3, "route_localnet": 26}
_ERROR = 2
_HEADER = struct.Struct("=IHHII")
_LARGEST = 1 << 16
_UP = 1
_MAIN_TABLE, _UNICAST, _STATIC, _NOWHERE = 254, 1, 4, 255
_ROUTE_FIELDS = frozenset({"dst", "gateway", "oif", "proto", "type", "scope", "table", "flags", "priority", "metrics"})


class Device(NamedTuple):
    """A network device; ``up``: somebody has set it up."""

    index: int
    mac: str
    up: bool


class Netlink:
    """A namespace's rtnetlink socket, made while the thread is in it; ``entered`` takes the thread there again."""

    def __init__(self, entered: Callable[[], AbstractContextManager[None]]) -> None:
        self._entered = entered
        self._general: IPRoute | None = None
        self._numbers = itertools.count(1)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.bind((0, 0))

    def __getattr__(self, name: str) -> Any:
        """Everything else of `IPRoute`."""
        if name.startswith("_"):
            raise AttributeError(name)
        if self._general is None:
            with self._entered():
                self._general = IPRoute()
        return getattr(self._general, name)

    def close(self) -> None:
        """Let go of the sockets."""
        self._socket.close()
        if self._general is not None:
            self._general.close()

    def device(self, name: str) -> Device:
        """The device of that name. Raises `LookupError` where there is none."""
        try:
            answer = self._ask(_GET_LINK, 0, _link_header(0) + _attribute(3, name.encode() + b"\0"), acknowledged=False)
        except NetlinkError as error:
            raise LookupError(f"no device {name}") from error
        address = _attributes(answer[32:]).get(1, b"")
        index, flags = struct.unpack_from("=iI", answer, 20)
        return Device(index, address.hex(":"), bool(flags & _UP))

    def link(self, command: str, **fields: Any) -> Any:
        if command == "del" and fields.keys() == {"index"}:
            return self._ask(_DELETE_LINK, 0, _link_header(fields["index"]))
        if command == "add" and fields.get("kind") == "veth":
            peer = _attribute(1, _link_header(0) + _described(fields["peer"]))
            cable = _attribute(1, b"veth") + _attribute(2, peer)
            return self._ask(_NEW_LINK, _COMMANDS["add"], _link_header(0) + _described(fields) + _attribute(18, cable))
        if command != "set" or fields.keys() - {"index", "state", "mtu", "master", "settings"}:
            return self.__getattr__("link")(command, **fields)
        changed = _UP if "state" in fields else 0
        body = _link_header(fields["index"], _UP if fields.get("state") == "up" else 0, changed)
        for name, kind in (("mtu", 4), ("master", 10)):
            if name in fields:
                body += _number(kind, fields[name])
        if "settings" in fields:
            values = b"".join(_number(_SETTINGS[name], value) for name, value in fields["settings"].items())
            body += _attribute(26, _attribute(socket.AF_INET, _attribute(1, values)))
        return self._ask(_NEW_LINK, 0, body)

    def proxy_delay(self, index: int, milliseconds: int) -> None:
        """How long a device waits before it answers for another: /proc/sys/net/ipv4/neigh/DEVICE/proxy_delay."""
        parameters = _number(1, index) + _attribute(13, struct.pack("=Q", milliseconds))
        body = struct.pack("=BBH", socket.AF_INET, 0, 0) + _attribute(1, b"arp_cache\0") + _attribute(6, parameters)
        self._ask(_SET_NEIGHBOUR_TABLE, 0, body)

    def addr(self, command: str, **fields: Any) -> Any:
        if command not in _COMMANDS or fields.keys() != {"index", "address", "prefixlen"} or fields["prefixlen"] != 32:
            return self.__getattr__("addr")(command, **fields)  # which finds out the broadcast address
        address = socket.inet_aton(fields["address"])
        body = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, fields["index"]) + _attribute(2, address) + _attribute(1, address)
        return self._ask(_number_of(_NEW_ADDRESS, command), _COMMANDS[command], body)

    def route(self, command: str, **fields: Any) -> Any:
        if command not in _COMMANDS or fields.keys() - _ROUTE_FIELDS or fields.get("metrics", {}).keys() - {"mtu"}:
            return self.__getattr__("route")(command, **fields)
        deleting = command == "del"
        destination = ipaddress.IPv4Network("0.0.0.0/0" if fields["dst"] == "default" else fields["dst"])
        table = fields.get("table", _MAIN_TABLE)
        body = struct.pack(
            "=BBBBBBBBI",
            socket.AF_INET, destination.prefixlen, 0, 0, table if table < 256 else 0,
            fields.get("proto", 0 if deleting else _STATIC),
            fields.get("scope", _NOWHERE if deleting else 0),
            fields.get("type", 0 if deleting else _UNICAST),
            fields.get("flags", 0),
        )  # fmt: skip
        body += _number(15, table)
        if destination.prefixlen:
            body += _attribute(1, destination.network_address.packed)
        if "gateway" in fields:
            body += _attribute(5, socket.inet_aton(fields["gateway"]))
        for name, kind in (("oif", 4), ("priority", 6)):
            if name in fields:
                body += _number(kind, fields[name])
        if "metrics" in fields:
            body += _attribute(8, _number(2, fields["metrics"]["mtu"]))
        return self._ask(_number_of(_NEW_ROUTE, command), _COMMANDS[command], body)

    def neigh(self, command: str, *, dst: str, ifindex: int, lladdr: str = "", state: int = 0) -> Any:
        return self._neighbour(command, socket.AF_INET, ifindex, state, 0, dst, lladdr)

    def fdb(self, command: str, *, ifindex: int, lladdr: str, dst: str, state: int, flags: int) -> Any:
        return self._neighbour(command, socket.AF_BRIDGE, ifindex, state, flags, dst, lladdr)

    def _neighbour(self, command: str, family: int, index: int, state: int, flags: int, address: str, mac: str) -> Any:
        body = struct.pack("=BBHiHBB", family, 0, 0, index, state, flags, 0) + _attribute(1, socket.inet_aton(address))
        if mac:
            body += _attribute(2, bytes.fromhex(mac.replace(":", "")))
        return self._ask(_number_of(_NEW_NEIGHBOUR, command), _COMMANDS[command], body)

    def _ask(self, kind: int, flags: int, body: bytes, *, acknowledged: bool = True) -> bytes:
        """The kernel's answer to one message. Raises `NetlinkError`."""
        number = next(self._numbers)
        flags |= _REQUEST | (_ACK if acknowledged else 0)
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0) + body)
        while True:
            answer = self._socket.recv(_LARGEST)
            _length, answered, _flags, to, _port = _HEADER.unpack_from(answer)
            if to != number:
                continue  # of a question that was given up
            if answered == _ERROR:
                code = -struct.unpack_from("=i", answer, _HEADER.size)[0]
                if code:
                    raise NetlinkError(code, os.strerror(code))
            return answer


def _number_of(creating: int, command: str) -> int:
    return creating + 1 if command == "del" else creating


def _link_header(index: int, flags: int = 0, changed: int = 0) -> bytes:
    return struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, index, flags, changed)


def _described(device: Mapping[str, Any]) -> bytes:
    """What a new device is to be; `kind` and `peer` are not of it."""
    body = _attribute(3, device["ifname"].encode() + b"\0")
    if "address" in device:
        body += _attribute(1, bytes.fromhex(device["address"].replace(":", "")))
    return body + b"".join(_number(kind, device[name]) for name, kind in _NEW_DEVICE.items() if name in device)


def _number(kind: int, value: int) -> bytes:
    return _attribute(kind, struct.pack("=I", value))


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found
