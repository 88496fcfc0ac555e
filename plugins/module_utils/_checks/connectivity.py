# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectivity: what real packets did, held against what topology says they must do.

A capture that saw nothing proves nothing: each claim about what a capture does not contain first asks whether it saw
the probe at all.
"""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Set, Tuple

from .._expected import DIRECT, IPIP, PLAIN, VXLAN
from .._model import CapturedEcho, Evidence, Probe, Subject
from .case import Case
from .record import Check, Recorder

_LEFT_WITH = 64


def _subject(probe: Probe) -> Subject:
    return Subject("Probe", name="%s → %s" % (probe.source, probe.destination), ip=probe.destination_address)


def _name(probe: Probe) -> str:
    where = "same node" if probe.source_node == probe.destination_node else "across nodes"
    return "%s → %s (%s)" % (probe.source, probe.destination, where)


def _ping(probe: Probe) -> Evidence:
    size = " -M do -s %d" % probe.payload_bytes if probe.dont_fragment else ""
    command = "ping -c %d%s %s" % (probe.sent, size, probe.destination_address)
    return Evidence("pod " + probe.source, command, probe.ping_output[:2000])


def _capture(probe: Probe) -> Evidence:
    return Evidence("pod " + probe.destination, "tcpdump -n -v -i eth0 icmp", probe.capture_output[:2000])


def _gap(record: Recorder, probe: Probe, *whats: str) -> bool:
    """Whether some of the evidence is missing; then it is recorded."""
    for entry in probe.unobserved:
        if entry.what in whats:
            record.inconclusive(probe.source_node, _subject(probe), "%s: %s" % (entry.what, entry.reason), entry.command, entry.what)
            return True
    return False


def _loss(case: Case, record: Recorder) -> None:
    for probe in case.snapshot.probes:
        if _gap(record, probe, "ping"):
            continue
        if probe.sent < 1:
            record.inconclusive(probe.source_node, _subject(probe), "no echo request was sent", what="the probe")
            continue
        answered = len({reply.seq for reply in probe.replies})
        if answered == probe.sent:
            record.passed(probe.source_node)
            continue
        record.failed(
            probe.source_node, _subject(probe), "%d of %d answered" % (probe.sent, probe.sent), "%d answered" % answered,
            "%s: %d of %d echo requests were answered" % (_name(probe), answered, probe.sent), _ping(probe),
        )  # fmt: skip


def expected_ttl(case: Case, probe: Probe) -> int:
    """What the answer must arrive with: one less for each node that forwards it."""
    return _LEFT_WITH - (1 if probe.source_node == probe.destination_node else 2)


def _ttl(case: Case, record: Recorder) -> None:
    for probe in case.snapshot.probes:
        if _gap(record, probe, "ping"):
            continue
        wanted = expected_ttl(case, probe)
        seen = {reply.ttl for reply in probe.replies}
        if not seen:
            record.skipped(probe.source_node, "no answer came, so there is no TTL (connectivity.loss)")
        elif seen == {wanted}:
            record.passed(probe.source_node)
        elif min(seen) < wanted and _routed_between(case, probe):
            # Unencapsulated between subnets: each router on the way takes one, and their number is not ours to know.
            record.passed(probe.source_node)
        else:
            actual = ", ".join(str(ttl) for ttl in sorted(seen))
            detour = "; it came by a detour" if min(seen) < wanted else ""
            record.failed(
                probe.source_node, _subject(probe), "TTL %d" % wanted, "TTL %s" % actual,
                "%s: answers arrive with TTL %s, not %d%s" % (_name(probe), actual, wanted, detour), _ping(probe),
            )  # fmt: skip


def _way(case: Case, probe: Probe) -> Optional[str]:
    """How the pool of the destination is carried between the two nodes; None on one node or outside every pool."""
    source, destination = case.nodes.get(probe.source_node), case.nodes.get(probe.destination_node)
    pool = case.expectation.pool_of(probe.destination_address)
    if source is None or destination is None or pool is None or source.name == destination.name:
        return None
    return case.expectation.way(pool, source, destination)


def _routed_between(case: Case, probe: Probe) -> bool:
    source, destination = case.nodes.get(probe.source_node), case.nodes.get(probe.destination_node)
    if _way(case, probe) != PLAIN or source is None or destination is None:
        return False
    return not case.expectation.same_subnet(source, destination)


def _source(case: Case, record: Recorder) -> None:
    for probe in case.snapshot.probes:
        if _gap(record, probe, "capture"):
            continue
        if not _sane(record, probe):
            continue
        wrong = sorted({
            packet.source for packet in probe.captured
            if packet.kind == "request" and packet.destination == probe.destination_address and packet.source != probe.source_address
        })  # fmt: skip
        own = [packet for packet in probe.captured if packet.kind == "request" and packet.source == probe.source_address]
        if own and not wrong:
            record.passed(probe.source_node)
            continue
        actual = ", ".join(wrong) or "no request from it"
        record.failed(
            probe.source_node, _subject(probe), "source %s" % probe.source_address, "source %s" % actual,
            "%s: requests arrive from %s, not from %s: the source was rewritten" % (_name(probe), actual, probe.source_address),
            _capture(probe),
        )  # fmt: skip


def _sane(record: Recorder, probe: Probe) -> bool:
    """Whether the capture saw anything; one that did not is no witness."""
    if probe.sniffer_saw or probe.captured:
        return True
    record.inconclusive(
        probe.source_node, _subject(probe), "the capture in %s saw no packet at all" % probe.destination,
        "tcpdump -n -v -i eth0 icmp", "the capture",
    )  # fmt: skip
    return False


def _matched(case: Case, record: Recorder) -> None:
    for probe in case.snapshot.probes:
        if _gap(record, probe, "capture") or not _sane(record, probe):
            continue
        requests, replies = _keys(probe, "request"), _keys(probe, "reply")
        unanswered = requests - replies
        answered = {reply.seq for reply in probe.replies}
        unseen = answered - {seq for _id, seq in requests}
        if requests and not unanswered and not unseen:
            record.passed(probe.source_node)
            continue
        problems = []
        if unanswered:
            problems.append("no reply to seq %s" % ", ".join(str(seq) for _id, seq in sorted(unanswered)))
        if unseen:
            problems.append("no request seen for seq %s" % ", ".join(str(seq) for seq in sorted(unseen)))
        actual = "; ".join(problems) or "no request seen"
        record.failed(
            probe.source_node, _subject(probe), "request and reply of each seq, matched by id", actual,
            "%s: the capture at the destination has %s" % (_name(probe), actual), _capture(probe),
        )  # fmt: skip


def _keys(probe: Probe, kind: str) -> Set[Tuple[int, int]]:
    ends = (probe.source_address, probe.destination_address)
    if kind == "reply":
        ends = (ends[1], ends[0])
    packets: List[CapturedEcho] = [
        packet for packet in probe.captured if packet.kind == kind and (packet.source, packet.destination) == ends
    ]
    return {(packet.id, packet.seq) for packet in packets}


_TUNNELLED: Dict[str, bool] = {VXLAN: True, IPIP: True, DIRECT: False, PLAIN: False}


def _encapsulation(case: Case, record: Recorder) -> None:
    for probe in case.snapshot.probes:
        way = _way(case, probe)
        wanted = False if probe.source_node == probe.destination_node else _TUNNELLED.get(way or "")
        if _gap(record, probe, "tunnel"):
            continue
        if wanted is None:
            record.skipped(probe.source_node, "the destination lies in no pool of this cluster")
        elif probe.tunnel_packets is None:
            if probe.source_node == probe.destination_node:
                record.skipped(probe.source_node, "both pods are on one node: no tunnel device lies between them")
            elif not wanted and "vxlan" not in case.encapsulations:
                record.skipped(probe.source_node, "there is no tunnel device whose counters could move")
            else:
                record.inconclusive(probe.source_node, _subject(probe), "the tunnel device's counters were not read",
                                    "ip -s link show vxlan.calico", "the counters")  # fmt: skip
        elif not probe.replies:
            record.skipped(probe.source_node, "no packet went through (connectivity.loss)")
        else:
            _judge_counters(record, probe, wanted, way)


def _judge_counters(record: Recorder, probe: Probe, wanted: bool, way: Optional[str]) -> None:
    moved = probe.tunnel_packets or 0
    if (moved >= probe.sent) if wanted else (moved < probe.sent):
        record.passed(probe.source_node)
        return
    expected = "at least %d packets by the tunnel device" % probe.sent if wanted else "none of the %d by the tunnel device" % probe.sent
    message = "%s: %s, but the tunnel device counted %d packets for %d requests" % (
        _name(probe), "must be tunnelled (%s)" % way if wanted else "must go directly (%s)" % (way or "same node"), moved, probe.sent,
    )  # fmt: skip
    record.failed(
        probe.source_node, _subject(probe), expected, "%d packets" % moved, message,
        Evidence("node " + probe.source_node, "ip -s link", "%d packets during the probe" % moved),
    )  # fmt: skip


def _where_probed(run: Callable[[Case, Recorder], None]) -> Callable[[Case, Recorder], None]:
    """Run only where probes were made; their absence is a choice, not a gap, unless they were asked for."""

    def guarded(case: Case, record: Recorder) -> None:
        complete = record.lists("probes")
        if case.snapshot.probes:
            run(case, record)
        elif complete:
            record.skipped(None, "no probe was made (connectivity_assert makes them)")

    return guarded


_FOLLOW = "podnet.calico.pod_path_info shows the path hop by hop; the route checks name the route that is wrong."
CHECKS = (
    Check("connectivity.loss", "Every echo request is answered", "A lost packet is what all of this is about.",
          _FOLLOW, _where_probed(_loss), "critical"),
    Check("connectivity.ttl", "Answers arrive with the TTL that the topology gives",
          "63 on one node, 62 across nodes, in every mode: less is a detour through a third node or a router.",
          _FOLLOW, _where_probed(_ttl)),
    Check("connectivity.source", "The source address arrives untouched",
          "Pods see each other's own addresses: policies and logs rest on it.",
          "Look for a MASQUERADE rule before Calico's, and at the members of the set of all pools (nat.masquerade).",
          _where_probed(_source)),
    Check("connectivity.matched", "Each request is seen at the destination with its reply, by id and seq",
          "It proves that the answers are answers to these requests, from that pod.", _FOLLOW, _where_probed(_matched)),
    Check("connectivity.encapsulation", "Packets are tunnelled exactly where the pool says so",
          "A capture inside a pod can never show encapsulation; the tunnel device's counters do.",
          _FOLLOW, _where_probed(_encapsulation)),
)  # fmt: skip
