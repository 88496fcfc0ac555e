# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules from their options to their result, on a cluster of dictionaries. What is judged is tested elsewhere."""

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.plugins.module_utils import _judgement, _snapshot
from ansible_collections.podnet.calico.plugins.module_utils._checks import OUTCOMES
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._errors import FORBIDDEN, PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    CheckResult,
    Evidence,
    Finding,
    Subject,
    Verdict,
)
from ansible_collections.podnet.calico.plugins.module_utils._parallel import Deadline
from ansible_collections.podnet.calico.plugins.modules import routing_assert, topology_info
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import CRD
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import BLOCK2, WORKER
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording, without_route

LIVE = (
    "block_affinity_info",
    "connectivity_assert",
    "node_route_info",
    "pod_path_info",
    "pod_route_info",
    "routing_assert",
    "routing_snapshot",
    "topology_info",
)


def finding(number):
    """A finding."""
    return Finding("x.y", "failed", "major", "one", Subject("Route"), "e", "a", "message %d" % number, "r", Evidence("w", "c", "o"))


@pytest.fixture(name="verdict")
def verdict_fixture(monkeypatch):
    """Judge everything as failed, with three findings."""
    verdict = Verdict(
        1, True, "1 of 1 checks failed", dict(dict.fromkeys(OUTCOMES, 0), total=1, failed=1),
        (CheckResult("x.y", "title", "one", "failed", 3, 0, 3),), tuple(finding(number) for number in range(3)),
    )  # fmt: skip
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: verdict)
    return verdict


def test_a_pod_is_returned_with_its_hosts_side(run, cluster):
    result = run("pod_route_info")
    assert [pod["name"] for pod in result["pods"]] == ["a", "b", "c"]
    assert result["pods"][0]["mtu"] == 1450
    assert result["pods"][0]["host"]["interface"].startswith("cali")
    assert result["changed"] is False


def test_pods_that_are_not_selected_are_not_returned(run, cluster):
    cluster.lists["/api/v1/pods"][0]["metadata"]["labels"] = {"app": "x"}
    assert [pod["name"] for pod in run("pod_route_info", pod_selector="app=x")["pods"]] == ["a"]


@pytest.mark.parametrize(("name", "plural", "options"), [("pod_route_info", "pods", {"pod_selector": "app=x"}), ("node_route_info", "nodes", {})])
def test_what_is_not_returned_because_it_may_not_be_listed_is_said(run, cluster, name, plural, options):
    cluster.failures["/api/v1/" + plural] = PodnetError("it is forbidden", reason=FORBIDDEN)
    result = run(name, **options)
    assert result[plural] == []
    assert [(gap["what"], gap["reason"].partition(". ")[0]) for gap in result["unobserved"]] == [(plural, "it is forbidden")]


def test_a_node_that_could_not_be_asked_is_returned_with_the_reason(run, cluster):
    del cluster.lists["/api/v1/pods"][4]
    node = run("node_route_info")["nodes"][1]
    assert node["routes"] == []
    assert "no calico-node pod runs on it" in node["unobserved"][0]["reason"]


def test_blocks_are_counted_and_their_owners_named(run, cluster):
    spec = {"cidr": "192.168.0.0/26", "affinity": "host:one", "allocations": [0, None], "attributes": [{"handle_id": "h"}]}
    cluster.lists[CRD + "ipamblocks"] = [{"metadata": {"name": "b"}, "spec": spec}]
    result = run("block_affinity_info")
    assert result["by_node"] == {"one": ["192.168.0.0/26"]}
    assert (result["pools"][0]["blocks"], result["pools"][0]["in_use"], result["blocks"][0]["free"]) == (1, 1, 63)
    assert any("192.168.0.0/26" in sentence for sentence in result["contradictions"])  # no affinity for it


def test_the_topology_needs_no_calico(run, cluster):
    cluster.groups = []
    nodes = run("topology_info")["nodes"]
    assert [(node["name"], node["role"], node["ready"]) for node in nodes] == [("one", "worker", True), ("two", "worker", True)]


