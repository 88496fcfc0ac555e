# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is looked into: what the options select is asked, and where it cannot be said whom they select, that is said."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import BAD_REQUEST, FORBIDDEN, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._probe import Ping
from ansible_collections.podnet.calico.plugins.module_utils._selection import Selectors
from ansible_collections.podnet.calico.plugins.module_utils._source import with_probes
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import CRD, FakeCluster

NODES, PODS = "/api/v1/nodes", "/api/v1/pods"
BOTH = Selectors(nodes="zone=z", pods="app=x")


class Labelled(FakeCluster):
    """Node two is in zone z, pod a is of app x; ``refuses`` is raised where a selector is asked for."""

    def __init__(self, refuses=None):
        super().__init__()
        self.lists[PODS][0]["metadata"]["labels"] = {"app": "x"}
        self.lists[NODES][1]["metadata"]["labels"] = {"zone": "z"}
        self.lists[CRD + "ipamhandles"] = [{"metadata": {"name": "held"}, "spec": {"handleID": "held"}}]  # so that the IPAM is Calico's
        self.refuses = refuses

    def list(self, path, convert, label_selector=None):
        """Without a selector, as ever."""
        if label_selector and self.refuses is not None:
            raise self.refuses
        return super().list(path, convert, label_selector)

    @property
    def asked(self):
        """The pods in which something was run."""
        return sorted(pod for _namespace, pod, _container, _attempts in self.execs)


def forbidden(plural):
    """As the API server says it."""
    return PodnetError('GET /api/v1/%s: %s is forbidden: User "x" cannot list resource "%s"' % (plural, plural, plural), reason=FORBIDDEN)


def headlines(verdict):
    """What a person reads."""
    return [finding for finding in verdict.findings if finding.cause is None]


def unseen(verdict):
    """Of what was not seen. The fake's empty tables are faults of their own."""
    return [finding for finding in headlines(verdict) if finding.outcome == "inconclusive"]


def skipped(subjects):
    """Why it was not asked, by name."""
    return {one.name: one.skipped for one in subjects}


def test_what_is_selected_is_asked_and_nobody_else():
    cluster = Labelled()
    snapshot = collect(cluster, EVIDENCE, BOTH)
    assert cluster.asked == ["a", "calico-node-two"]
    assert skipped(snapshot.nodes) == {"one": "not selected (node_selector)", "two": None}
    assert skipped(snapshot.pods)["b"] == "not selected (pod_selector)"


@pytest.mark.parametrize(
    ("plural", "selectors"), [("pods", BOTH), ("pods", Selectors(namespaces=("default",))), ("nodes", BOTH)], ids=["pods", "namespaces", "nodes"]
)
def test_a_list_that_is_refused_is_told_once_with_the_rule_that_lacks_whatever_is_selected(plural, selectors):
    cluster = Labelled()
    cluster.failures["/api/v1/" + plural] = forbidden(plural)
    snapshot = collect(cluster, EVIDENCE, selectors)
    (gap,) = snapshot.header.unobserved
    assert gap.what == plural
    verdict = judge(snapshot)
    (headline,) = unseen(verdict)
    assert (headline.id, verdict.failed) == ("api.observed", True)
    assert f'Grant verb "list" on resource "{plural}" (API group "")' in headline.remedy
    assert not any("not selected (%s_" % plural[:-1] in (result.reason or "") for result in verdict.results)


@pytest.mark.parametrize("refusal", [forbidden("pods"), PodnetError("GET /api/v1/pods: the etcd cluster is gone")], ids=["refused", "ill"])
def test_where_only_whom_the_options_select_cannot_be_read_nobody_is_asked_and_nobody_is_called_not_selected(refusal):
    cluster = Labelled(refusal)
    snapshot = collect(cluster, EVIDENCE, BOTH)
    assert cluster.execs == []
    assert set(skipped(snapshot.nodes).values()) == {"not known whether node_selector selects it"}
    reasons = skipped(snapshot.pods)
    assert (reasons["a"], reasons["calico-node-one"]) == ("not known whether pod_selector selects it", "on the host's network")
    verdict = judge(snapshot)
    told = {finding.expected for finding in unseen(verdict)}
    assert told <= {"node_selector is observed", "pod_selector is observed"} and told
    assert {result.outcome for result in verdict.results if result.id in ("nodes.observed", "pods.routes")} == {"inconclusive"}


def test_the_list_that_selects_is_named_as_kubectl_would_ask_for_it():
    (gap,) = collect(Labelled(forbidden("pods")), EVIDENCE, Selectors(pods="app in (x, y)")).header.unobserved
    assert (gap.what, gap.command) == ("pod_selector", "kubectl get pods --all-namespaces -l 'app in (x, y)' -o json")
    assert gap.reason.endswith('Grant verb "list" on resource "pods" (API group "")')


@pytest.mark.parametrize(("selectors", "option"), [(Selectors(nodes="a=b=c"), "node_selector"), (Selectors(pods="a=b=c"), "pod_selector")])
def test_what_is_no_selector_ends_the_pass_before_anything_is_run(selectors, option):
    cluster = Labelled(PodnetError("unable to parse requirement: found '=', expected: ','", reason=BAD_REQUEST))
    with pytest.raises(PodnetError, match="%s is no label selector: «a=b=c» .unable to parse" % option) as caught:
        collect(cluster, EVIDENCE, selectors)
    assert "kubectl get -l" in caught.value.remedy and cluster.execs == []


@pytest.mark.parametrize(
    ("selectors", "says"),
    [
        (Selectors(nodes="zone=typo"), "all 2 nodes are left out by node_selector"),
        (Selectors(pods="app=typo"), "all 5 pods are left out by pod_selector"),
        (Selectors(namespaces=("defualt",)), "all 5 pods are left out by namespaces"),
        (Selectors(pods="app=x", namespaces=("defualt",)), "all 5 pods are left out by namespaces and pod_selector"),
    ],
)
def test_to_select_nothing_proves_nothing_and_is_told_once(selectors, says):
    verdict = judge(collect(Labelled(), ("api", "nodes") if selectors.nodes else ("api", "pods"), selectors))
    (headline,) = unseen(verdict)
    assert (headline.id, headline.actual) == ("api.observed", "nothing is selected: " + says)
    assert "--show-labels" in headline.remedy and verdict.failed


def test_what_was_not_to_be_looked_into_need_not_be_selected():
    assert unseen(judge(collect(Labelled(), ("api",), Selectors(pods="app=typo")))) == []
    assert unseen(judge(collect(Labelled(), ("api",), Selectors(nodes="zone=typo")))) == []


def test_without_a_pod_that_is_selected_none_is_pinged_for_the_same_reason():
    cluster = Labelled()
    snapshot = with_probes(cluster, collect(cluster, ("api", "pods"), Selectors(pods="app=typo")), Ping())
    (headline,) = unseen(judge(snapshot))
    assert "left out by pod_selector" in headline.actual and any("connectivity" in one for one in headline.consequences)
