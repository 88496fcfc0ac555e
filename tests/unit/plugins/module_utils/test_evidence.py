# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node and a pod answered: each piece of evidence is there, or says why it is not."""

from __future__ import annotations

import os
import subprocess

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _evidence, _script
from ansible_collections.podnet.calico.plugins.module_utils._script import Section

ROUTES = '[{"type":"blackhole","dst":"192.168.93.192/26","protocol":"80","scope":"global","flags":[]}]'
NODE = {
    "links": Section('[{"ifname":"eth0","ifindex":2,"flags":["UP","LOWER_UP"],"mtu":1500}]', "", 0),
    "addresses": Section("[]", "", 0),
    "routes": Section(ROUTES, "", 0),
    "rules": Section('[{"priority":32766,"src":"all","table":"main"}]', "", 0),
    "neighbours": Section("[]", "", 0),
    "fdb": Section("", 'Cannot find device "vxlan.calico"\n', 1),
    "sysctls": Section("/proc/sys/net/ipv4/ip_forward:1\n/proc/sys/net/ipv4/conf/vxlan.calico/rp_filter:0\n", "", 0),
    "ipset.cali40all-ipam-pools": Section("Name: x\nMembers:\n192.168.0.0/16\n10.0.0.0/8\n", "", 0),
    "ipset.cali40masq-ipam-pools": Section("", "ipset v7.17: The set with the given name does not exist\n", 1),
    "nat.nft": Section("", "", 1),
    "nat.legacy": Section("", "", 127),
    "bird.protocols": Section("", "Unable to connect to server control socket (/var/run/calico/bird.ctl): refused\n", 1),
}


def without(name, **section):
    """The node's answers, one of them changed."""
    return dict(NODE, **{name: NODE[name]._replace(**section)})


def gaps(facts):
    """What was not observed, with the reason."""
    return {gap.what: gap.reason for gap in facts.unobserved}


def test_a_node_that_answered_everything_has_no_gap():
    facts = _evidence.node_facts(NODE)
    assert not facts.unobserved
    assert (facts.routes[0].dst, facts.routes[0].type) == ("192.168.93.192/26", "blackhole")
    assert facts.sysctls == {"net.ipv4.ip_forward": "1", "net.ipv4.conf.vxlan.calico.rp_filter": "0"}


def test_a_node_without_a_vxlan_device_has_no_forwarding_entries_and_no_gap():
    assert _evidence.node_facts(NODE).fdb == ()


def test_a_bird_that_does_not_run_is_a_fact_and_a_missing_client_is_a_gap():
    assert _evidence.node_facts(NODE).bird.running is False
    facts = _evidence.node_facts(without("bird.protocols", stderr="sh: birdcl: not found\n", code=127))
    assert facts.bird is None
    assert gaps(facts) == {"bird": "sh: birdcl: not found"}


def test_the_set_of_all_pools_has_another_name_since_v3_32():
    none = Section("", "ipset v7.17: The set with the given name does not exist\n", 1)
    newer = {"ipset.cali40all-ipam-pools": none, "ipset.cali40network-ip-pools": NODE["ipset.cali40all-ipam-pools"]}
    facts = _evidence.node_facts({**NODE, **newer})
    assert facts.masquerade.all_pools == ("10.0.0.0/8", "192.168.0.0/16") and "masquerade" not in gaps(facts)
    older = _evidence.node_facts({**NODE, "ipset.cali40network-ip-pools": none})
    assert older.masquerade.all_pools == ("10.0.0.0/8", "192.168.0.0/16")


def test_a_set_that_does_not_exist_is_empty():
    masquerade = _evidence.node_facts(NODE).masquerade
    assert masquerade.all_pools == ("10.0.0.0/8", "192.168.0.0/16")
    assert masquerade.masquerade_pools == ()


@pytest.mark.parametrize(
    ("nft", "legacy", "present"), [(0, 1, True), (1, 0, True), (1, 1, False), (1, 127, False), (127, 127, None), (4, 1, None), (1, 3, False), (3, 3, None)]
)
def test_the_masquerade_rule_is_looked_for_in_both_backends(nft, legacy, present):
    sections = dict(NODE, **{"nat.nft": Section("", "", nft), "nat.legacy": Section("", "", legacy)})
    facts = _evidence.node_facts(sections)
    assert facts.masquerade.rule_present is present
    assert ("masquerade" in gaps(facts)) is (present is None)