CONTAINERS = [
    {"name": "one", "container_id": "0f", "image": "kindest/node:v1", "kind": "k8s-kind", "state": "running", "ipv4_address": "ADDRESS/16"},
    {"name": "three", "container_id": "1f", "image": "kindest/node:v1", "kind": "k8s-kind", "state": "exited", "ipv4_address": "N/A"},
]


def test_the_topology_joins_nodes_and_containers_and_says_where_they_differ(run, cluster):
    cluster.lists["/api/v1/nodes"][0]["status"]["addresses"] = [{"type": "InternalIP", "address": "172.18.0.2"}]
    told = run("topology_info", inspect=json.dumps({"lab": CONTAINERS}).replace("ADDRESS", "172.18.0.2"))
    assert [(node["name"], (node["container"] or {}).get("container_id")) for node in told["nodes"]] == [("one", "0f"), ("two", None)]
    assert told["disagreements"] == ["two is a node of the cluster and no container", "three is a container and no node of the cluster"]
    moved = run("topology_info", inspect=json.dumps({"lab": CONTAINERS}).replace("ADDRESS", "198.51.100.7"))
    assert "one has the InternalIP 172.18.0.2, and its container the address 198.51.100.7" in moved["disagreements"]


def test_what_is_no_inspection_is_refused(run):
    assert "inspect is not what containerlab inspect -f json" in run("topology_info", inspect="ERRO[0000] no such file")["msg"]


@pytest.mark.parametrize("name", [name for name in LIVE if name != "topology_info"])
def test_a_cluster_without_calico_fails_with_a_message_and_no_traceback(run, cluster, name):
    cluster.groups = []
    result = run(name)
    assert result["failed"]
    assert result["msg"].startswith("The cluster at https://fake has no Calico")
    assert "exception" not in result


def test_a_snapshot_is_written_and_reads_back_as_it_was(run, tmp_path):
    path = str(tmp_path / "snapshot.jsonl.gz")
    result = run("routing_snapshot", path=path, evidence=["api", "nodes", "pods"])
    assert (result["snapshot_path"], result["changed"]) == (path, False)
    assert result["nodes"] == {"total": 2, "observed": 2}
    assert result["pods"] == {"total": 5, "observed": 3}
    assert [node.name for node in _snapshot.read(path).nodes] == ["one", "two"]


def test_check_mode_writes_nothing(run, tmp_path):
    result = run("routing_snapshot", check_mode=True, path=str(tmp_path / "snapshot.jsonl"))
    assert result["snapshot_path"] is None
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(run):
    assert "/nonexistent/snapshot.jsonl cannot be written" in run("routing_snapshot")["msg"]


def test_a_verdict_is_judged_from_a_file_without_a_cluster(run, cluster, tmp_path, verdict):
    path = str(tmp_path / "snapshot.jsonl")
    _snapshot.write(path, collect(cluster, EVIDENCE))
    cluster.execs.clear()
    result = run("routing_assert", snapshots=[path])
    assert result["summary"]["failed"] == 1
    assert result["snapshot_path"] == path
    assert not cluster.execs


def test_a_file_that_is_no_snapshot_is_called_so(run, tmp_path):
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir\n")
    assert "letter.txt, line 1: not JSON" in run("routing_assert", snapshots=[str(path)])["msg"]


def test_a_failed_verdict_returns_all_that_a_passed_one_returns(run, verdict, tmp_path):
    result = run("routing_assert", verdict_path=str(tmp_path / "v.json"), snapshot_path=str(tmp_path / "s.jsonl"))
    assert result["failed"] is True
    told = {"msg", "summary", "results", "findings", "verdict_path", "snapshot_path", "schema_version", "changed", "failed", "screen"}
    assert set(result) >= told
    assert result["results"][0]["subjects"]["failed"] == 3


def test_the_screen_asks_the_cluster_that_was_judged(run, monkeypatch):
    remedy = finding(1)._replace(remedy="Put it back: kubectl exec -n a b -- ip route add c")
    verdict = Verdict(1, True, "m", dict.fromkeys(("total", *OUTCOMES), 0), (), (remedy,))
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: verdict)
    result = run("routing_assert", context="my lab")
    assert result["screen"][-1].strip() == "kubectl --context 'my lab' exec -n a b -- ip route add c"


