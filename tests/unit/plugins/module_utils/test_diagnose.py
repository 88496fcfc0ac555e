# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One fault is one headline, whatever follows from it: lost pings there and back, paths, pods that are not ready.

And two faults that have nothing to do with each other stay two, and nothing is ever dropped.
"""

from __future__ import annotations

import functools

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._fib import walk
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    CapturedEcho,
    EchoReply,
    Nexthop,
    Probe,
    Route,
    Unobserved,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import (
    BLOCK,
    BLOCK2,
    CONTROL,
    DEVICE,
    NONE,
    POD,
    VXLAN,
    WORKER,
    WORKER2,
    policy_rule,
    second_affinity,
    with_gateway,
    with_link,
    with_route,
    with_session,
    with_sysctl,
    without_link,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    LAB,
    changed_route,
    recording,
    with_facts,
    with_node,
    with_pod,
    without_route,
)

ADDRESS = "192.168.93.194"  # of POD
INTENT = {"workloads": [{"kind": "DaemonSet", "namespace": "default", "name": "multitool-1", "per_node": 1}]}


def pods(snapshot):
    """The pod of multitool-1 on each node."""
    return {pod.node: pod for pod in snapshot.pods if pod.name.startswith("multitool-1-")}


def probe(snapshot, source, destination, cut=()):
    """What a ping would have told: it goes by the routes there and back, unless one of the two pods is cut off."""
    there, back = (walk(snapshot, *ends) for ends in ((source, destination), (destination, source)))
    arrives = there.outcome == "delivered" and not {source.name, destination.name} & set(cut)
    answered = arrives and back.outcome == "delivered"
    sequence = range(1, 4)
    requests = [CapturedEcho("request", source.address, destination.address, 7, seq) for seq in sequence] if arrives else []
    replies = [CapturedEcho("reply", destination.address, source.address, 7, seq) for seq in sequence] if arrives else []
    return Probe(
        f"{source.namespace}/{source.name}", f"{destination.namespace}/{destination.name}", source.address, destination.address,
        source.node, destination.node, 3, tuple(EchoReply(seq, back.ttl) for seq in sequence) if answered else (),
        tuple(requests + replies), sniffer_saw=len(requests + replies), tunnel_packets=3 if there.encapsulated else 0,
    )  # fmt: skip


def owned(pod):
    """The recordings that were not made with an operator have bare pods: here, a DaemonSet's."""
    return pod._replace(owner="DaemonSet/multitool-1") if pod.name.startswith("multitool-1-") else pod


def pinged(snapshot, cut=()):
    """The snapshot with a probe from each node to each other, and with the pods of ``cut`` not ready, as the kubelet says."""
    snapshot = snapshot._replace(pods=tuple(owned(pod)._replace(ready=pod.name not in cut) for pod in snapshot.pods))
    ends = pods(snapshot)
    ready = sum(pod.ready for pod in ends.values())
    workloads = tuple(w._replace(ready=ready) if w.name == "multitool-1" else w for w in snapshot.workloads)
    probes = tuple(probe(snapshot, ends[a], ends[b], cut) for a in ends for b in ends if a != b)
    return snapshot._replace(probes=probes, workloads=workloads)


def headlines(verdict):
    return [(finding.id, finding.node) for finding in verdict.findings if finding.cause is None]


def all_on(node, change):
    """The fault, and the same of every pod's device on the node."""

    def apply(snapshot):
        names = [name for name in next(n for n in snapshot.nodes if n.name == node).facts.sysctls if name.endswith(".forwarding")]
        return functools.reduce(lambda s, name: with_sysctl(s, node, name, "0"), names, change(snapshot))

    return apply


def no_gateway(fault):
    return lambda snapshot: with_gateway(fault(snapshot), ("FAILED",))


def device_down(snapshot):
    return without_route(with_link(snapshot, WORKER, DEVICE, admin_up=False, carrier=False), WORKER, ADDRESS + "/32")


def with_affinity_of_two(snapshot):
    """Recorded without encapsulation: a second blackhole, and both as next hops elsewhere."""
    both = (Nexthop("172.18.0.3", "eth0"), Nexthop("172.18.0.4", "eth0"))
    snapshot = changed_route(second_affinity(snapshot), CONTROL, BLOCK, gateway=None, dev=None, nexthops=both)
    return changed_route(snapshot, WORKER2, BLOCK, type="blackhole", gateway=None, dev=None)


