# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pings and captures: the packets that were sent, and no others, become facts."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _probe
from ansible_collections.podnet.calico.plugins.module_utils._collect import collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster

# Recorded on Calico v3.30.7 (probes/ping-cross-node.txt and tcpdump-cross-node.txt), two of four packets.
PING = b"""PING 192.168.1.1 (192.168.1.1) 56(84) bytes of data.
64 bytes from 192.168.1.1: icmp_seq=1 ttl=62 time=0.130 ms
64 bytes from 192.168.1.1: icmp_seq=2 ttl=62 time=0.145 ms

--- 192.168.1.1 ping statistics ---
2 packets transmitted, 2 received, 0% packet loss, time 1069ms
"""
CAPTURE = b"""14:53:50.205381 IP (tos 0x0, ttl 62, id 34110, offset 0, flags [DF], proto ICMP (1), length 84)
    192.168.0.1 > 192.168.1.1: ICMP echo request, id 121, seq 1, length 64
14:53:50.205404 IP (tos 0x0, ttl 64, id 50615, offset 0, flags [none], proto ICMP (1), length 84)
    192.168.1.1 > 192.168.0.1: ICMP echo reply, id 121, seq 1, length 64
14:53:50.205500 IP (tos 0x0, ttl 63, id 1, offset 0, flags [none], proto ICMP (1), length 1028)
    192.168.1.7 > 192.168.1.1: ICMP echo request, id 9, seq 1, length 1008
"""
LISTENING = b"tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n3 packets captured\n"


@pytest.fixture(name="cluster")
def cluster_fixture():
    """Two pods on node one, one on node two."""
    return FakeCluster()


@pytest.fixture(name="blank")
def blank_fixture(cluster):
    """A probe that knows nothing yet."""
    pods = {pod.name: pod for pod in collect(cluster, ("api",)).pods}
    return _probe._blank(_probe.Pair(pods["a"], pods["b"]), _probe.Ping(payload=56))


def test_answers_of_the_destination_are_counted(blank):
    probe = _probe.read_ping(blank, ExecResult(PING, b"", 0))
    assert probe.sent == 2
    assert [(reply.seq, reply.ttl, reply.rtt_ms) for reply in probe.replies] == [(1, 62, 0.13), (2, 62, 0.145)]


def test_busybox_prints_the_sequence_otherwise(blank):
    text = b"64 bytes from 192.168.1.1: seq=0 ttl=62 time=0.1 ms\n1 packets transmitted, 1 packets received, 0% packet loss\n"
    assert _probe.read_ping(blank, ExecResult(text, b"", 0)).replies[0][:2] == (0, 62)


def test_somebody_elses_answer_is_none(blank):
    text = PING.replace(b"bytes from 192.168.1.1", b"bytes from 10.0.0.9")
    assert _probe.read_ping(blank, ExecResult(text, b"", 1)).replies == ()


def test_a_pod_without_ping_is_a_gap_and_not_a_loss(blank):
    probe = _probe.read_ping(blank, ExecResult(problem='could not be run: exec: "ping": executable file not found'))
    assert [(gap.what, gap.reason) for gap in probe.unobserved] == [
        ("ping", 'could not be run: exec: "ping": executable file not found')
    ]


def test_captured_echoes_of_the_probes_size_are_kept_with_their_ttl(blank):
    probe = _probe.read_capture(blank, ExecResult(CAPTURE, LISTENING, 0))
    assert [(echo.kind, echo.source, echo.id, echo.seq, echo.ttl) for echo in probe.captured] == [
        ("request", "192.168.0.1", 121, 1, 62),
        ("reply", "192.168.1.1", 121, 1, 64),
    ]
    assert probe.sniffer_saw == 3


def test_a_rewritten_source_is_kept_as_it_was_seen(blank):
    probe = _probe.read_capture(blank, ExecResult(CAPTURE.replace(b"192.168.0.1 >", b"172.18.0.2 >"), LISTENING, 0))
    assert probe.captured[0].source == "172.18.0.2"


def test_a_capture_that_never_listened_is_a_gap(blank):
    result = ExecResult(b"", b"tcpdump: eth0: You don't have permission to capture on that device\n", 1)
    probe = _probe.read_capture(blank, result)
    assert probe.sniffer_saw is None
    assert probe.unobserved[0].reason.startswith("tcpdump: eth0: You don't have permission")


def test_one_pair_is_on_one_node_and_one_across(cluster):
    pairs, missing = _probe.choose_pairs(collect(cluster, ("api",)))
    assert not missing
    assert [(pair.source.name, pair.destination.name) for pair in pairs] == [("a", "c"), ("a", "b")]


def test_a_pair_that_cannot_be_had_is_evidence_that_is_missing(cluster):
    del cluster.lists["/api/v1/pods"][2]
    pairs, missing = _probe.choose_pairs(collect(cluster, ("api",)))
    assert [pair.destination.name for pair in pairs] == ["b"]
    assert [(gap.what, gap.reason) for gap in missing] == [
        ("probes", "there are no two ready pods on one node among the 2 that were selected")
    ]


def test_a_pod_is_found_by_name_by_full_name_and_by_address(cluster):
    snapshot = collect(cluster, ("api",))
    assert {_probe.find_pod(snapshot, name).name for name in ("b", "default/b", "192.168.1.1")} == {"b"}
    with pytest.raises(PodnetError, match="There is no pod x"):
        _probe.find_pod(snapshot, "x")


def test_the_capture_listens_before_the_first_packet_leaves_and_the_tunnel_is_counted_around_it(cluster):
    listening, order, counts = threading.Event(), [], iter([100, 104])

    def answer(pod, argv, on_stderr):
        if "tcpdump" in argv:
            on_stderr(b"tcpdump: listening on eth0\n")
            order.append("listening")
            listening.set()
            return ExecResult(CAPTURE, LISTENING, 0)
        if argv[0] == "ip":
            tx = next(counts)
            text = '[{"ifname":"vxlan.calico","flags":["UP"],"mtu":1450,"stats64":{"rx":{"packets":0},"tx":{"packets":%d}}}]' % tx
            return ExecResult(text.encode(), b"", 0)
        assert listening.wait(5)
        order.append("ping")
        return ExecResult(PING, b"", 0)

    cluster.on_exec = answer
    snapshot = collect(cluster, ("api",))
    pair = _probe.choose_pairs(snapshot)[0][1]
    probe = _probe.run(cluster, snapshot, [pair], _probe.Ping(count=2, payload=56))[0]
    assert order == ["listening", "ping"]
    assert (probe.sent, len(probe.replies), len(probe.captured), probe.tunnel_packets) == (2, 2, 2, 4)
    assert not probe.unobserved


def test_packets_are_sent_once_even_if_the_connection_breaks(cluster):
    snapshot = collect(cluster, ("api",))
    cluster.on_exec = lambda pod, argv, on_stderr: ExecResult(problem="broke", transient=True)
    _probe.run(cluster, snapshot, _probe.choose_pairs(snapshot)[0][:1], _probe.Ping())
    assert {attempts for _namespace, pod, _container, attempts in cluster.execs} == {1}


def test_probes_side_by_side_differ_in_size(cluster):
    sizes = []
    cluster.on_exec = _recording(sizes)
    snapshot = collect(cluster, ("api",))
    _probe.run(cluster, snapshot, _probe.choose_pairs(snapshot)[0], _probe.Ping())
    assert sorted(sizes) == ["60", "61"]


def _recording(sizes):
    def answer(pod, argv, on_stderr):
        if argv[0] == "ping":
            sizes.append(argv[argv.index("-s") + 1])
        return ExecResult(code=1)

    return answer
