# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real packets (private): ping from one pod to another, captured where they arrive, tunnel counters read around them.

The capture runs before the first packet leaves: the ping waits for tcpdump's own "listening on". It filters by the
destination only and never by the source: a source that was rewritten on the way must still be seen. A probe's own packets
are told from other pings by their size. Facts only: what they mean is judged by the connectivity checks.
"""

from __future__ import annotations

import re
import threading
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.podnet.calico.plugins.module_utils import _iproute
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Cluster
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    OF_ANOTHER_SHARD,
    CapturedEcho,
    EchoReply,
    Node,
    Pod,
    Probe,
    Snapshot,
    Unobserved,
)
from ansible_collections.podnet.calico.plugins.module_utils._objects import CALICO_NODE_CONTAINER
from ansible_collections.podnet.calico.plugins.module_utils._selection import NOT_ASKED_FOR

TUNNEL_DEVICES = ("vxlan.calico", "tunl0")
_COUNTERS = "ip -j -s link"
_ICMP_HEADER = 8
_LISTEN_SECONDS = 5.0
_ANSWER_SECONDS = 2
_KEPT_TEXT = 8000

_REPLY = re.compile(r"^\d+ bytes from ([0-9.]+): (?:icmp_)?seq=(\d+) ttl=(\d+)(?: time=([0-9.]+) ms)?")
_SENT = re.compile(r"^(\d+) packets transmitted, ", re.MULTILINE)
_TTL = re.compile(r"\bttl (\d+),")
_ECHO = re.compile(r"([0-9.]+) > ([0-9.]+): ICMP echo (request|reply), id (\d+), seq (\d+), length (\d+)")
_CAPTURED = re.compile(r"^(\d+) packets? captured", re.MULTILINE)


class Ping(NamedTuple):
    """How to ping. ``interval`` in seconds; ``payload`` in bytes without ICMP and IP header."""

    count: int = 4
    interval: float = 0.2
    payload: int = 60
    dont_fragment: bool = False

    @property
    def seconds(self) -> float:
        """How long a ping takes at most when answers are lost."""
        return self.count * self.interval + _ANSWER_SECONDS


class Pair(NamedTuple):
    """Who pings whom."""

    source: Pod
    destination: Pod


def ping_command(ping: Ping, address: str) -> List[str]:
    """The ping, in words that iputils and BusyBox both know (but for don't-fragment, which BusyBox lacks)."""
    words = ["ping", "-n", "-c", str(ping.count), "-i", "%g" % ping.interval, "-W", str(_ANSWER_SECONDS)]
    words += ["-s", str(ping.payload)]
    return words + (["-M", "do"] if ping.dont_fragment else []) + [address]


def capture_command(ping: Ping, address: str) -> List[str]:
    """The capture in the destination pod; it ends by itself, because a closed exec does not stop a process."""
    seconds = str(int(ping.seconds + _LISTEN_SECONDS) + 1)
    words = ["timeout", seconds, "tcpdump", "-i", "eth0", "-n", "-l", "-v", "-c", str(2 * ping.count)]
    return words + ["icmp and host %s" % address]


def choose_pairs(snapshot: Snapshot) -> Tuple[List[Pair], List[Unobserved]]:
    """One pair on one node and one across nodes, among the pods that were selected; the same ones from run to run.

    A pair that cannot be had (pods that are not ready yet, a cluster of one node) is evidence that is missing.
    """
    pods = sorted(
        (pod for pod in snapshot.pods if pod.skipped in (None, NOT_ASKED_FOR, OF_ANOTHER_SHARD) and _answers(pod)),
        key=lambda pod: (pod.node or "", pod.namespace, pod.name),
    )
    pairs, missing = [], []
    for same, where in ((True, "on one node"), (False, "on two nodes")):
        found = _first_pair(pods, same)
        if found is not None:
            pairs.append(found)
            continue
        reason = "there are no two ready pods %s among the %d that were selected" % (where, len(pods))
        missing.append(Unobserved("probes", "ping", reason))
    return pairs, missing


def _answers(pod: Pod) -> bool:
    return pod.ready and pod.address is not None and not pod.terminating


def _first_pair(pods: Sequence[Pod], same_node: bool) -> Optional[Pair]:
    for source in pods:
        for destination in pods:
            if source is not destination and (source.node == destination.node) is same_node:
                return Pair(source, destination)
    return None


def find_pod(snapshot: Snapshot, name: str) -> Pod:
    """The pod that a person calls ``namespace/name``, or ``name`` where that is unambiguous, or by its address."""
    found = [pod for pod in snapshot.pods if name in ("%s/%s" % (pod.namespace, pod.name), pod.name)]
    found = found or [pod for pod in snapshot.pods if name in pod.addresses and not pod.host_network]
    if len(found) == 1:
        return found[0]
    if not found:
        raise PodnetError("There is no pod %s in the cluster" % name, "Write it as namespace/name.")
    raise PodnetError(
        "%s could be %s" % (name, " or ".join("%s/%s" % (pod.namespace, pod.name) for pod in found)),
        "Write it as namespace/name.",
    )


def run(cluster: Cluster, snapshot: Snapshot, pairs: Sequence[Pair], ping: Ping) -> Tuple[Probe, ...]:
    """Probe all pairs side by side; each with packets of its own size, so that none is taken for another's."""
    nodes = {node.name: node for node in snapshot.nodes}
    plans = [(pair, ping._replace(payload=ping.payload + index)) for index, pair in enumerate(pairs)]
    outcomes = cluster.run_all(lambda plan: _probe(cluster, nodes, plan[0], plan[1]), plans)
    probes = []
    for plan, outcome in zip(plans, outcomes):
        if outcome.error is not None:
            raise outcome.error
        probes.append(outcome.value if outcome.finished else _late(cluster, plan[0], plan[1]))
    return tuple(probes)


def _late(cluster: Cluster, pair: Pair, ping: Ping) -> Probe:
    reason = "the deadline of %g s passed first" % cluster.limits.deadline
    missing = Unobserved("ping", " ".join(ping_command(ping, pair.destination.address or "")), reason)
    return _blank(pair, ping)._replace(unobserved=(missing,))


def _blank(pair: Pair, ping: Ping) -> Probe:
    source, destination = pair
    return Probe(
        source="%s/%s" % (source.namespace, source.name),
        destination="%s/%s" % (destination.namespace, destination.name),
        source_address=source.address or "",
        destination_address=destination.address or "",
        source_node=source.node or "",
        destination_node=destination.node or "",
        sent=0,
        payload_bytes=ping.payload,
        dont_fragment=ping.dont_fragment,
    )


def _probe(cluster: Cluster, nodes: Dict[str, Node], pair: Pair, ping: Ping) -> Probe:
    missing: List[Unobserved] = []
    tunnel = nodes.get(pair.source.node or "") if pair.source.node != pair.destination.node else None
    capture = _Capture(cluster, pair.destination, ping)
    before = _tunnel_packets(cluster, tunnel, missing)
    capture.wait_until_listening()
    pinged = _exec(cluster, pair.source, ping_command(ping, pair.destination.address or ""), ping.seconds)
    captured = capture.result()
    after = _tunnel_packets(cluster, tunnel, missing)
    probe = read_capture(read_ping(_blank(pair, ping), pinged), captured)
    return probe._replace(
        tunnel_packets=after - before if before is not None and after is not None else None,
        unobserved=probe.unobserved + tuple(missing),
    )


def _exec(cluster: Cluster, pod: Pod, argv: Sequence[str], seconds: float, on_stderr: object = None) -> ExecResult:
    # Once: a second ping would be captured as well, and a second capture would miss what the first was for.
    return cluster.exec(
        pod.namespace,
        pod.name,
        pod.container,
        argv,
        timeout=seconds + cluster.limits.exec_timeout,
        on_stderr=on_stderr,  # type: ignore[arg-type]
        attempts=1,
    )


class _Capture:
    """tcpdump in the destination pod, in a thread of its own from construction on."""

    def __init__(self, cluster: Cluster, pod: Pod, ping: Ping) -> None:
        self._heard = b""
        self._ready = threading.Event()
        self._result: Optional[ExecResult] = None
        self._seconds = ping.seconds + _LISTEN_SECONDS + 1
        self._limit = self._seconds + cluster.limits.exec_timeout
        self._thread = threading.Thread(
            target=self._run, args=(cluster, pod, capture_command(ping, pod.address or "")), daemon=True
        )
        self._thread.start()

    def _run(self, cluster: Cluster, pod: Pod, argv: Sequence[str]) -> None:
        try:
            self._result = _exec(cluster, pod, argv, self._seconds, self._hear)
        finally:
            self._ready.set()  # a capture that is over is not worth waiting for

    def _hear(self, piece: bytes) -> None:
        self._heard = (self._heard + piece)[-4096:]
        if b"listening on" in self._heard:
            self._ready.set()

    def wait_until_listening(self) -> None:
        """Return when packets are seen from now on, or after five seconds: then the ping still tells its own story."""
        self._ready.wait(_LISTEN_SECONDS)

    def result(self) -> ExecResult:
        self._thread.join(self._limit)
        return self._result or ExecResult(problem="did not end within %g s" % self._limit)


def read_ping(probe: Probe, result: ExecResult) -> Probe:
    """The probe with what ping printed. Lines that are not an answer of the destination are not answers."""
    text = _text(result)
    answers = (_REPLY.match(line) for line in text.splitlines())
    replies = tuple(
        EchoReply(int(match.group(2)), int(match.group(3)), float(match.group(4)) if match.group(4) else None)
        for match in answers
        if match and match.group(1) == probe.destination_address
    )
    sent = _SENT.search(text)
    probe = probe._replace(replies=replies, sent=int(sent.group(1)) if sent else 0, ping_output=text[:_KEPT_TEXT])
    if sent:
        return probe
    return _with_gap(probe, "ping", "ping %s" % probe.destination_address, result, text)


def read_capture(probe: Probe, result: ExecResult) -> Probe:
    """The probe with what tcpdump printed: echo packets of this probe's size, and how many packets it saw at all."""
    text = _text(result)
    seen, echoes, ttl = 0, [], None
    for line in text.splitlines():
        header = _TTL.search(line)
        ttl = int(header.group(1)) if header else ttl
        echo = _ECHO.search(line)
        if not echo:
            continue
        seen += 1
        if int(echo.group(6)) == probe.payload_bytes + _ICMP_HEADER:
            echoes.append(
                CapturedEcho(echo.group(3), echo.group(1), echo.group(2), int(echo.group(4)), int(echo.group(5)), ttl)
            )
        ttl = None
    probe = probe._replace(captured=tuple(echoes), capture_output=text[:_KEPT_TEXT])
    if "listening on" not in text:
        return _with_gap(probe, "capture", "tcpdump in %s" % probe.destination, result, text)
    total = _CAPTURED.search(text)
    return probe._replace(sniffer_saw=int(total.group(1)) if total else seen)


def _with_gap(probe: Probe, what: str, command: str, result: ExecResult, text: str) -> Probe:
    said = text.strip().splitlines()
    reason = result.problem or (said[0][:300] if said else "exit code %s and no output" % result.code)
    return probe._replace(unobserved=probe.unobserved + (Unobserved(what, command, reason),))


def _text(result: ExecResult) -> str:
    return (result.stderr + result.stdout).decode("utf-8", "replace")


def _tunnel_packets(cluster: Cluster, node: Optional[Node], missing: List[Unobserved]) -> Optional[int]:
    """Packets sent so far through the node's encapsulation devices; 0 where there is none; None if not read."""
    if node is None:
        return None
    if node.calico_node_pod is None:
        missing.append(Unobserved("tunnel", _COUNTERS, "no calico-node pod runs on %s" % node.name))
        return None
    namespace, _slash, pod = node.calico_node_pod.partition("/")
    result = cluster.exec(namespace, pod, CALICO_NODE_CONTAINER, _COUNTERS.split())
    try:
        if result.code != 0:
            raise ValueError(result.problem or "exit code %s" % result.code)
        links = _iproute.parse_links(result.stdout.decode("utf-8", "replace"))
    except ValueError as error:
        missing.append(Unobserved("tunnel", _COUNTERS, str(error)))
        return None
    return sum(link.tx_packets or 0 for link in links if link.name in TUNNEL_DEVICES)
