# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture stand-in prints tcpdump's own lines: held against the real one reading the same packets."""

from __future__ import annotations

import shutil
import struct
import subprocess

import pytest
from podnet_sandbox.images.commands import packet_filter
from podnet_sandbox.images.commands.tcpdump import Frame, line

MACS = bytes.fromhex("72c36022d700eeeeeeeeeeee")


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(protocol, payload, *, ttl=62, flags=0x4000, source="192.168.93.193", destination="192.168.112.197"):
    addresses = b"".join(bytes(map(int, address.split("."))) for address in (source, destination))
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 34110, flags, ttl, protocol, 0) + addresses
    return MACS + b"\x08\x00" + header[:10] + struct.pack("!H", checksum(header)) + addresses + payload


def icmp(kind, code=0, body=b"", number=121, sequence=1):
    message = struct.pack("!BBHHH", kind, code, 0, number, sequence) + body
    return message[:2] + struct.pack("!H", checksum(message)) + message[4:]


QUOTED = ipv4(17, struct.pack("!HHHH", 1, 80, 8, 0))[14:]
FRAMES = {
    "request": ipv4(1, icmp(8, body=bytes(56))),
    "reply": ipv4(1, icmp(0, body=bytes(56)), ttl=64, flags=0),
    "exceeded": ipv4(1, icmp(11, number=0, sequence=0, body=QUOTED)),
    "host-unreachable": ipv4(1, icmp(3, 1, number=0, sequence=0, body=QUOTED)),
    "arp-request": MACS + bytes.fromhex("08060001080006040001eeeeeeeeeeeeac120003000000000000ac120004"),
    "arp-reply": MACS + bytes.fromhex("08060001080006040002eeeeeeeeeeeea9fe010172c36022d700c0a85dc1"),
}


def by_tcpdump(frames, tmp_path, *options):
    """The lines of the real tcpdump."""
    path = tmp_path / "frames.pcap"
    records = b"".join(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame for frame in frames)
    path.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + records)
    done = subprocess.run(["tcpdump", "-t", "-n", *options, "-r", path], capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs the real tcpdump to compare with")
@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("link", [False, True])
def test_a_packet_is_printed_as_tcpdump_prints_it(name, link, tmp_path):
    frame = FRAMES[name]
    assert line(Frame(frame), link=link, verbose=False) == by_tcpdump([frame], tmp_path, *(["-e"] if link else []))


@pytest.mark.skipif(not shutil.which("tcpdump"), reason="needs the real tcpdump to compare with")
@pytest.mark.parametrize("name", ["request", "reply"])
@pytest.mark.parametrize("link", [False, True])
def test_verbose_shows_the_ttl_as_tcpdump_does(name, link, tmp_path):
    shown = line(Frame(FRAMES[name]), link=link, verbose=True)
    assert shown == by_tcpdump([FRAMES[name]], tmp_path, "-v", *(["-e"] if link else []))


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("", {"request", "reply", "exceeded", "host-unreachable", "arp-request", "arp-reply"}),
        ("icmp", {"request", "reply", "exceeded", "host-unreachable"}),
        ("arp", {"arp-request", "arp-reply"}),
        ("icmp and host 192.168.112.197", {"request", "reply", "exceeded", "host-unreachable"}),
        ("host 172.18.0.4", {"arp-request"}),
        ("dst host 172.18.0.4 or src host 169.254.1.1", {"arp-request", "arp-reply"}),
        ("not (icmp or host 172.18.0.4)", {"arp-reply"}),
        ("udp port 4789", set()),
    ],
)
def test_a_filter_takes_what_pcaps_would(expression, wanted):
    match = packet_filter.parse(expression)
    assert {name for name, frame in FRAMES.items() if match(Frame(frame))} == wanted


@pytest.mark.parametrize("expression", ["icmp and", "(icmp", "ether proto 1", "icmp )"])
def test_a_filter_that_is_not_understood_is_refused(expression):
    with pytest.raises(packet_filter.FilterError, match="syntax error"):
        packet_filter.parse(expression)
