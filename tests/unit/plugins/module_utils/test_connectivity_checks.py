# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real packets must have done, judged from what ping, capture and counters said."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import CapturedEcho, EchoReply, Probe, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording

SOURCE, NEAR, FAR = "192.168.93.193", "192.168.93.194", "192.168.112.197"
VXLAN = "calico-v3.30.7/vxlan"


def packets(source, target, count=3, seen_source=None):
    for seq in range(1, count + 1):
        yield CapturedEcho("request", seen_source or source, target, 7, seq, 62)
        yield CapturedEcho("reply", target, seen_source or source, 7, seq, 64)


def probe(target=FAR, ttl=62, node="pod-routing-worker2", **fields):
    base = Probe(
        "default/multitool", "default/target", SOURCE, target, "pod-routing-worker", node, 3,
        tuple(EchoReply(seq, ttl, 0.1) for seq in (1, 2, 3)), tuple(packets(SOURCE, target)), 6, 0,
    )  # fmt: skip
    return base._replace(**fields)


def near(ttl=63, **fields):
    return probe(NEAR, ttl, "pod-routing-worker", **fields)


def verdict(*probes, scenario=None):
    snapshot = recording(scenario) if scenario else recording()
    return judge(snapshot._replace(probes=probes), checks=["connectivity.*"])


def failures(*probes, scenario=None):
    return {finding.id: finding.message for finding in verdict(*probes, scenario=scenario).findings if finding.outcome == "failed"}


def test_what_the_lab_teaches_passes():
    result = verdict(probe(), near())
    assert result.findings == ()
    assert {(r.id, r.passed) for r in result.results} == {
        ("connectivity." + name, 2) for name in ("loss", "ttl", "source", "matched", "encapsulation")
    }


def test_a_lost_answer_is_counted_by_sequence_not_by_line():
    duplicate = (EchoReply(1, 62), EchoReply(1, 62), EchoReply(2, 62))
    assert "2 of 3 echo requests were answered" in failures(probe(replies=duplicate))["connectivity.loss"]


def test_no_answer_says_nothing_of_ttl():
    found = verdict(probe(replies=(), captured=(), sniffer_saw=0))
    assert {f.id for f in found.findings if f.outcome == "failed"} == {"connectivity.loss"}


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (probe(ttl=61), "TTL 61, not 62; it came by a detour"),
        (near(ttl=62), "TTL 62, not 63"),
        (probe(ttl=63), "TTL 63, not 62"),
    ],
)
def test_the_ttl_follows_from_the_topology(one, says):
    assert says in failures(one)["connectivity.ttl"]


def test_a_rewritten_source_is_named():
    nat = probe(captured=tuple(packets(SOURCE, FAR, seen_source="172.18.0.3")))
    assert "arrive from 172.18.0.3, not from 192.168.93.193" in failures(nat)["connectivity.source"]


def test_a_capture_that_saw_nothing_is_no_witness():
    blind = verdict(probe(captured=(), sniffer_saw=0))
    undecided = {finding.id for finding in blind.findings if finding.outcome == "inconclusive"}
    assert undecided == {"connectivity.source", "connectivity.matched"}


def test_another_ping_of_the_same_pods_does_not_stand_in_for_a_reply():
    others = tuple(p._replace(id=99) if p.kind == "reply" else p for p in packets(SOURCE, FAR))
    assert "no reply to seq 1, 2, 3" in failures(probe(captured=others))["connectivity.matched"]


def test_an_answer_whose_request_was_not_seen_is_not_proved():
    assert "no request seen for seq 3" in failures(probe(captured=tuple(packets(SOURCE, FAR, 2))))["connectivity.matched"]


def test_encapsulation_is_proved_by_counters_in_both_directions():
    assert "must go directly" in failures(probe(tunnel_packets=6))["connectivity.encapsulation"]
    assert "must be tunnelled" in failures(probe("192.168.112.204", tunnel_packets=1), scenario=VXLAN)["connectivity.encapsulation"]
    assert failures(probe("192.168.112.204", tunnel_packets=3), scenario=VXLAN) == {}
    assert "must go directly (same node)" in failures(near(tunnel_packets=3))["connectivity.encapsulation"]


@pytest.mark.parametrize(
    ("what", "checks"),
    [
        ("ping", {"connectivity.loss", "connectivity.ttl"}),
        ("capture", {"connectivity.source", "connectivity.matched"}),
        ("tunnel", {"connectivity.encapsulation"}),
    ],
)
def test_evidence_that_is_missing_is_never_a_pass(what, checks):
    gap = Unobserved(what, "the command", "no such program")
    found = verdict(probe(unobserved=(gap,), tunnel_packets=None if what == "tunnel" else 0))
    assert {finding.id for finding in found.findings if finding.outcome == "inconclusive"} == checks


def test_routers_between_subnets_may_take_their_share():
    snapshot = recording("calico-v3.30.7/none")
    nodes = tuple(n._replace(calico_address=n.calico_address.replace("/16", "/32")) for n in snapshot.nodes)
    result = judge(snapshot._replace(nodes=nodes, probes=(probe(ttl=60),)), checks=["connectivity.ttl"])
    assert result.findings == ()
