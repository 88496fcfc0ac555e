# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture command of tcpdump's name and line form, where tcpdump itself cannot run.

tcpdump becomes another user before it captures; a sandbox that was not started as root has one user only, and there
it ends with "Couldn't change to 'tcpdump' uid". This one reads the same packet socket and prints what the exercises
look at: ICMP echoes, other IPv4 packets in short, ARP. Options: -i -n -l -v -e -c -t; a filter of `icmp`, `arp`,
`ip`, `tcp`, `udp`, `[src|dst] host A`, `port N`, joined by `and`, `or`, `not` and parentheses (`packet_filter.py`).
"""

from __future__ import annotations

import argparse
import ipaddress
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass

sys.path.insert(0, __file__.rpartition("/")[0])
import packet_filter

_ALL_PROTOCOLS = 0x0003
_SNAPSHOT = 262144
_IPV4, _ARP = 0x0800, 0x0806
_ICMP, _TCP, _UDP = 1, 6, 17
_NAMES = {_ICMP: "ICMP", _TCP: "TCP", _UDP: "UDP"}
_ETHERTYPES = {_IPV4: "IPv4 (0x0800)", _ARP: "ARP (0x0806)"}
_ECHO = {8: "echo request", 0: "echo reply"}
_UNREACHABLE = {0: "net {} unreachable", 1: "host {} unreachable", 3: "{} port unreachable"}


@dataclass(frozen=True)
class Frame:
    """One Ethernet frame, taken apart as far as its line needs."""

    data: bytes

    @property
    def ethertype(self) -> int:
        """0x0800 is IPv4."""
        return int.from_bytes(self.data[12:14], "big")

    @property
    def header(self) -> tuple[int, ...]:
        """IPv4 header fields: version/length, TOS, total length, id, fragment, TTL, protocol, checksum."""
        return struct.unpack("!BBHHHBBH", self.data[14:26])

    @property
    def protocol(self) -> int:
        """The IPv4 protocol number, -1 for what is not IPv4."""
        return self.data[23] if self.ethertype == _IPV4 and len(self.data) >= 34 else -1

    @property
    def source(self) -> str:
        """Sender's IPv4 address."""
        return self._address(26, 28)

    @property
    def destination(self) -> str:
        """Receiver's IPv4 address."""
        return self._address(30, 38)

    def _address(self, in_ip: int, in_arp: int) -> str:
        start = in_arp if self.ethertype == _ARP else in_ip
        return str(ipaddress.IPv4Address(self.data[start : start + 4])) if len(self.data) >= start + 4 else ""

    @property
    def payload(self) -> bytes:
        """What the IPv4 packet carries, without the frame's padding."""
        start = 14 + (self.data[14] & 15) * 4
        return self.data[start : 14 + self.header[2]]

    @property
    def ports(self) -> tuple[int, int] | None:
        """(source, destination) of TCP and UDP."""
        if self.protocol in (_TCP, _UDP) and len(self.payload) >= 4:
            return struct.unpack("!HH", self.payload[:4])
        return None


def line(frame: Frame, *, link: bool, verbose: bool) -> str | None:
    """The packet as tcpdump prints it, without the time; None for a protocol that is not printed."""
    if frame.ethertype == _ARP:
        return (_link(frame, link) or "ARP, ") + _arp(frame)
    if frame.protocol < 0:
        return None
    if verbose:
        return f"{_link(frame, link, after='')}{'' if link else 'IP '}{_ip_header(frame)}\n    {_content(frame)}"
    return f"{_link(frame, link) or 'IP '}{_content(frame)}"


def _link(frame: Frame, wanted: bool, after: str = ": ") -> str:
    if not wanted:
        return ""
    target, sender = (":".join(f"{octet:02x}" for octet in frame.data[i : i + 6]) for i in (0, 6))
    kind = _ETHERTYPES.get(frame.ethertype, hex(frame.ethertype))
    return f"{sender} > {target}, ethertype {kind}, length {len(frame.data)}: "


def _ip_header(frame: Frame) -> str:
    _ignored, tos, length, number, fragment, ttl, protocol, _ignored = frame.header
    flags = "DF" if fragment & 0x4000 else "+" if fragment & 0x2000 else "none"
    name = f"{_NAMES[protocol]} ({protocol})" if protocol in _NAMES else f"unknown ({protocol})"
    offset = (fragment & 0x1FFF) * 8
    return f"(tos 0x{tos:x}, ttl {ttl}, id {number}, offset {offset}, flags [{flags}], proto {name}, length {length})"