def test_findings_beyond_the_limit_are_in_the_file_and_the_message_says_so(run, verdict, tmp_path):
    path = tmp_path / "v.json"
    result = run("routing_assert", max_findings=2, verdict_path=str(path))
    assert len(result["findings"]) == 2
    assert "2 of 3 findings are returned" in result["msg"]
    assert len(json.loads(path.read_text())["findings"]) == 3


def test_the_options_of_judgement_reach_it(run, monkeypatch, verdict):
    seen = {}
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: seen.update(options) or verdict)
    run("routing_assert", checks=["blocks.*"], skip_checks=["bgp.*"], fail_on=["failed"], intent={"bgp": True})
    assert seen == {"intent": {"bgp": True}, "checks": ["blocks.*"], "skip_checks": ["bgp.*"], "fail_on": ("failed",)}


def test_a_check_that_does_not_exist_is_an_error_of_the_task(run):
    assert "nonsense" in run("routing_assert", checks=["nonsense"])["msg"]


def test_it_waits_until_the_verdict_is_good(run, monkeypatch, verdict):
    verdicts = iter([verdict, verdict, verdict._replace(failed=False, findings=())])
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: next(verdicts))
    assert run("routing_assert", wait=30, wait_sleep=0.01)["failed"] is False
    assert next(verdicts, None) is None


@pytest.mark.parametrize(
    ("outcome", "actual", "looks"),
    [
        ("failed", "no route", 2),
        ("inconclusive", "exec timed out", 2),
        ("inconclusive", 'refused. Grant verb "list" on resource "pods"', 1),
        ("inconclusive", "nothing is selected: all 5 pods are left out by pod_selector", 1),
    ],
)
def test_it_waits_only_for_what_time_may_heal(run, monkeypatch, verdict, outcome, actual, looks):
    bad = verdict._replace(findings=(verdict.findings[0]._replace(outcome=outcome, actual=actual, cause=None),))
    verdicts = [verdict._replace(failed=False, findings=()), bad]
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: verdicts.pop())
    result = run("routing_assert", wait=30, wait_sleep=0.01)
    assert (2 - len(verdicts), result["failed"]) == (looks, looks == 1)
    assert result["at_first"] == (bad.msg if looks == 2 else None)
    assert any(line.startswith("At first") for line in result["screen"]) == (looks == 2)


def test_a_look_that_fails_takes_back_nothing_and_one_deadline_holds_for_all(run, monkeypatch, verdict, cluster):
    looks = []

    def live(module, cluster):
        looks.append(cluster.deadline)
        if len(looks) > 1:
            raise PodnetError("the API has gone away")
        return recording()

    monkeypatch.setattr(routing_assert, "live_snapshot", live)
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, **options: verdict)
    result = run("routing_assert", wait=30, wait_sleep=0.01)
    assert result["failed"] and result["msg"].startswith(verdict.msg)
    assert len(looks) == 2 and looks[0] is looks[1]
    assert run("routing_assert", wait=30, wait_sleep=0.01)["msg"] == "the API has gone away"
    looks.clear()
    cluster.deadline = Deadline(0.4)
    run("routing_assert", wait=30, wait_sleep=0.5)
    assert len(looks) == 1, "a second look would not have ended in time"


def test_the_intent_that_lies_beside_a_kept_snapshot_judges_it_again(run, monkeypatch, verdict, tmp_path):
    asked = []
    monkeypatch.setattr(_judgement._checks, "judge", lambda snapshot, intent, **options: asked.append(intent) or verdict)
    path = tmp_path / "snapshot.jsonl"
    _snapshot.write(str(path), recording())
    run("routing_assert", snapshots=[str(path)])
    (tmp_path / "intent.json").write_text('{"bgp": true}')
    run("routing_assert", snapshots=[str(path)])
    run("routing_assert", snapshots=[str(path)], intent={"bgp": False})
    assert asked == [None, {"bgp": True}, {"bgp": False}]
    (tmp_path / "intent.json").write_text("[")
    assert "intent.json, the intent that this snapshot was judged by, cannot be read" in run("routing_assert", snapshots=[str(path)])["msg"]


