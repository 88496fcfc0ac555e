# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ip link` and `ip addr` (private). Text is read with or without ``-d`` and ``-s``; what was not printed is None."""

from __future__ import annotations

import re
from typing import Iterator, List, Optional, Tuple

from .._model import Address, Link, VxlanLink
from .base import ParseError, drop_none, parse

_HEAD = re.compile(r"^(\d+): ([^\s:@]+(?::\d+)?)(?:@(\S+))?: <([^>]*)> mtu (\d+)")
_KINDS = frozenset("veth vxlan bridge ipip sit gre gretap tun tap dummy wireguard vlan bond macvlan ipvlan ifb vrf vti geneve".split())


def parse_links(output: str) -> Tuple[Link, ...]:
    """Links in the order of their index."""
    return parse(output, "ip link", _link_from_json, _links_from_text)


def parse_addresses(output: str) -> Tuple[Address, ...]:
    """Addresses of both families, device by device."""
    return parse(output, "ip addr", _addresses_from_json, _addresses_from_text)


def _link_from_json(entry: dict) -> Iterator[Link]:
    info = entry.get("linkinfo") or {}
    stats = entry.get("stats64") or entry.get("stats") or {}
    flags = entry.get("flags") or ()
    yield Link(
        entry["ifname"],
        entry["mtu"],
        "UP" in flags,
        "LOWER_UP" in flags,
        entry.get("address"),
        info.get("info_kind"),
        entry.get("ifindex"),
        entry.get("link_index"),
        _vxlan(info.get("info_data") or {}) if info.get("info_kind") == "vxlan" else None,
        (stats.get("rx") or {}).get("packets"),
        (stats.get("tx") or {}).get("packets"),
    )


def _vxlan(data: dict) -> VxlanLink:
    return VxlanLink(data["id"], data["port"], data.get("local"), data.get("link"), bool(data.get("learning", True)))


def _links_from_text(output: str) -> Iterator[Link]:
    entry: Optional[dict] = None
    counting = None
    for line in output.splitlines():
        head = _HEAD.match(line)
        words = line.split()
        if head:
            if entry is not None:
                yield from _link_from_json(entry)
            entry, counting = _head_entry(head), None
        elif not words:
            continue
        elif entry is None:
            raise ParseError("ip link: no device before %.200r" % line)
        elif words[0].startswith("link/"):
            entry["address"] = words[1] if len(words) > 1 else None
        elif words[0] in ("RX:", "TX:"):
            counting = words[0][:2].lower()
        elif counting:
            entry.setdefault("stats64", {})[counting] = {"packets": int(words[1])}
            counting = None
        elif words[0] in _KINDS:
            entry["linkinfo"] = _info(words)
    if entry is not None:
        yield from _link_from_json(entry)


def _head_entry(head: "re.Match[str]") -> dict:
    index, name, peer, flags, mtu = head.groups()
    entry = {"ifindex": int(index), "ifname": name, "flags": flags.split(","), "mtu": int(mtu)}
    if peer and peer.startswith("if") and peer[2:].isdigit():
        entry["link_index"] = int(peer[2:])
    return entry


def _info(words: List[str]) -> dict:
    info: dict = {"info_kind": words[0]}
    if words[0] == "vxlan":
        values = dict(zip(words, words[1:]))
        info["info_data"] = {
            "id": int(values["id"]),
            "port": int(values["dstport"]),
            "local": values.get("local"),
            "link": values.get("dev"),
            "learning": "nolearning" not in words,
        }
    return info


def link_json(link: Link) -> dict:
    """The link as ``ip -j -d -s link`` prints it, as far as the model knows."""
    vxlan = link.vxlan
    info = None
    if link.kind:
        info = {"info_kind": link.kind}
        if vxlan:
            info["info_data"] = drop_none(
                {"id": vxlan.vni, "local": vxlan.local, "link": vxlan.dev, "port": vxlan.port, "learning": vxlan.learning}
            )
    stats = None
    if link.rx_packets is not None or link.tx_packets is not None:
        stats = {"rx": drop_none({"packets": link.rx_packets}), "tx": drop_none({"packets": link.tx_packets})}
    return drop_none(
        {
            "ifindex": link.index,
            "link_index": link.peer_index,
            "ifname": link.name,
            "flags": _flags(link),
            "mtu": link.mtu,
            "address": link.mac,
            "linkinfo": info,
            "stats64": stats,
        }
    )


def _flags(link: Link) -> List[str]:
    return (["UP"] if link.admin_up else []) + (["LOWER_UP"] if link.carrier else [])


def link_text(link: Link) -> str:
    """The link as ``ip -d -s link`` prints it, as far as the model knows."""
    name = link.name if link.peer_index is None else "%s@if%d" % (link.name, link.peer_index)
    lines = ["%d: %s: <%s> mtu %d" % (link.index or 0, name, ",".join(_flags(link)), link.mtu)]
    if link.mac:
        lines.append("    link/ether %s" % link.mac)
    if link.vxlan:
        lines.append("    " + _vxlan_text(link.vxlan))
    elif link.kind:
        lines.append("    " + link.kind)
    for direction, packets in (("RX", link.rx_packets), ("TX", link.tx_packets)):
        if packets is not None:
            lines += ["    %s:  bytes packets" % direction, "    0 %d" % packets]
    return "\n".join(lines)


def _vxlan_text(vxlan: VxlanLink) -> str:
    words = ["vxlan", "id", str(vxlan.vni)]
    words += ["local", vxlan.local] if vxlan.local else []
    words += ["dev", vxlan.dev] if vxlan.dev else []
    return " ".join(words + ["srcport", "0", "0", "dstport", str(vxlan.port)] + ([] if vxlan.learning else ["nolearning"]))


def _addresses_from_json(entry: dict) -> Iterator[Address]:
    for info in entry.get("addr_info") or ():
        if info:
            yield Address(entry["ifname"], info["local"], info["prefixlen"], info["family"], info.get("scope", "global"))


def _addresses_from_text(output: str) -> Iterator[Address]:
    dev = None
    for line in output.splitlines():
        head = _HEAD.match(line)
        words = line.split()
        if head:
            dev = head.group(2)
        elif words and words[0] in ("inet", "inet6"):
            if dev is None:
                raise ParseError("ip addr: no device before %.200r" % line)
            address, slash, length = words[1].partition("/")
            if not slash and words[2] == "peer":  # `inet 10.0.0.1 peer 10.0.0.2/32`
                length = words[3].partition("/")[2]
            scope = words[words.index("scope") + 1] if "scope" in words else "global"
            yield Address(dev, address, int(length), words[0], scope)
    if dev is None and output.strip():
        raise ParseError("ip addr: no device in %.60r" % output)


def address_json(address: Address) -> dict:
    """The address in its device, as ``ip -j addr`` prints it."""
    info = {"family": address.family, "local": address.address, "prefixlen": address.prefixlen, "scope": address.scope}
    return {"ifname": address.dev, "addr_info": [info]}


def address_text(address: Address) -> str:
    """The address below its device's line, as ``ip addr`` prints it."""
    return "1: %s: <> mtu 0\n    %s %s/%d scope %s %s" % (
        address.dev,
        address.family,
        address.address,
        address.prefixlen,
        address.scope,
        address.dev,
    )
