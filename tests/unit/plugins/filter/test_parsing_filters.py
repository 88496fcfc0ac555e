# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parsers as filters: what they return of recorded output, and that no text is answered by anything but a list or an error."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.birdcl_protocols import birdcl_protocols
from ansible_collections.podnet.calico.plugins.filter.birdcl_route import birdcl_route
from ansible_collections.podnet.calico.plugins.filter.bridge_fdb import bridge_fdb
from ansible_collections.podnet.calico.plugins.filter.ip_addr import ip_addr
from ansible_collections.podnet.calico.plugins.filter.ip_link import ip_link
from ansible_collections.podnet.calico.plugins.filter.ip_neigh import ip_neigh
from ansible_collections.podnet.calico.plugins.filter.ip_route import ip_route
from ansible_collections.podnet.calico.plugins.filter.ip_rule import ip_rule
from ansible_collections.podnet.calico.plugins.module_utils._plain import plain
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import LAB, recording, text
from hypothesis import given, settings
from hypothesis import strategies as st

WORKER = "pod-routing-worker"
WITH_BIRD = "calico-v3.30.7/none-operator"
PARSERS = (ip_route, ip_rule, ip_link, ip_addr, ip_neigh, bridge_fdb, birdcl_protocols, birdcl_route)
#: Words of the commands' own, so that fuzzed text gets past the first look.
WORDS = st.sampled_from(
    "default via dev proto scope metric nexthop blackhole inet inet6 link/ether lladdr dst from lookup 1: 0: eth0 10.0.0.1 10.0.0.0/24 "
    "vxlan id mtu <UP> RX: TX: peer BGP up [ ] * BIRD ready. cache \n [] {} [{}] [{\"dst\":1}] [3] fwmark".split(" ")
)


def facts(name, node):
    return next(one.facts for one in recording(name).nodes if one.name == node)


@pytest.mark.parametrize(
    ("parser", "file", "field"),
    [
        (ip_link, "ip-j-d-link.json", "links"),
        (ip_addr, "ip-j-addr.json", "addresses"),
        (ip_neigh, "ip-j-neigh.json", "neighbours"),
        (ip_rule, "ip-j-rule.json", "rules"),
    ],
)
def test_what_a_filter_returns_is_what_the_modules_return(parser, file, field):
    assert parser(text(LAB, "nodes/%s/%s" % (WORKER, file))) == plain(getattr(facts(LAB, WORKER), field)) != []


def test_text_and_json_of_one_table_are_the_same_routes():
    every = ip_route(text(LAB, "nodes/%s/ip-j-d-route-table-all.json" % WORKER))
    main = [route for route in every if route["table"] == "main" and ":" not in route["dst"]]
    assert main == ip_route(text(LAB, "nodes/%s/ip-route.txt" % WORKER))
    assert {"192.168.93.192/26", "0.0.0.0/0"} <= {route["dst"] for route in main}


def test_bird_is_read_as_the_modules_read_it():
    bird = facts(WITH_BIRD, WORKER).bird
    assert birdcl_protocols(text(WITH_BIRD, "nodes/%s/birdcl-show-protocols.txt" % WORKER)) == plain(bird.sessions) != []
    assert birdcl_route(text(WITH_BIRD, "nodes/%s/birdcl-show-route.txt" % WORKER))


@pytest.mark.parametrize("parser", [ip_route, ip_rule, ip_link, ip_addr, ip_neigh, bridge_fdb])
def test_nothing_printed_is_an_empty_list(parser):
    assert parser("") == parser("[]") == parser("\n") == []


@pytest.mark.parametrize("parser", [ip_neigh, bridge_fdb])
def test_a_device_that_was_on_the_command_line_is_given_by_hand(parser):
    entry = "10.0.0.1 lladdr ee:ee:ee:ee:ee:ee REACHABLE"
    assert [found["dev"] for found in parser(entry, dev="eth0")] == ["eth0"]
    with pytest.raises(AnsibleFilterError, match=r"podnet.calico.%s: .*device" % parser.__name__):
        parser(entry)


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize(("given", "sort"), [(None, "nothing"), (3, "int '3'"), ({"stdout": ""}, "a dictionary"), (["a"], "list")])
def test_what_is_no_text_is_named(parser, given, sort):
    with pytest.raises(AnsibleFilterError, match=r"podnet.calico.%s: wants the output of .* as text, got %s" % (parser.__name__, sort)):
        parser(given)


@pytest.mark.parametrize(
    ("parser", "output", "said"),
    [
        (ip_route, "10.0.0.0/24 dev eth0 metric high", "'high' is not a number in"),
        (ip_route, '[{"dst": "10.0.0.0/24"', "JSON cut off or damaged"),
        (ip_rule, "from all lookup main", "no priority in 'from all lookup main'"),
        (ip_link, "    link/ether ee:ee:ee:ee:ee:ee", "no device before"),
        (birdcl_protocols, "Unable to connect to server control socket (/var/run/bird.ctl)", "BIRD does not run there"),
        (birdcl_protocols, "sh: birdcl: not found", "not what birdcl prints: 'sh: birdcl: not found'"),
        (birdcl_route, "BIRD v0.3.3 ready.", "no best route in it"),
    ],
)
def test_an_error_quotes_the_place(parser, output, said):
    with pytest.raises(AnsibleFilterError) as caught:
        parser(output)
    assert said in str(caught.value) and "podnet.calico.%s: this is not what " % parser.__name__ in str(caught.value)


def test_an_error_shows_no_control_characters():
    with pytest.raises(AnsibleFilterError) as caught:
        ip_rule("\x1b[2J" * 50)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("parser", PARSERS)
@settings(deadline=None)
@given(output=st.text() | st.lists(WORDS, max_size=25).map(" ".join))
def test_no_text_is_answered_by_anything_but_a_list_or_an_error(parser, output):
    try:
        found = parser(output)
    except AnsibleFilterError:
        return
    assert isinstance(found, list) and all(isinstance(entry, dict) for entry in found)