def _content(frame: Frame) -> str:
    payload = frame.payload
    ports = frame.ports
    if ports is not None:
        ends = f"{frame.source}.{ports[0]} > {frame.destination}.{ports[1]}"
        if frame.protocol == _UDP:
            return f"{ends}: UDP, length {len(payload) - 8}"
        return f"{ends}: Flags [{_tcp_flags(payload)}], length {len(payload) - (payload[12] >> 4) * 4}"
    ends = f"{frame.source} > {frame.destination}"
    if frame.protocol == _ICMP and len(payload) >= 8:
        return f"{ends}: ICMP {_icmp(payload)}, length {len(payload)}"
    return f"{ends}: ip-proto-{frame.protocol} {len(payload)}"


def _icmp(payload: bytes) -> str:
    kind, code = payload[0], payload[1]
    if kind in _ECHO:
        number, sequence = struct.unpack("!HH", payload[4:8])
        return f"{_ECHO[kind]}, id {number}, seq {sequence}"
    about = str(ipaddress.IPv4Address(payload[24:28])) if len(payload) >= 28 else "?"
    if kind == 3:
        return _UNREACHABLE.get(code, f"{{}} unreachable - code {code}").format(about)
    return "time exceeded in-transit" if kind == 11 else f"type-#{kind}"


def _tcp_flags(payload: bytes) -> str:
    names = "".join(name for bit, name in enumerate("FSRP") if payload[13] >> bit & 1)
    return names + ("." if payload[13] & 16 else "") or "none"


def _arp(frame: Frame) -> str:
    length = len(frame.data) - 14
    if frame.data[20:22] == b"\x00\x01":
        return f"Request who-has {frame.destination} tell {frame.source}, length {length}"
    mac = ":".join(f"{octet:02x}" for octet in frame.data[22:28])
    return f"Reply {frame.source} is-at {mac}, length {length}"


def _capture(options: argparse.Namespace, matches: packet_filter.Match) -> int:
    captured = received = 0
    interface = options.interface if options.interface != "any" else ""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)) as tap:
        if interface:
            tap.bind((interface, 0))
        _greet(options)
        try:
            while options.count is None or captured < options.count:
                data, address = tap.recvfrom(_SNAPSHOT)
                moment = time.time()
                if address[0] == "lo" and address[2] == socket.PACKET_OUTGOING:
                    continue  # loopback shows each packet twice
                frame = Frame(data)
                if not matches(frame):
                    continue
                received += 1
                text = line(frame, link=options.link, verbose=options.verbose > 0)
                if text is not None:
                    captured += 1
                    print(("" if options.no_time else f"{_stamp(moment)} ") + text, flush=True)
        except KeyboardInterrupt:
            pass
    print(
        f"{captured} packet{'s' * (captured != 1)} captured\n{received} packet{'s' * (received != 1)} received by filter\n"
        "0 packets dropped by kernel",
        file=sys.stderr,
    )
    return 0


def _greet(options: argparse.Namespace) -> None:
    listening = f"listening on {options.interface}, link-type EN10MB (Ethernet), snapshot length {_SNAPSHOT} bytes"
    if options.verbose:
        print(f"tcpdump: {listening}", file=sys.stderr, flush=True)
    else:
        print(
            f"tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\n{listening}",
            file=sys.stderr,
            flush=True,
        )


def _stamp(moment: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.localtime(moment))}.{int(moment % 1 * 1e6):06d}"


def _options(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tcpdump", add_help=False)
    parser.add_argument("-i", dest="interface", default="eth0")
    parser.add_argument("-c", dest="count", type=int)
    parser.add_argument("-e", dest="link", action="store_true")
    parser.add_argument("-t", dest="no_time", action="store_true")
    parser.add_argument("-v", dest="verbose", action="count", default=0)
    for ignored in ("-n", "-nn", "-l", "-U", "-p", "-q"):
        parser.add_argument(ignored, dest="ignored", action="store_true")
    parser.add_argument("expression", nargs="*")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Capture until the count is reached or a signal comes."""
    options = _options(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        matches = packet_filter.parse(" ".join(options.expression))
        return _capture(options, matches)
    except (OSError, packet_filter.FilterError) as error:
        reason = "No such device exists" if getattr(error, "errno", 0) == 19 else str(error)
        print(f"tcpdump: {options.interface}: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