def test_a_birdcl_that_fails_in_its_own_way_is_a_gap_and_no_bird_that_does_not_run():
    assert gaps(_evidence.node_facts(without("bird.protocols", stderr="Killed\n", code=1)))["bird"] == "Killed"


def test_damaged_output_is_a_gap_of_that_piece_alone():
    facts = _evidence.node_facts(without("routes", stdout=ROUTES[:20]))
    assert facts.routes == ()
    assert set(gaps(facts)) == {"routes"}
    assert "cannot be read" in gaps(facts)["routes"]


def test_a_command_that_was_cut_off_has_the_reason_of_the_exec():
    facts = _evidence.node_facts(without("rules", code=None), "exec in x/y printed more than 10 bytes")
    assert gaps(facts) == {"rules": "exec in x/y printed more than 10 bytes"}


def test_an_exec_that_gave_nothing_leaves_every_piece_unobserved():
    facts = _evidence.node_facts({}, "was refused: no")
    assert set(gaps(facts)) >= {"links", "routes", "rules", "neighbours", "fdb", "sysctls", "bird", "masquerade"}
    assert set(gaps(facts).values()) == {"was refused: no"}


def test_a_pod_whose_ip_knows_no_json_is_read_as_text():
    text = "default via 169.254.1.1 dev eth0 \n169.254.1.1 dev eth0 scope link \n"
    sections = {
        "routes": Section("", "ip: unrecognized option: j\n", 1),
        "routes.plain": Section(text, "", 0),
        "links": Section("[]", "", 0),
        "addresses": Section("[]", "", 0),
        "neighbours": Section("[]", "", 0),
    }
    facts = _evidence.pod_facts(sections)
    assert [route.dst for route in facts.routes] == ["0.0.0.0/0", "169.254.1.1/32"]
    assert not facts.unobserved


def test_a_pod_without_ip_says_so():
    section = Section("", "sh: ip: not found\n", 127)
    names = ("links", "addresses", "routes", "neighbours")
    sections = {name + suffix: section for name in names for suffix in ("", ".plain")}
    assert gaps(_evidence.pod_facts(sections)) == dict.fromkeys(names, "sh: ip: not found")


def test_an_iptables_that_may_not_look_denies_no_rule(tmp_path):
    for backend in ("nft", "legacy"):
        save = tmp_path / f"iptables-{backend}-save"
        save.write_text("#!/bin/sh\necho 'you must be root' >&2\nexit 4\n")
        save.chmod(0o755)
    script = _script.build(_evidence.node_script())
    environment = dict(os.environ, PATH="%s:%s" % (tmp_path, os.environ["PATH"]))
    result = subprocess.run(script.argv, capture_output=True, check=False, env=environment)
    facts = _evidence.node_facts(_script.read(script, result.stdout, result.stderr))
    assert facts.masquerade.rule_present is None and "masquerade" in gaps(facts)


def test_the_nodes_script_runs_in_this_machines_sh_with_tools_that_print_what_calico_node_prints(tmp_path):
    tool = tmp_path / "ip"
    tool.write_text("#!/bin/sh\ncase \"$*\" in *route*) echo '%s';; *) echo '[]';; esac\n" % ROUTES)
    save = tmp_path / "iptables-nft-save"
    save.write_text("#!/bin/sh\necho '-A cali-nat-outgoing -m set --match-set cali40masq-ipam-pools src -j MASQUERADE'\n")
    for path in (tool, save):
        path.chmod(0o755)
    script = _script.build(_evidence.node_script())
    environment = dict(os.environ, PATH="%s:%s" % (tmp_path, os.environ["PATH"]))
    result = subprocess.run(script.argv, capture_output=True, check=False, env=environment)
    facts = _evidence.node_facts(_script.read(script, result.stdout, result.stderr))
    assert facts.routes[0].type == "blackhole"
    assert facts.masquerade.rule_present is True
    assert facts.sysctls["net.ipv4.ip_forward"] in ("0", "1")