def bird_stopped(snapshot):
    """Recorded: the peers withdraw its routes at once, its own stay."""
    snapshot = with_facts(
        snapshot, WORKER, bird=lambda bird: bird._replace(running=False, message="Connection refused", sessions=(), routes=())
    )
    for node in (CONTROL, WORKER2):
        snapshot = without_route(with_session(snapshot, node, "172.18.0.3", "Connect"), node, BLOCK)
    return snapshot


def tcp_179_blocked(snapshot):
    """Recorded: after the hold time the routes between the node and all others are gone, on both sides."""
    addresses = {CONTROL: "172.18.0.2", WORKER2: "172.18.0.4"}
    for node, address in addresses.items():
        snapshot = with_session(with_session(snapshot, node, "172.18.0.3", "Active"), WORKER, address, "Active")
        snapshot = without_route(snapshot, node, BLOCK)
        for block in snapshot.blocks:
            if block.owner == node:
                snapshot = without_route(snapshot, WORKER, block.cidr)
    return snapshot


def without_neighbour(snapshot):
    vtep = next(node.vxlan_tunnel_address for node in snapshot.nodes if node.name == WORKER2)
    return with_facts(snapshot, WORKER, neighbours=lambda rows: tuple(n for n in rows if n.address != vtep))


# check · node · recording · the fault · pods that it cuts off, so that their kubelets call them not ready
ONE_CAUSE = [
    ("blocks.remote-route", WORKER, LAB, lambda s: without_route(s, WORKER, BLOCK2), ()),
    ("blocks.remote-route", WORKER, VXLAN, lambda s: without_route(s, WORKER, BLOCK2), ()),
    ("blocks.remote-route", WORKER, NONE, lambda s: without_route(s, WORKER, BLOCK2), ()),
    ("blocks.remote-route", WORKER, LAB, lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2"), ()),
    ("blocks.remote-route", WORKER, LAB, lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.1"), ()),
    ("blocks.remote-route", WORKER, NONE, lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2", protocol="boot"), ()),
    ("blocks.own-blackhole", WORKER, LAB, lambda s: without_route(s, WORKER, BLOCK), ()),
    ("blocks.stray-route", WORKER2, LAB, lambda s: with_route(s, WORKER2, Route("192.168.93.192/27", gateway="172.18.0.1", dev="eth0")), ()),
    ("blocks.policy-rule", WORKER, LAB, policy_rule, ()),
    ("host.route", WORKER, LAB, lambda s: without_route(s, WORKER, ADDRESS + "/32"), (POD,)),
    ("host.device", WORKER, LAB, device_down, (POD,)),
    ("host.gateway-route", WORKER, LAB, no_gateway(lambda s: without_route(s, WORKER, "0.0.0.0/0")), (POD,)),
    ("sysctls.pod-device", WORKER, LAB, no_gateway(lambda s: with_sysctl(s, WORKER, f"net.ipv4.conf.{DEVICE}.proxy_arp", "0")), (POD,)),
    ("sysctls.forwarding", WORKER, LAB, no_gateway(all_on(WORKER, lambda s: with_sysctl(s, WORKER, "net.ipv4.ip_forward", "0"))), (POD,)),
    ("vxlan.device", WORKER, VXLAN, lambda s: without_link(s, WORKER, "vxlan.calico"), ()),
    ("vxlan.device", WORKER, LAB, lambda s: without_link(s, WORKER, "vxlan.calico"), ()),
    ("vxlan.neighbours", WORKER, VXLAN, without_neighbour, ()),
    ("ipam.affinity", WORKER, NONE, with_affinity_of_two, ()),
    ("ipam.affinity", WORKER, LAB, second_affinity, ()),
    ("bgp.running", WORKER, NONE, bird_stopped, ()),
    ("bgp.sessions", WORKER, NONE, tcp_179_blocked, ()),
]  # fmt: skip


@pytest.mark.parametrize("scenario", [LAB, VXLAN, NONE])
def test_a_healthy_cluster_has_nothing_to_explain(scenario):
    assert [finding.message for finding in judge(pinged(recording(scenario)), INTENT).findings] == []


@pytest.mark.parametrize(
    ("check", "node", "scenario", "fault", "cut"), ONE_CAUSE, ids=lambda value: value if isinstance(value, str) else None
)
def test_a_fault_is_one_headline_and_all_else_follows_from_it(check, node, scenario, fault, cut):
    cause, *rest = judge(pinged(fault(recording(scenario)), cut), INTENT).findings
    assert (cause.id, cause.node, cause.cause) == (check, node, None)
    assert [(finding.id, finding.message) for finding in rest if finding.cause != cause.key] == []
    assert sorted(cause.consequences) == sorted(finding.key for finding in rest)


# What packets tell of each fault that loses some, and what a kubelet does.
@pytest.mark.parametrize(
    ("fault", "cut", "follows"),
    [
        (lambda s: without_route(s, WORKER, BLOCK2), (), {"connectivity.loss", "paths.pod-to-pod"}),
        (lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2"), (), {"connectivity.ttl", "paths.pod-to-pod"}),
        (device_down, (POD,), {"connectivity.loss", "host.route", "intent.workloads", "workloads.rolled-out"}),
    ],
)
def test_what_follows_is_told_under_its_cause(fault, cut, follows):
    findings = judge(pinged(fault(recording()), cut), INTENT).findings
    assert {finding.id for finding in findings if finding.cause} >= follows


@pytest.mark.parametrize(("node", "block"), [(WORKER, BLOCK2), (WORKER2, BLOCK)])
def test_a_lost_answer_is_as_much_a_consequence_as_a_lost_request(node, block):
    snapshot = without_route(recording(), node, block)
    ends = pods(snapshot)
    verdict = judge(snapshot._replace(probes=(probe(snapshot, ends[WORKER], ends[WORKER2]),)))
    assert headlines(verdict) == [("blocks.remote-route", node)]
    assert "connectivity.loss" in {finding.id for finding in verdict.findings if finding.cause}


def lost(snapshot):
    """Pings that are lost though every route is right: a policy, a firewall."""
    probes = tuple(probe._replace(replies=(), captured=(), sniffer_saw=9) for probe in snapshot.probes)
    return snapshot._replace(probes=probes)


# two faults · the headlines they must be
INDEPENDENT = [
    (lambda s: without_route(without_route(s, WORKER, BLOCK2), CONTROL, BLOCK), {"blocks.remote-route"}, 2),
    (lambda s: without_route(without_route(s, WORKER, BLOCK2), WORKER2, BLOCK), {"blocks.remote-route"}, 2),
    (lambda s: with_sysctl(without_route(s, WORKER, BLOCK2), CONTROL, "net.ipv4.ip_forward", "0"),
     {"blocks.remote-route", "sysctls.forwarding"}, 2),
    (lambda s: without_route(second_affinity(s), WORKER, BLOCK2), {"ipam.affinity", "blocks.remote-route"}, 2),
    (lambda s: with_session(without_route(s, CONTROL, BLOCK), CONTROL, "172.18.0.3", "Connect"), {"bgp.sessions", "blocks.remote-route"}, 2),
    (lambda s: with_sysctl(with_sysctl(s, WORKER, "net.ipv4.ip_forward", "0"), WORKER, f"net.ipv4.conf.{DEVICE}.proxy_arp", "0"),
     {"sysctls.forwarding", "sysctls.pod-device"}, 2),
    (lambda s: with_route(without_route(s, WORKER2, BLOCK), WORKER2, Route("192.168.93.192/27", gateway="172.18.0.1", dev="eth0")),
     {"blocks.stray-route", "blocks.remote-route"}, 2),
    (lambda s: with_session(with_session(s, WORKER, "172.18.0.2", "Active"), CONTROL, "172.18.0.4", "Active"), {"bgp.sessions"}, 2),
]  # fmt: skip


@pytest.mark.parametrize(("faults", "checks", "number"), INDEPENDENT)
def test_two_faults_are_two_headlines(faults, checks, number):
    found = headlines(judge(pinged(faults(recording())), INTENT))
    assert len(found) == number, found
    assert {check for check, _node in found} == checks


def test_pings_lost_on_ways_that_are_right_are_nobodys_consequence():
    """A route elsewhere is wrong, too; no packet of these probes meets it."""
    snapshot = without_route(recording(), CONTROL, BLOCK2)
    ends = pods(snapshot)
    probes = (probe(snapshot, ends[WORKER], ends[WORKER2]),)
    found = headlines(judge(lost(snapshot._replace(probes=probes))))
    assert sorted(found) == [("blocks.remote-route", CONTROL), ("connectivity.loss", WORKER)]


def test_a_pod_that_is_not_ready_for_another_reason_is_a_headline_of_its_own():
    other = pods(recording())[CONTROL].name
    verdict = judge(pinged(device_down(recording()), cut=(POD, other)), INTENT)
    assert set(headlines(verdict)) >= {("host.device", WORKER), ("intent.workloads", CONTROL)}
    told = {finding.cause is None for finding in verdict.findings if finding.id == "workloads.rolled-out"}
    assert told == {True}, "one cut pod does not explain that two are lacking"


def test_a_pod_that_is_not_there_at_all_does_not_follow_from_one_that_is_cut_off():
    snapshot = pinged(device_down(recording()), cut=(POD,))
    fewer = snapshot._replace(pods=tuple(pod for pod in snapshot.pods if pod != pods(snapshot)[CONTROL]), probes=())
    assert ("intent.workloads", CONTROL) in headlines(judge(fewer, INTENT))


@pytest.mark.parametrize("fault", [entry[3] for entry in ONE_CAUSE])
def test_nothing_is_dropped(fault):
    """Folding only says what follows from what: each check's failures are found with it and without."""
    scenario = next(entry[2] for entry in ONE_CAUSE if entry[3] is fault)
    verdict = judge(pinged(fault(recording(scenario))), INTENT)
    counted = sum(result.failed + result.inconclusive + result.warning for result in verdict.results)
    assert len(verdict.findings) == counted


def test_a_list_that_was_refused_is_said_once():
    gap = Unobserved("ipamblocks", "kubectl get ipamblocks", "forbidden")
    snapshot = recording()._replace(blocks=())
    verdict = judge(snapshot._replace(header=snapshot.header._replace(unobserved=(gap,))))
    undecided = [finding for finding in verdict.findings if finding.outcome == "inconclusive"]
    assert len(undecided) > 5
    assert len([finding for finding in undecided if finding.cause is None]) == 1


def test_a_node_that_could_not_be_read_makes_the_paths_through_it_undecided_for_one_reason():
    gap = Unobserved("routes", "ip route", "exec refused")
    verdict = judge(with_facts(pinged(recording()), WORKER, unobserved=(gap,)))
    assert headlines(verdict) == [("nodes.observed", WORKER)]
    assert any(finding.node != WORKER for finding in verdict.findings)


def test_a_node_that_lost_all_its_sessions_is_one_headline_also_while_its_peers_hold_theirs():
    """tcp 179 blocked: the node's hold timers ran out 10 s before its peers' (recording faults-none/tcp-179-blocked)."""
    lost = with_session(with_session(recording(NONE), WORKER, "172.18.0.2", "Connect"), WORKER, "172.18.0.4", "Passive")
    for snapshot in (lost, with_session(lost, WORKER2, "172.18.0.3", "Passive")):
        causes = [finding for finding in judge(snapshot).findings if finding.cause is None]
        assert [(finding.id, finding.node) for finding in causes] == [("bgp.sessions", WORKER)]


def test_a_workload_that_is_not_ready_for_a_reason_of_its_own_is_a_warning():
    """What crashes is none of Calico's: an alert on routing must not go off."""
    snapshot = recording()
    snapshot = snapshot._replace(workloads=tuple(w._replace(ready=2) if w.name == "multitool-1" else w for w in snapshot.workloads))
    verdict = judge(snapshot)
    assert [(finding.id, finding.outcome) for finding in verdict.findings] == [("workloads.rolled-out", "warning")]
    assert not verdict.failed and "default/multitool-1 is not rolled out" in verdict.msg


def test_a_calico_node_that_is_not_ready_is_one_headline_and_its_daemonset_is_not_another():
    snapshot = with_node(recording(), WORKER, lambda node: node._replace(calico_node_ready=False))
    door = next(node.calico_node_pod for node in snapshot.nodes if node.name == WORKER).partition("/")[2]
    snapshot = with_pod(snapshot, door, lambda pod: pod._replace(ready=False))
    snapshot = snapshot._replace(workloads=tuple(w._replace(ready=2) if w.name == "calico-node" else w for w in snapshot.workloads))
    verdict = judge(snapshot)
    assert {finding.id for finding in verdict.findings} == {"nodes.calico-node", "workloads.rolled-out"}
    assert [(finding.id, finding.outcome) for finding in verdict.findings if finding.cause is None] == [("nodes.calico-node", "warning")]
