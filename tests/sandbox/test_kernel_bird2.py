# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BIRD 2's answers, recorded from 2.0.12 and from the 2.17.5 of Debian 13, become those of Calico's BIRD."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from podnet_sandbox.images.commands.bird2 import as_bird1

RECORDINGS = Path(__file__).parent / "recordings" / "node"
BIRD2 = Path(__file__).parent / "recordings" / "bird2"


def said(name):
    return (BIRD2 / name).read_text().splitlines()


def calicos(name):
    """Calico's answer without its greeting."""
    return (RECORDINGS / name).read_text().splitlines()[1:]


def timeless(lines):
    return [re.sub(r"\d\d:\d\d:\d\d", "hh:mm:ss", line) for line in lines]


def test_protocols_are_listed_as_calicos():
    assert timeless(as_bird1("show protocols", said("show-protocols.txt"))) == timeless(calicos("birdcl-show-protocols.txt"))


@pytest.mark.parametrize("recording", ["show-protocols-all.txt", "show-protocols-all-2.17.txt"])
def test_the_details_of_a_session_have_calicos_lines(recording):
    """Names of all fields and their order; the figures are each cluster's own."""
    shown = as_bird1("show protocols all", said(recording))

    def fields(lines):
        head = next(index for index, line in enumerate(lines) if line.startswith("Mesh_172_18_0_"))
        entry = lines[head + 1 : lines.index("", head)]
        return [re.split(r":\s|\s{5,}", line)[0] for line in entry]

    assert fields(shown) == fields(calicos("birdcl-show-protocols-all.txt"))
    caps = next(line for line in shown if "Neighbor caps:" in line).split()[2:]
    wanted = next(line for line in calicos("birdcl-show-protocols-all.txt") if "Neighbor caps:" in line).split()[2:]
    assert set(caps) == set(wanted)


def shape(line):
    """A route's line without what is each pod's own."""
    return re.sub(r"cali\w{11}", "caliX", re.sub(r"192\.168\.93\.\d+/32 ", "POD/32 ", timeless([line])[0]))


def test_routes_have_calicos_lines():
    shown = {shape(line) for line in as_bird1("show route", said("show-route.txt"))}
    assert shown == {shape(line) for line in calicos("birdcl-show-route-none.txt")}


def test_a_next_hop_that_is_said_to_be_on_the_link_is_printed_as_any_other():
    route = ["192.168.112.192/26   unicast [Mesh_172_18_0_4 12:00:00.000 from 172.18.0.4] * (100/?) [i]", "\tvia 172.18.0.1 on eth0 onlink"]
    shown = "192.168.112.192/26 via 172.18.0.1 on eth0 [Mesh_172_18_0_4 12:00:00 from 172.18.0.4] * (100/?) [i]"
    assert as_bird1("show route", route) == [shown]


def test_a_routes_attributes_are_calicos():
    shown = as_bird1("show route all", said("show-route-all.txt"))
    start = next(index for index, line in enumerate(shown) if line.startswith("192.168.112.192/26"))
    assert shown[start + 1 : start + 6] == [
        "\tType: BGP unicast univ",
        "\tBGP.origin: IGP",
        "\tBGP.as_path: ",
        "\tBGP.next_hop: 172.18.0.4",
        "\tBGP.local_pref: 100",
    ]
    assert not any("Kernel.scope" in line or line.startswith("Table") for line in shown)


def test_status_is_calicos():
    assert [line.split(" 2")[0] for line in as_bird1("show status", said("show-status.txt"))][1:] == [
        line.split(" 2")[0] for line in calicos("birdcl-show-status.txt")
    ][1:]


@pytest.mark.parametrize("second", ["\tvia 172.18.0.4 on eth0", "\tdev cali0337ec045c9"])
def test_a_second_route_to_the_same_destination_has_an_empty_first_column(second):
    lines = ["192.168.112.192/26   unicast [Mesh_172_18_0_4 05:20:35.319] ! (100) [i]", "\tvia 172.18.0.4 on eth0",
             "                     unicast [kernel1 05:20:34.872] (10)", second]  # fmt: skip
    assert as_bird1("show route", lines) == [
        "192.168.112.192/26 via 172.18.0.4 on eth0 [Mesh_172_18_0_4 05:20:35] ! (100/0) [i]",
        f"                   {second.strip()} [kernel1 05:20:34] (10)",
    ]


def test_interfaces_show_their_ipv4_addresses_as_calicos_do():
    shown = as_bird1("show interfaces", said("show-interfaces.txt"))
    wanted = calicos("birdcl-show-interfaces.txt")
    assert shown[: shown.index("eth0 up (index=2)") + 3] == wanted[: wanted.index("eth0 up (index=2)") + 3]
    assert not any("fe80" in line for line in shown)
