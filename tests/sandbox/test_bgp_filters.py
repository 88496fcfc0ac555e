# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGPFilters and passwords on their way into bird.cfg: the statements of confd's template functions (v3.30.7, v3.32.1)."""

from __future__ import annotations

import base64

import pytest
from podnet_sandbox.dataplane.bgp_filters import FilterError, filters_of, function_name
from podnet_sandbox.dataplane.bgp_passwords import PasswordError, password_of
from podnet_sandbox.dataplane.bird.configuration import render
from podnet_sandbox.dataplane.desired import Bgp, BgpFilter, BgpPeer


def statements(rule, *, later=False):
    spec = {"importV4": [rule]}
    (found,) = filters_of([{"metadata": {"name": "f"}, "spec": spec}], later=later)
    return found.imports[0]


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ({"action": "Reject"}, "reject;"),
        ({"action": "Accept", "cidr": "10.0.0.0/8", "matchOperator": "In"}, "if ( net ~ 10.0.0.0/8 ) then { accept; }"),
        ({"action": "Reject", "cidr": "10.0.0.0/8", "matchOperator": "NotIn"}, "if ( net !~ 10.0.0.0/8 ) then { reject; }"),
        ({"action": "Reject", "cidr": "10.1.0.0/16", "matchOperator": "Equal"}, "if ( net = 10.1.0.0/16 ) then { reject; }"),
        (
            {"action": "Accept", "cidr": "10.0.0.0/8", "matchOperator": "In", "prefixLength": {"min": 4, "max": 24}},
            "if ( net ~ [ 10.0.0.0/8{8,24} ] ) then { accept; }",
        ),
        (
            {"action": "Accept", "cidr": "10.0.0.0/8", "matchOperator": "In", "prefixLength": {"min": 16}},
            "if ( net ~ [ 10.0.0.0/8{16,32} ] ) then { accept; }",
        ),
        (
            {"action": "Reject", "source": "RemotePeers", "interface": "eth*"},
            'if ( source = RTS_BGP && ( defined(ifname) && ifname ~ "eth*" ) ) then { reject; }',
        ),
    ],
)
def test_a_rule_is_one_statement(rule, statement):
    assert statements(rule) == statements(rule, later=True) == statement


@pytest.mark.parametrize(
    ("field", "statement"),
    [
        ({"communities": {"values": ["65000:7"]}}, "if ( (65000, 7) ~ bgp_community ) then { accept; }"),
        ({"communities": {"values": ["65000:7:9"]}}, "if ( (65000, 7, 9) ~ bgp_large_community ) then { accept; }"),
        ({"asPathPrefix": [64512, 65001]}, "if ( bgp_path ~ [= 64512 65001 * =] ) then { accept; }"),
        ({"priority": 512}, "if ( ( defined(bgp_local_pref) && bgp_local_pref = 2147483135 ) ) then { accept; }"),
        ({"peerType": "eBGP"}, "if ( ! same_as ) then { accept; }"),
        ({"operations": [{"addCommunity": {"value": "65000:7"}}]}, "bgp_community.add((65000, 7)); accept;"),
        ({"operations": [{"prependASPath": {"prefix": [1, 2]}}]}, "bgp_path.prepend(2); bgp_path.prepend(1); accept;"),
        ({"operations": [{"setPriority": {"value": 512}}]}, "bgp_local_pref = 2147483135; accept;"),
    ],
)
def test_what_v3_32_added_counts_from_there_on(field, statement):
    assert statements({"action": "Accept", **field}, later=True) == statement
    assert statements({"action": "Accept", **field}) == "accept;"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"action": "Drop"}, "'Drop' is none of Accept, Reject"),
        ({"action": "Accept", "cidr": "10.0.0.0/8"}, "None is none of Equal, NotEqual, In, NotIn"),
        ({"action": "Accept", "cidr": "ten", "matchOperator": "In"}, "'ten'"),
        ({"action": "Accept", "interface": 'eth0") then accept; #'}, "is no pattern of an interface"),
        ({"action": "Accept", "source": "Kernel"}, "'Kernel' is none of RemotePeers"),
        ({}, "'action'"),
    ],
)
def test_a_rule_that_bird_cannot_be_told_is_named(rule, message):
    with pytest.raises(FilterError, match=r"BGPFilter f, spec\.importV4\[0\]") as raised:
        statements(rule)
    assert message in str(raised.value)


def test_a_long_name_is_cut_and_told_apart():
    one, two = (function_name("x" * 100 + end, "import") for end in "ab")
    assert one != two and len(one) == len(two) == 64 + len("''")
    assert function_name("plain", "export") == "'bgp_plain_exportFilterV4'"


RULE = "if ( net ~ 10.0.0.0/8 ) then { reject; }"


@pytest.mark.parametrize("major", [1, 2])
def test_a_peers_filters_are_called_in_its_order_before_what_is_ours_and_one_that_is_not_there_is_passed_over(major):
    filters = (BgpFilter("a", imports=(RULE,)), BgpFilter("b", exports=(RULE,)), BgpFilter("c", imports=(RULE,), exports=(RULE,)))
    peer = BgpPeer("Global_172_18_0_9", "172.18.0.9", 65000, filters=("c", "gone", "a", "b"), password="secret one")
    text = render(Bgp("172.18.0.3", 64512, (), (), (peer,), filters=filters), major=major)
    stanza = text.partition("protocol bgp Global_172_18_0_9")[2]
    assert "import filter { 'bgp_c_importFilterV4'(false); 'bgp_a_importFilterV4'(false); accept; };" in stanza
    assert "export filter { 'bgp_c_exportFilterV4'(false); 'bgp_b_exportFilterV4'(false); calico_export_to_bgp_peers(false); reject; };" in stanza
    assert 'password "secret one";' in stanza
    assert f"function 'bgp_a_importFilterV4' (bool same_as) {{\n  {RULE}\n}}" in text and "'bgp_a_exportFilterV4'" not in text


def secret(**data):
    return {"metadata": {"name": "bgp"}, "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}}


def reference(key="password", name="bgp"):
    return {"secretKeyRef": {"name": name, "key": key}}


def test_a_password_is_where_the_reference_says():
    assert password_of(reference(), [secret(password="rosebud")]) == "rosebud"
    assert password_of(None, []) == password_of({}, []) == ""


@pytest.mark.parametrize(
    ("asked", "secrets", "message"),
    [
        (reference(name="other"), [secret(password="x")], 'secret "other" of namespace calico-system is not there'),
        (reference("pass"), [secret(password="x")], 'secret "bgp" of namespace calico-system has no key "pass"'),
        (reference(), [secret(password='x"; debug all; #')], "is no password for BIRD"),
        (reference(), [secret(password="x\n")], "is no password for BIRD"),
        (reference(), [secret(password="x" * 81)], "is no password for BIRD"),
    ],
)
def test_a_password_that_cannot_be_used_is_named_without_being_told(asked, secrets, message):
    with pytest.raises(PasswordError) as raised:
        password_of(asked, secrets)
    assert message in str(raised.value) and "debug all" not in str(raised.value)


def test_a_password_is_in_no_representation():
    assert "rosebud" not in repr(Bgp("172.18.0.3", 64512, (), (), (BgpPeer("p", "172.18.0.9", 65000, password="rosebud"),)))
