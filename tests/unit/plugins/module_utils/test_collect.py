# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pass over a cluster: one exec per node and per pod, and nothing that cannot be seen goes unsaid."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _collect
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import FORBIDDEN, NOT_FOUND, UNREACHABLE, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._selection import Selectors
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import CRD, FakeCluster, calico_node


@pytest.fixture(name="cluster")
def cluster_fixture():
    """Two nodes, three pods."""
    return FakeCluster()


def node_of(snapshot, name):
    """A node by name."""
    return next(node for node in snapshot.nodes if node.name == name)


def skipped(snapshot):
    """Why pods were not asked."""
    return {pod.name: pod.skipped for pod in snapshot.pods}


def test_every_node_and_every_pod_is_asked_once(cluster):
    snapshot = collect(cluster, EVIDENCE)
    asked = sorted(pod for _namespace, pod, _container, _attempts in cluster.execs)
    assert asked == ["a", "b", "c", "calico-node-one", "calico-node-two"]
    assert all(node.facts.links for node in snapshot.nodes)
    assert [pod.name for pod in snapshot.pods if pod.facts] == ["a", "b", "c"]


def test_nodes_are_asked_in_the_container_of_calico_node(cluster):
    collect(cluster, ("api", "nodes"))
    assert {container for _namespace, _pod, container, _attempts in cluster.execs} == {"calico-node"}


def test_the_api_alone_needs_no_exec(cluster):
    snapshot = collect(cluster, ("api",))
    assert not cluster.execs
    assert node_of(snapshot, "one").skipped == "node evidence was not asked for"
    assert skipped(snapshot)["a"] == "pod evidence was not asked for"


def test_selectors_limit_what_is_asked_and_say_so(cluster):
    cluster.lists["/api/v1/pods"][0]["metadata"]["labels"] = {"app": "x"}
    cluster.lists["/api/v1/nodes"][1]["metadata"]["labels"] = {"zone": "z"}
    snapshot = collect(cluster, EVIDENCE, Selectors(nodes="zone=z", pods="app=x"))
    assert node_of(snapshot, "one").skipped == "not selected (node_selector)"
    assert skipped(snapshot)["b"] == "not selected (pod_selector)"
    assert [pod.name for pod in snapshot.pods if pod.facts] == ["a"]


def test_pods_that_cannot_be_asked_say_why(cluster):
    cluster.lists["/api/v1/pods"][1]["status"]["phase"] = "Succeeded"
    reasons = skipped(collect(cluster, EVIDENCE))
    assert reasons["b"] == "phase Succeeded"
    assert reasons["calico-node-one"] == "on the host's network"


def test_a_node_without_calico_node_is_unobserved(cluster):
    cluster.lists["/api/v1/pods"] = cluster.lists["/api/v1/pods"][:4]
    facts = node_of(collect(cluster), "two").facts
    assert {gap.reason for gap in facts.unobserved} == {"no calico-node pod runs on it (label k8s-app=calico-node)"}


def test_a_node_whose_kubelet_is_silent_is_not_waited_for(cluster):
    cluster.lists["/api/v1/nodes"][0]["status"]["conditions"] = [{"type": "Ready", "status": "Unknown", "reason": "Lost"}]
    facts = node_of(collect(cluster), "one").facts
    assert "the node is NotReady (Unknown Lost" in facts.unobserved[0].reason
    assert [pod for _namespace, pod, _container, _attempts in cluster.execs] == ["calico-node-two"]


def test_a_refused_exec_is_unobserved_and_the_rest_goes_on(cluster):
    cluster.refused[("calico-system", "calico-node-one")] = ExecResult(problem="was refused: forbidden", status=403)
    snapshot = collect(cluster)
    reasons = {gap.reason for gap in node_of(snapshot, "one").facts.unobserved}
    assert reasons == {"exec in calico-system/calico-node-one was refused: forbidden"}
    assert node_of(snapshot, "two").facts.links


