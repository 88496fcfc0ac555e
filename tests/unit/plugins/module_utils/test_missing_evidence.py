# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What could not be read is never a pass and never a failure: one headline that says what to do about it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import POD, WORKER
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import failed, recording, with_facts, with_pod

# What each piece of evidence is needed for: without it, these checks cannot pass on that node.
NEEDS = {
    "routes": {"blocks.remote-route", "blocks.own-blackhole", "blocks.stray-route", "host.route", "paths.pod-to-pod", "host.gateway-route"},
    "links": {"host.device", "vxlan.device", "paths.pod-to-pod"},
    "addresses": {"blocks.remote-route", "vxlan.device"},
    "rules": {"blocks.policy-rule", "paths.pod-to-pod"},
    "neighbours": {"vxlan.neighbours"},
    "fdb": {"vxlan.fdb"},
    "sysctls": {"sysctls.forwarding", "sysctls.pod-device"},
    "bird": {"bgp.running", "bgp.sessions", "bgp.synced"},
    "bird.routes": {"bgp.synced"},
    "masquerade": {"nat.masquerade"},
}


@pytest.mark.parametrize("what", sorted(NEEDS))
def test_evidence_that_is_missing_is_never_a_pass(what):
    gap = Unobserved(what, "the command", "exec refused")
    verdict = judge(with_facts(recording(), WORKER, unobserved=(gap,)))
    outcomes = {result.id: result.outcome for result in verdict.results if result.node == WORKER}
    assert {check: outcomes.get(check) for check in NEEDS[what]} == dict.fromkeys(NEEDS[what], "inconclusive")
    assert failed(verdict) == set()
    assert verdict.failed
    causes = {finding.id for finding in verdict.findings if finding.cause is None}
    assert causes == {"nodes.observed"}, "one gap is one headline"
    assert "exec refused" in verdict.msg


@pytest.mark.parametrize("what", ["links", "addresses", "routes", "neighbours"])
def test_a_pod_that_could_not_be_read_is_undecided(what):
    gap = Unobserved(what, "ip", "no such command")
    verdict = judge(with_pod(recording(), POD, lambda pod: pod._replace(facts=pod.facts._replace(unobserved=(gap,)))))
    undecided = [finding for finding in verdict.findings if finding.outcome == "inconclusive"]
    assert {finding.subject.name for finding in undecided} == {POD}
    assert {finding.node for finding in undecided} == {WORKER}


@pytest.mark.parametrize("plural", ["nodes", "pods", "ippools", "ipamblocks", "blockaffinities"])
def test_a_list_that_was_refused_makes_what_needs_it_undecided(plural):
    gap = Unobserved(plural, f"kubectl get {plural}", f'Grant verb "list" on resource "{plural}"')
    header = recording().header._replace(unobserved=(gap,))
    field = {"ippools": "pools", "ipamblocks": "blocks", "blockaffinities": "affinities"}.get(plural, plural)
    verdict = judge(recording()._replace(header=header, **{field: ()}))
    assert failed(verdict) == set(), [f.message for f in verdict.findings if f.outcome == "failed"]
    assert verdict.summary["inconclusive"] > 0
    assert 'Grant verb "list"' in verdict.msg


@pytest.mark.parametrize("plural", ["installations", "kubeadm-config", "ippools", "pods"])
def test_what_may_not_be_read_is_one_headline_with_the_rule_that_lacks(plural):
    gap = Unobserved(plural, f"kubectl get {plural}", f'{plural} is forbidden. Grant verb "list" on resource "{plural}"')
    unseen = recording()
    if plural == "pods":  # and calico-node is one of them
        nodes = [node._replace(calico_node_pod=None, facts=blind(node.facts, "no calico-node pod runs on it")) for node in unseen.nodes]
        unseen = unseen._replace(nodes=tuple(nodes), pods=())
    verdict = judge(unseen._replace(header=unseen.header._replace(unobserved=(gap,))))
    (headline,) = [finding for finding in verdict.findings if finding.cause is None]
    assert (headline.id, headline.outcome) == ("api.observed", "inconclusive")
    assert headline.remedy == f'Grant verb "list" on resource "{plural}", as rbac/ does (docs/rbac.md), and run again.'


def blind(facts, reason):
    """Facts of a node of which nothing was seen."""
    gaps = tuple(Unobserved(what, "ip", reason) for what in ("links", "addresses", "routes", "rules", "sysctls", "bird"))
    return facts._replace(links=(), addresses=(), routes=(), rules=(), sysctls={}, bird=None, unobserved=gaps)


def test_an_exec_that_is_refused_on_every_node_is_one_headline():
    grant = 'Grant verbs ["get", "create"] on resource "pods/exec" (API group "") in namespace "calico-system"'
    nodes = [node._replace(facts=blind(node.facts, f"exec in {node.name}'s was refused. {grant}")) for node in recording().nodes]
    verdict = judge(recording()._replace(nodes=tuple(nodes)))
    (headline,) = [finding for finding in verdict.findings if finding.cause is None]
    assert (headline.id, headline.outcome) == ("nodes.observed", "inconclusive")
    assert grant in headline.remedy and "was refused" in verdict.msg


def test_a_pod_without_a_shell_is_one_headline_that_says_to_leave_it_out():
    reason = 'exec in default/%s could not be run: exec: "sh": executable file not found in $PATH' % POD
    gaps = tuple(Unobserved(what, "ip", reason) for what in ("links", "addresses", "routes", "neighbours"))
    verdict = judge(with_pod(recording(), POD, lambda pod: pod._replace(facts=pod.facts._replace(unobserved=gaps))))
    (headline,) = [finding for finding in verdict.findings if finding.cause is None]
    assert headline.subject.name == POD and "pod_selector" in headline.remedy


def test_an_empty_cluster_proves_nothing():
    empty = recording()._replace(nodes=(), pods=(), pools=(), blocks=(), affinities=(), handles=(), workloads=())
    verdict = judge(empty)
    assert verdict.failed
    assert verdict.summary["failed"] == 0
    assert "no node" in verdict.msg


def test_a_verdict_in_which_nothing_passed_fails_even_where_nothing_failed():
    verdict = judge(recording(), checks=["connectivity.*"])
    assert verdict.summary["passed"] == 0
    assert verdict.failed
    assert verdict.findings[0].id == "verdict.empty"
    assert verdict.msg == "Nothing was proved: every check was skipped (no probe was made (connectivity_assert makes them))"


def test_where_every_check_was_left_out_the_remedy_speaks_of_that_and_it_is_said_once():
    verdict = judge(recording(), skip_checks=["*"])
    assert verdict.failed
    assert verdict.msg == "Nothing was proved: every check was left out"
    assert "skip_checks" in verdict.findings[0].remedy and "cluster" not in verdict.findings[0].remedy


def test_a_verdict_in_which_nothing_passed_says_so_beside_its_first_cause():
    snapshot = recording()
    lists = ("nodes", "pods", "ippools", "ipamblocks", "blockaffinities", "ipamhandles", "daemonsets", "deployments")
    gaps = tuple(Unobserved(plural, "kubectl get " + plural, "refused") for plural in lists)
    verdict = judge(snapshot._replace(header=snapshot.header._replace(unobserved=gaps)), checks=["ipam.*", "api.*"])
    assert verdict.summary["passed"] == 0
    assert re.fullmatch(r"Nothing was proved: (\d+) of \1 checks could not be decided: cluster: nodes: refused", verdict.msg)
