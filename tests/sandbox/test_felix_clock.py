# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often Felix looks, by FelixConfiguration and by its clock; and what rtnetlink's datagrams say of devices."""

from __future__ import annotations

import struct

import pytest
from podnet_sandbox.dataplane.desired import FelixSettings
from podnet_sandbox.dataplane.felix import Datastore, network_of
from podnet_sandbox.dataplane.felix_settings import settings_of
from podnet_sandbox.dataplane.kernel.felix_clock import EVERYTHING, FelixClock, Looks
from podnet_sandbox.dataplane.kernel.link_events import changes


def configuration(name="default", **spec):
    return {"metadata": {"name": name}, "spec": spec}


def test_without_a_word_felix_goes_by_its_defaults():
    assert settings_of([], "worker") == settings_of([configuration()], "worker") == FelixSettings(90.0, 90.0, True)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("5s", 5), ("1m30s", 90), ("1.5h", 5400), ("250ms", 0.25), ("0", 0), ("0s", 0), ("90", 90), ("soon", 90), (7, 90), ("", 90), ("5s later", 90)],
)
def test_a_duration_is_read_as_go_writes_it(written, seconds):
    assert settings_of([configuration(routeRefreshInterval=written)], "worker").route_refresh == seconds


def test_what_is_said_of_one_node_goes_before_what_is_said_of_all():
    configurations = [
        configuration(routeRefreshInterval="5s", removeExternalRoutes=False),
        configuration("node.worker", routeRefreshInterval="7s", ipsetsRefreshInterval="9s"),
    ]
    assert settings_of(configurations, "worker") == FelixSettings(7.0, 9.0, False)
    assert settings_of(configurations, "worker2") == FelixSettings(5.0, 90.0, False)


def looks(clock, settings, times):
    return {now: found for now in times if (found := clock.due(settings, float(now)))}


def test_each_look_comes_at_its_own_interval():
    clock = FelixClock()
    clock.run(True, 0.0)
    seen = looks(clock, FelixSettings(route_refresh=25.0, ipset_refresh=0.0), range(1, 61))
    assert sorted(seen) == [10, 20, 25, 30, 40, 50, 60]
    assert seen[25] == Looks(routes=True) and seen[50] == Looks(device=True, routes=True)


def test_a_shorter_interval_holds_from_the_next_tick_on():
    clock = FelixClock()
    clock.run(True, 0.0)
    assert not looks(clock, FelixSettings(), range(1, 10))
    assert looks(clock, FelixSettings(route_refresh=3.0), [10]) == {10: Looks(device=True, routes=True)}


def test_where_felix_does_not_run_nothing_is_looked_at_and_when_it_is_back_everything_is_once():
    clock = FelixClock()
    assert not looks(clock, FelixSettings(), range(200))
    clock.run(True, 200.0)
    assert not looks(clock, FelixSettings(), range(200, 205))  # the first start
    clock.run(False, 205.0)
    assert not looks(clock, FelixSettings(), range(205, 400))
    clock.run(True, 400.0)
    clock.run(True, 401.0)  # said again, nothing new
    assert looks(clock, FelixSettings(), range(401, 408)) == {401: EVERYTHING}


def datagram(*messages):
    """(type, index, flags) each, as struct nlmsghdr and struct ifinfomsg, with two bytes of attributes and their padding."""
    return b"".join(
        struct.pack("=IHHII", 34, kind, 0, 0, 0) + struct.pack("=BxHiII", 0, 1, index, flags, 0) + b"ab\0\0"
        for kind, index, flags in messages
    )


def test_a_datagram_of_several_messages_is_read_whole():
    assert list(changes(datagram((16, 7, 0x1003), (16, 8, 0x1002), (17, 9, 1), (24, 1, 1)))) == [(7, "up"), (8, "down"), (9, "gone")]


@pytest.mark.parametrize("broken", [b"", b"\0" * 15, b"\0" * 64, datagram((16, 7, 1))[:20]])
def test_what_is_no_message_says_nothing_and_ends(broken):
    assert list(changes(broken)) == []


def test_the_configuration_reaches_the_nodes_network():
    node = {"metadata": {"name": "worker", "annotations": {"projectcalico.org/IPv4Address": "172.18.0.3/16"}}}
    data = Datastore(nodes=[node], felix_configurations=[configuration(routeRefreshInterval="5s")])
    assert network_of("worker", data).felix.route_refresh == 5.0
    assert data.common != Datastore(nodes=[node], felix_configurations=[configuration()]).common
