# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster does not keep still while it is read: what changed is read again, what changes again is in doubt, nothing else is."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import UNREACHABLE, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._merge import merge
from ansible_collections.podnet.calico.plugins.module_utils._model import Changed, Route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import CRD, FakeCluster, pod
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import with_route
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    recording,
    with_facts,
    without_route,
)

PODS, NODES = "/api/v1/pods", "/api/v1/nodes"
BLOCKS, AFFINITIES = CRD + "ipamblocks", CRD + "blockaffinities"
CONTROL, WORKER, WORKER2 = "pod-routing-control-plane", "pod-routing-worker", "pod-routing-worker2"


class Moving(FakeCluster):
    """A cluster to which ``happens`` happens, one thing while each round of execs is under way."""

    def __init__(self, *happens):
        super().__init__()
        for path in (BLOCKS, AFFINITIES):
            self.lists[path] = []
        self.lists[BLOCKS] = [block("192.168.0.0/26", "one", {0: "192.168.0.1"}), block("192.168.1.0/26", "two")]
        self.happens = list(happens)
        self.rounds = [[]]
        self.looks = 0

    def list(self, path, convert, label_selector=None):
        """The nodes are listed once in every look."""
        if path == NODES and not label_selector:
            self.looks += 1
            self.rounds.append([])
        return super().list(path, convert, label_selector)

    def exec(self, namespace, pod, container, argv, limit=0, timeout=None, on_stderr=None, attempts=3):
        """The first of a round is when it happens."""
        first = not self.rounds[-1]
        self.rounds[-1].append(pod)
        if first and len(self.happens) >= self.looks:
            self.happens[self.looks - 1](self)
        return super().exec(namespace, pod, container, argv, limit, timeout, on_stderr, attempts)

    @property
    def asked(self):
        """Who was asked after each look."""
        return [sorted(names) for names in self.rounds[1:]]


def block(cidr, node, taken=None):
    """An IPAMBlock with addresses in use by ordinal."""
    ordinals, attributes = [None] * 64, []
    for ordinal in taken or {}:
        ordinals[ordinal] = len(attributes)
        attributes.append({"handle_id": "k8s-pod-network.%d" % ordinal, "secondary": {"node": node}})
    spec = {"cidr": cidr, "affinity": "host:" + node, "allocations": ordinals, "attributes": attributes, "unallocated": []}
    return {"metadata": {"name": cidr.replace(".", "-").replace("/", "-")}, "spec": spec}


def nothing(cluster):
    """Nothing happens."""


def new_pod(name="new", node="one", address="192.168.0.9"):
    """A pod begins to run."""
    return lambda cluster: cluster.lists[PODS].append(pod(name, node, address))


def with_handle(happens, address, cidr):
    """It takes an address, as IPAM does it."""

    def both(cluster):
        happens(cluster)
        handle = {"metadata": {"name": "h-" + address}, "spec": {"handleID": "h." + address, "block": {cidr: 1}}}
        cluster.lists[CRD + "ipamhandles"] = [*cluster.lists[CRD + "ipamhandles"], handle]

    return both


def gone(name):
    """A pod is deleted."""

    def happens(cluster):
        cluster.lists[PODS] = [item for item in cluster.lists[PODS] if item["metadata"]["name"] != name]

    return happens


def relabelled(cluster):
    """What moves no route: a label, a readiness."""
    cluster.lists[PODS] = copy.deepcopy(cluster.lists[PODS])
    cluster.lists[PODS][0]["metadata"]["labels"] = {"new": "label"}
    cluster.lists[PODS][0]["status"]["conditions"] = []
    cluster.lists[NODES] = copy.deepcopy(cluster.lists[NODES])
    cluster.lists[NODES][0]["status"]["conditions"] = [{"type": "Ready", "status": "False", "reason": "x"}]


def another_owner(cluster):
    """A block changes hands."""
    cluster.lists[BLOCKS] = [block("192.168.0.0/26", "two"), cluster.lists[BLOCKS][1]]


def address_taken(cluster):
    """An address of the second node's block is assigned."""
    cluster.lists[BLOCKS] = [cluster.lists[BLOCKS][0], block("192.168.1.0/26", "two", {7: "192.168.1.7"})]


def another_address(cluster):
    """A node gets another address."""
    cluster.lists[NODES] = copy.deepcopy(cluster.lists[NODES])
    cluster.lists[NODES][1]["metadata"]["annotations"]["projectcalico.org/IPv4Address"] = "172.18.0.33/16"