def test_during_an_update_the_ready_and_lasting_calico_node_is_asked(cluster):
    leaving = calico_node("one", "172.18.0.2")
    leaving["metadata"].update(name="calico-node-aaa", deletionTimestamp="2026-11-23T00:00:00Z")
    starting = calico_node("one", "172.18.0.2")
    starting["metadata"]["name"] = "calico-node-zzz"
    starting["status"]["conditions"] = []
    cluster.lists["/api/v1/pods"] += [leaving, starting]
    assert node_of(collect(cluster, ("api",)), "one").calico_node_pod == "calico-system/calico-node-one"


def test_a_list_that_may_not_be_read_is_named_with_the_rule_that_lacks(cluster):
    cluster.failures[CRD + "ipamblocks"] = PodnetError("blocks is forbidden", reason=FORBIDDEN)
    gap = collect(cluster).header.unobserved[0]
    assert (gap.what, gap.command) == ("ipamblocks", "kubectl get ipamblocks.crd.projectcalico.org --all-namespaces -o json")
    assert gap.reason.endswith('Grant verb "list" on resource "ipamblocks" (API group "crd.projectcalico.org")')


def test_kubeadms_record_that_may_not_be_read_is_named_and_one_that_is_not_there_is_not(cluster):
    path = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
    cluster.failures[path] = PodnetError("it is forbidden", reason=FORBIDDEN)
    (gap,) = collect(cluster).header.unobserved
    assert gap.what == "kubeadm-config"
    assert 'Grant verb "get" on resource "configmaps" (API group ""), name "kubeadm-config"' in gap.reason
    cluster.failures[path] = PodnetError("there is none", reason=NOT_FOUND)
    assert not collect(cluster).header.unobserved


def test_an_object_that_makes_no_sense_is_no_reason_to_stop(cluster):
    cluster.lists[CRD + "ippools"] = [{"metadata": {"name": "x"}, "spec": {"cidr": "nonsense"}}]
    gap = collect(cluster).header.unobserved[0]
    assert gap.what == "ippools"
    assert "an object in it cannot be read (ValueError: 'nonsense'" in gap.reason


def test_calico_without_its_operator_lacks_nothing(cluster):
    del cluster.lists["/apis/operator.tigera.io/v1/installations"]
    assert not collect(cluster).header.unobserved


def test_a_server_that_goes_away_ends_the_pass(cluster):
    cluster.failures[CRD + "ippools"] = PodnetError("gone", reason=UNREACHABLE)
    with pytest.raises(PodnetError, match="gone"):
        collect(cluster)


def test_a_cluster_without_calico_is_called_so(cluster):
    cluster.groups = ["apps"]
    with pytest.raises(PodnetError, match="The cluster at https://fake has no Calico"):
        collect(cluster)


def test_the_v3_group_is_used_where_it_is_the_only_one(cluster):
    cluster.groups = ["projectcalico.org"]
    for path in [path for path in cluster.lists if path.startswith(CRD)]:
        plural = path[len(CRD) :].replace("ipamconfigs", "ipamconfigurations")
        cluster.lists["/apis/projectcalico.org/v3/" + plural] = cluster.lists.pop(path)
    header = collect(cluster).header
    assert (header.api_group, header.unobserved) == ("projectcalico.org", ())


def test_what_is_late_is_unobserved_and_what_was_seen_is_kept(cluster, monkeypatch):
    real = _collect.pod_facts

    def slow(fake, pod):
        if pod.name == "b":
            fake.deadline._end = 0  # the clock runs out while this pod is asked
        return real(fake, pod)

    monkeypatch.setattr(_collect, "pod_facts", slow)
    cluster.limits = cluster.limits._replace(concurrency=1)
    snapshot = collect(cluster, EVIDENCE)
    late = next(pod for pod in snapshot.pods if pod.name == "c")
    assert {gap.reason for gap in late.facts.unobserved} == {"the deadline of 20 s passed first"}
    assert all(node.facts.links for node in snapshot.nodes)


def test_a_server_that_never_ends_its_first_answer_does_not_hold_past_the_deadline(cluster, monkeypatch):
    never, get = threading.Event(), cluster.get
    monkeypatch.setattr(cluster, "get", lambda path: never.wait() if path == "/version" else get(path))
    cluster.limits = cluster.limits._replace(deadline=0.2)
    cluster.start_clock()
    with pytest.raises(PodnetError, match="The deadline of 0.2 s passed before https://fake said what it serves"):
        collect(cluster)
    never.set()
