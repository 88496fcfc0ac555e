# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ip` prints and what is read from it are the same thing, in JSON and in text, for anything and for real outputs."""

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _iproute as ip
from ansible_collections.podnet.calico.plugins.module_utils._model import FdbEntry, Neighbour, Nexthop, Route, Rule
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import FOLDER, LAB, SCENARIOS, text
from hypothesis import given, settings
from hypothesis import strategies as st

NODES = [(scenario, path.name) for scenario in SCENARIOS for path in sorted((FOLDER / scenario / "nodes").iterdir())]

octets = st.integers(0, 255)
addresses = st.builds("{}.{}.{}.{}".format, st.integers(1, 223), octets, octets, octets)
devices = st.sampled_from(["eth0", "vxlan.calico", "tunl0", "cali0123456789a", "br-lan"])


@st.composite
def prefixes(draw):
    if draw(st.booleans()):
        return f"{draw(addresses)}/32"
    return str(ipaddress.ip_network(f"{draw(addresses)}/{draw(st.integers(0, 32))}", strict=False))


@st.composite
def routes(draw):
    kind = draw(st.sampled_from(["unicast", "unicast", "blackhole", "unreachable", "local", "throw"]))
    common = {
        "protocol": draw(st.sampled_from(["boot", "80", "bird", "kernel", "static"])),
        "scope": draw(st.sampled_from(["global", "link", "host"])),
        "metric": draw(st.sampled_from([0, 100, 1024])),
        "table": draw(st.sampled_from(["main", "local", "100"])),
    }
    if kind != "unicast":
        return Route(draw(prefixes()), kind, **common)
    if draw(st.booleans()) and draw(st.booleans()):
        legs = st.builds(Nexthop, addresses, devices, st.integers(1, 9), st.sampled_from([(), ("onlink",)]))
        return Route(draw(prefixes()), nexthops=tuple(draw(st.lists(legs, min_size=2, max_size=3))), **common)
    return Route(
        draw(prefixes()), gateway=draw(st.none() | addresses | st.just("fe80::1")), dev=draw(devices),
        prefsrc=draw(st.none() | addresses), mtu=draw(st.none() | st.integers(68, 9000)),
        flags=draw(st.sampled_from([(), ("onlink",), ("onlink", "linkdown"), ("dead", "linkdown")])), **common,
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(routes(), max_size=4))
def test_a_route_printed_and_parsed_is_itself(some):
    assert ip.parse_routes("\n".join(ip.route_text(route) for route in some)) == tuple(some)
    assert ip.parse_routes(json.dumps([ip.route_json(route) for route in some])) == tuple(some)


@pytest.mark.parametrize("dst", ["::/0", "fd00::/64", "fd00::5/128"])
def test_an_ipv6_route_printed_and_parsed_is_itself(dst):
    route = Route(dst, gateway=None, dev="eth0", metric=1024)
    assert ip.parse_routes(ip.route_text(route)) == (route,)
    assert ip.parse_routes(json.dumps([ip.route_json(route)])) == (route,)


@pytest.mark.parametrize(("scenario", "node"), NODES)
def test_real_outputs_survive_parsing_and_printing(scenario, node):
    def read(name):
        return text(scenario, f"nodes/{node}/{name}")

    for name, parse, as_text, as_json in (
        ("ip-j-d-route-table-all.json", ip.parse_routes, ip.route_text, ip.route_json),
        ("ip-j-rule.json", ip.parse_rules, ip.rule_text, ip.rule_json),
        ("ip-j-d-link.json", ip.parse_links, ip.link_text, ip.link_json),
        ("ip-j-addr.json", ip.parse_addresses, ip.address_text, ip.address_json),
        ("ip-j-neigh.json", ip.parse_neighbours, ip.neighbour_text, ip.neighbour_json),
        ("bridge-j-fdb.json", ip.parse_fdb, ip.fdb_text, ip.fdb_json),
    ):
        parsed = parse(read(name))
        assert parsed or name.startswith("bridge")
        assert parse("\n".join(as_text(entry) for entry in parsed)) == parsed
        assert parse(json.dumps([as_json(entry) for entry in parsed])) == parsed