def another_calico_node(cluster):
    """calico-node of the second node is restarted by an update."""
    gone("calico-node-two")(cluster)
    update = pod("calico-node-zwei", "two", "172.18.0.3", "calico-system", True, {"k8s-app": "calico-node"})
    cluster.lists[PODS].append(update)


def another_mode(cluster):
    """The pool is tunnelled from now on."""
    cluster.lists[CRD + "ippools"] = [{"metadata": {"name": "pool"}, "spec": {"cidr": "192.168.0.0/16", "vxlanMode": "Always"}}]


def felix_configured(cluster):
    """A setting of the whole cluster."""
    cluster.lists[CRD + "felixconfigurations"] = [{"metadata": {"name": "default"}, "spec": {"routeSource": "WorkloadIPs"}}]


ONE, TWO = "calico-node-one", "calico-node-two"
EVERYBODY = ["a", "b", "c", ONE, TWO]


@pytest.mark.parametrize("happens", [nothing, relabelled])
def test_where_no_route_moves_everybody_is_asked_once(happens):
    cluster = Moving(happens)
    assert collect(cluster, EVIDENCE).header.changed == ()
    assert cluster.asked == [EVERYBODY, []]


@pytest.mark.parametrize(
    ("happens", "again"),
    [
        (new_pod(), ["new", ONE]),
        (gone("b"), [TWO]),
        (address_taken, [TWO]),
        (another_calico_node, [ONE, "calico-node-zwei"]),
        (another_owner, [ONE, TWO]),
        (another_address, [ONE, TWO]),
        (another_mode, [ONE, TWO]),
        (felix_configured, [ONE, TWO]),
    ],
)
def test_what_changed_is_read_again_with_the_nodes_that_it_concerns_and_nobody_else(happens, again):
    cluster = Moving(happens)
    snapshot = collect(cluster, EVIDENCE)
    assert cluster.asked == [EVERYBODY, sorted(again), []]
    assert snapshot.header.changed == ()
    assert all(one.facts.links for one in snapshot.nodes)


def test_the_snapshot_is_of_the_second_look():
    snapshot = collect(Moving(new_pod(), gone("a")), EVIDENCE)
    assert [one.name for one in snapshot.pods if one.facts] == ["a", "b", "c", "new"]


def test_what_changes_again_while_it_is_read_again_is_named():
    (change,) = collect(Moving(new_pod(), gone("new")), EVIDENCE).header.changed
    assert change == Changed("Pod", "default", "new", ("one",), ("192.168.0.9/32",))


def test_what_changes_where_nobody_was_asked_again_is_not_in_doubt():
    """Its node was read before, beside the objects of then."""
    there = with_handle(new_pod("other", "two", "192.168.1.9"), "192.168.1.9", "192.168.1.0/26")
    assert collect(Moving(new_pod(), there), EVIDENCE).header.changed == ()
    here = with_handle(new_pod("other", "one", "192.168.0.10"), "192.168.0.10", "192.168.0.0/26")
    assert [change.kind for change in collect(Moving(new_pod(), here), EVIDENCE).header.changed] == ["Pod", "IPAMHandle"]


def test_a_pod_that_ends_while_it_is_read_is_none_that_was_asked():
    def ended(cluster):
        cluster.lists[PODS] = copy.deepcopy(cluster.lists[PODS])
        cluster.lists[PODS][0]["status"]["phase"] = "Succeeded"

    (one,) = [pod for pod in collect(Moving(ended), EVIDENCE).pods if pod.name == "a"]
    assert (one.skipped, one.facts) == ("phase Succeeded", None)


def test_a_pod_that_waits_for_a_node_changes_nothing():
    assert collect(Moving(new_pod(), new_pod("waits", None, None)), EVIDENCE).header.changed == ()


def unreachable(cluster):
    """The API server goes away."""
    cluster.failures[PODS] = PodnetError("The API server cannot be reached", reason=UNREACHABLE)


def late(cluster):
    """The deadline passes."""
    cluster.failures[PODS] = PodnetError("The deadline of 20 s passed before the pods were read")