def test_connectivity_is_judged_by_the_checks_of_its_family(run, cluster):
    result = run("connectivity_assert")
    assert {entry["id"].partition(".")[0] for entry in result["results"]} == {"connectivity"}
    assert [probe["destination"] for probe in result["probes"]] == ["default/c", "default/b"]
    assert result["failed"]  # the fake pods print nothing


def test_a_probe_that_was_asked_for_and_cannot_be_made_is_inconclusive(run, cluster):
    del cluster.lists["/api/v1/pods"][:3]
    result = run("connectivity_assert")
    assert result["failed"]
    assert {entry["outcome"] for entry in result["results"]} == {"inconclusive"}
    assert any("no two ready pods on two nodes among the 0 that were selected" in entry["message"] for entry in result["findings"])


def test_named_pairs_are_probed(run):
    result = run("connectivity_assert", pairs=[{"source": "b", "destination": "default/a"}])
    assert [(probe["source"], probe["destination"]) for probe in result["probes"]] == [("default/b", "default/a")]


def test_a_path_over_nodes_without_routes_is_lost_and_says_where(run):
    result = run("pod_path_info")
    assert result["path"]["outcome"] == "lost"
    assert result["text"][-1].startswith("lost: one has no route to 192.168.1.1")


def test_a_pod_of_the_host_network_has_no_path(run):
    message = run("pod_path_info", destination="calico-system/calico-node-two")["msg"]
    assert "calico-system/calico-node-two has no address of its own in the pod network" in message


def test_reports_are_written_beside_each_other(run, verdict, tmp_path):
    path = str(tmp_path / "v.json")
    run("routing_assert", verdict_path=path)
    result = run("routing_report", verdicts=[path], formats=["html", "junit", "markdown"], dest=str(tmp_path))
    assert result["reports"] == {name: str(tmp_path / ("report" + end)) for name, end in
                                 (("html", ".html"), ("junit", ".xml"), ("markdown", ".md"))}  # fmt: skip
    assert "message 2" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_file_that_is_no_verdict_is_called_so(run, tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert "x.json is not a verdict of podnet.calico" in run("routing_report", verdicts=[str(path)], dest=str(tmp_path))["msg"]


@pytest.mark.parametrize(("option", "value"), [("concurrency", 0), ("deadline", -1), ("exec_timeout", 0)])
def test_limits_must_be_positive(option, value, capsys):
    with patch_module_args({option: value}), pytest.raises(SystemExit):
        topology_info.main()
    assert "%s is %d and must be greater than 0" % (option, value) in json.loads(capsys.readouterr().out)["msg"]


def test_the_path_of_a_kubeconfig_is_no_secret(capsys, tmp_path):
    pytest.importorskip("kubernetes")
    path = str(tmp_path / "none")
    with patch_module_args({"kubeconfig": path}), pytest.raises(SystemExit):
        topology_info.main()
    assert "The kubeconfig %s cannot be read" % path in json.loads(capsys.readouterr().out)["msg"]


def test_with_diff_the_routes_that_differ_are_returned_and_shown_on_the_screen(run, tmp_path):
    path = tmp_path / "snapshot.jsonl"
    broken = without_route(recording(), WORKER, BLOCK2)
    _snapshot.write(str(path), broken)
    result = run("routing_assert", snapshots=[str(path)], _ansible_diff=True)
    assert result["failed"] and [entry["after"] for entry in result["diff"]] == [f"{BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink\n"]
    assert result["screen"][-2:] == [
        f"Routes       {WORKER}: - observed, + expected",
        f"               + {BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink",
    ]
    assert "diff" not in run("routing_assert", snapshots=[str(path)])
    _snapshot.write(str(path), recording())
    assert run("routing_assert", snapshots=[str(path)], _ansible_diff=True)["diff"] == []