@pytest.mark.parametrize("node", ["pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2"])
def test_a_real_table_is_printed_as_iproute2_printed_it(node):
    recorded = text(LAB, f"nodes/{node}/ip-route.txt")
    routes_ = [r for r in ip.parse_routes(text(LAB, f"nodes/{node}/ip-j-d-route-table-all.json")) if r.table == "main" and ":" not in r.dst]
    assert [ip.route_text(route) for route in routes_] == [line.strip() for line in recorded.splitlines()]


def test_the_fdb_reads_the_same_from_bridge_and_from_ip():
    expected = (FdbEntry("vxlan.calico", "66:2d:56:cc:a5:7d", "172.18.0.4", ("permanent",)),)
    assert ip.parse_fdb("66:2d:56:cc:a5:7d dev vxlan.calico dst 172.18.0.4 self permanent\n") == expected
    assert ip.parse_fdb("172.18.0.4 lladdr 66:2d:56:cc:a5:7d NOARP PERMANENT \n", "vxlan.calico") == expected
    assert ip.parse_fdb('[{"dst":"172.18.0.4","lladdr":"66:2d:56:cc:a5:7d","state":["NOARP","PERMANENT"]}]', "vxlan.calico") == expected


def test_a_vxlan_device_of_ubuntus_iproute2_is_read_though_what_it_prints_is_no_json():
    # As iproute2 6.1.0-1ubuntu6 printed it, less what no Link holds.
    printed = (
        '[{"ifindex":2,"ifname":"vxlan.calico","flags":["BROADCAST","MULTICAST"],"mtu":1450,"operstate":"DOWN","link_type":"ether",'
        '"address":"46:d0:42:30:b9:20","linkinfo":{"info_kind":"vxlan","info_data":{"id":4096%s,"local":"127.0.0.1","link":"lo",'
        '"port":4789,"learning":true}}}]'
    )
    (link,) = ip.parse_links(printed % "fan-map ")
    assert (link.vxlan.vni, link.vxlan.local, link.vxlan.dev, link.vxlan.port) == (4096, "127.0.0.1", "lo", 4789)
    assert ip.parse_links(printed % "") == (link,)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("99:\tnot from all fwmark 0x200000/0x200000 lookup 1", Rule(99, "not from all fwmark 0x200000/0x200000", "lookup 1")),
        ("6:\tfrom 1.2.3.4 unreachable", Rule(6, "from 1.2.3.4", "unreachable")),
        ("7:\tfrom all to 10.1.0.0/16 ipproto tcp dport 80 lookup main suppress_prefixlength 0",
         Rule(7, "from all to 10.1.0.0/16 ipproto tcp dport 80", "lookup main suppress_prefixlength 0")),
        ("8:\tfrom 10.9.9.9 goto 100 [unresolved]", Rule(8, "from 10.9.9.9", "goto 100")),
    ],
)  # fmt: skip
def test_rules_are_read_with_their_selector_and_action(line, rule):
    assert ip.parse_rules(line) == (rule,)
    assert ip.parse_rules(json.dumps([ip.rule_json(rule)])) == (rule,)


def test_an_unresolved_neighbour_has_no_mac():
    assert ip.parse_neighbours("169.254.1.1 dev eth0 FAILED\n") == (Neighbour("eth0", "169.254.1.1", None, ("FAILED",)),)


@pytest.mark.parametrize(
    ("parse", "output"),
    [
        (ip.parse_routes, "RTNETLINK answers: Operation not permitted"),
        (ip.parse_routes, '[{"dst":"10.0.0.0/8"'),
        (ip.parse_routes, '[{"gateway":"10.0.0.1"}]'),
        (ip.parse_routes, "10.0.0.0/8 via"),
        (ip.parse_rules, "what is this"),
        (ip.parse_links, "    link/ether 00:00:00:00:00:00"),
        (ip.parse_neighbours, "10.0.0.1 lladdr 00:00:00:00:00:00"),
    ],
)
def test_what_the_command_did_not_print_is_refused(parse, output):
    with pytest.raises(ip.ParseError):
        parse(output)


def test_empty_output_is_an_empty_table():
    assert ip.parse_routes("") == ()
    assert ip.parse_routes("[]") == ()
    assert ip.parse_routes("[{}]") == ()