@pytest.mark.parametrize(("happens", "says"), [(unreachable, "cannot be reached"), (late, "The deadline of 20 s passed")])
def test_without_a_second_look_what_was_read_is_judged_and_that_it_was_not_looked_is_said(happens, says):
    snapshot = collect(Moving(happens), EVIDENCE)
    (gap,) = snapshot.header.unobserved
    assert gap.what == "changes" and says in gap.reason
    assert all(one.facts.links for one in snapshot.nodes) and len(snapshot.pods) == 5
    assert ("api.observed", "inconclusive") in {(finding.id, finding.outcome) for finding in judge(snapshot).findings}


def test_without_a_third_look_all_that_changed_is_in_doubt():
    snapshot = collect(Moving(new_pod(), unreachable), EVIDENCE)
    assert [(change.kind, change.name) for change in snapshot.header.changed] == [("Pod", "new")]


# -- the judgement ----------------------------------------------------------------------------------------------------

POD = Changed("Pod", "default", "multitool-1-xx", (WORKER,), ("192.168.93.194/32",))


def with_changed(snapshot, *changed):
    """The snapshot of a cluster that would not keep still."""
    return snapshot._replace(header=snapshot.header._replace(changed=changed))


def headlines(verdict):
    """What a person reads."""
    return [finding for finding in verdict.findings if finding.cause is None]


def lost_pod_route(snapshot):
    """The host's route to the pod is not there."""
    return without_route(snapshot, WORKER, "192.168.93.194/32")


def test_a_healthy_cluster_that_would_not_keep_still_is_not_proved():
    (only,) = judge(with_changed(recording(), POD)).findings
    assert (only.id, only.outcome, only.actual) == ("api.observed", "inconclusive", "changed while being read: Pod default/multitool-1-xx")
    assert "Run again" in only.remedy


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (POD, lost_pod_route),
        (Changed("Address", name="192.168.93.194", nodes=(WORKER,), prefixes=("192.168.93.194/32",)), lost_pod_route),
        (Changed("Block", name="192.168.93.192/26", prefixes=("192.168.93.192/26",)), lost_pod_route),
        (Changed("Block", name="192.168.93.192/26", prefixes=("192.168.93.192/26",)),
         lambda s: without_route(s, CONTROL, "192.168.93.192/26")),
        (Changed("Node", name=WORKER, prefixes=("192.168.93.192/26",)), lambda s: without_route(s, CONTROL, "192.168.93.192/26")),
        (Changed("Node", name=WORKER, nodes=(WORKER,)), lambda s: without_route(s, WORKER, "0.0.0.0/0")),
        (Changed("Settings"), lambda s: with_facts(s, WORKER, masquerade=lambda m: m._replace(masquerade_pools=()))),
        (Changed("IPPool", name="default-ipv4-ippool"), lambda s: without_route(s, CONTROL, "192.168.93.192/26")),
    ],
)  # fmt: skip
def test_a_fault_of_what_changed_is_inconclusive_under_one_headline(change, fault):
    broken = fault(recording())
    assert judge(broken).summary["failed"] > 0
    verdict = judge(with_changed(broken, change))
    assert verdict.failed and verdict.summary["failed"] == 0
    (only,) = headlines(verdict)
    assert only.id == "api.observed" and only.consequences


def test_a_fault_of_something_else_stays_a_fault():
    broken = with_route(lost_pod_route(recording()), WORKER2, Route("192.168.93.224/27", gateway="172.18.0.1", dev="eth0"))
    broken = without_route(broken, CONTROL, "192.168.112.192/26")
    found = {(finding.id, finding.node, finding.outcome) for finding in headlines(judge(with_changed(broken, POD)))}
    assert ("blocks.remote-route", CONTROL, "failed") in found
    assert ("blocks.stray-route", WORKER2, "failed") in found
    assert not any(node == WORKER for _id, node, _outcome in found)


def test_many_are_told_in_one_line():
    many = [Changed("Pod", "default", "p%d" % number, (WORKER,)) for number in range(9)]
    (only,) = judge(with_changed(recording(), *many)).findings
    assert only.actual.endswith("Pod default/p4 and 4 more")


def test_it_is_in_the_snapshots_file_and_in_that_of_all_shards(tmp_path):
    one, two = with_changed(recording(), POD), with_changed(recording(), POD, Changed("Settings"))
    _snapshot.write(str(tmp_path / "one.jsonl"), one)
    assert _snapshot.read(str(tmp_path / "one.jsonl")).header.changed == (POD,)
    assert merge([one, two]).snapshot.header.changed == (Changed("Settings"), POD)
