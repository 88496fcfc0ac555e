# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster recorded with kubectl alone is judged, elsewhere and later, as it would have been judged live."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

SCRIPT = "ansible_collections/podnet/calico/roles/pod_routing/files/record-cluster"
WORKLOADS = "app in (multitool-1,multitool-2)"


@pytest.fixture(scope="module")
def record(stranger):
    """Run the script as it was installed."""

    def run(folder, *options, **environment):
        return stranger.command(str(stranger.collections / SCRIPT), str(folder), *options, **environment)

    return run


@pytest.fixture(scope="module")
def recorded(lab, record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded") / "cluster"
    ended = record(folder, "--kubeconfig", str(lab.kubeconfig), POD_SELECTOR=WORKLOADS)
    assert ended.returncode == 0, ended.stderr
    assert not (folder / "problems.txt").exists()
    return folder


@pytest.fixture
def judge(stranger):
    """What the installed collection says of a snapshot or a folder."""

    def run(path, **variables):
        given = {"podnet_provider": "existing", "podnet_lab_name": "recorded", "pod_routing_snapshots": [str(path)], **variables}
        return stranger.play("podnet.calico.verify", variables=given)

    return run


def outcomes(run):
    """Outcome by check and node, as the verdict's file has it."""
    with open(run.published["podnet_verdict_path"], encoding="utf-8") as stream:
        return {(result["id"], result["node"]): result["outcome"] for result in json.load(stream)["results"]}


def test_a_recorded_cluster_is_judged_as_the_living_one(lab, recorded, judge):
    live = lab.stranger.play(
        "podnet.calico.verify",
        variables={
            "podnet_provider": "existing",
            "podnet_lab_name": "live",
            "pod_routing_kubeconfig": str(lab.kubeconfig),
            "pod_routing_evidence": ["api", "nodes", "pods"],
            "pod_routing_pod_selector": WORKLOADS,
        },
    )
    run = judge(recorded)
    assert run.code == 0, run.fault
    assert run.published["podnet_summary"]["passed"] > 100
    assert outcomes(run) == outcomes(live)


def test_the_recording_is_for_its_owner_alone(recorded):
    assert stat.S_IMODE(recorded.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in recorded.rglob("*") if path.is_file()} == {0o600}


def test_a_fault_in_a_recording_fails_the_run_and_is_named(lab, recorded, judge, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(recorded, broken)
    node = broken / "nodes" / f"{lab.name}-worker" / "ip-j-d-route-table-all.json"
    routes = json.loads(node.read_text())
    (gone, *_others) = [route for route in routes if route["dst"].endswith("/26") and "gateway" in route]
    node.write_text(json.dumps([route for route in routes if route != gone]))
    run = judge(broken)
    assert run.code != 0
    assert f"{lab.name}-worker" in run.fault and gone["dst"] in run.fault


def test_the_snapshot_that_a_run_kept_is_judged_again_alike(recorded, judge):
    first = judge(recorded)
    runs = Path(first.published["podnet_verdict_path"]).parents[1]
    assert outcomes(judge(runs / "latest" / "snapshot.jsonl.gz")) == outcomes(first)


def test_a_text_names_a_file_as_a_list_does(recorded, judge, tmp_path):
    """As a survey of AWX and -e name=value give it."""
    assert outcomes(judge(recorded, pod_routing_snapshots=str(recorded))) == outcomes(judge(recorded))
    assert f"{tmp_path}/none does not exist" in judge(recorded, pod_routing_snapshots=f"{recorded}, {tmp_path}/none").fault


def test_what_is_no_recording_is_named(judge, tmp_path):
    assert f"{tmp_path} holds no recording: it has no list in api/" in judge(tmp_path).fault
    assert f"{tmp_path}/none does not exist" in judge(tmp_path / "none").fault


def test_a_folder_that_holds_something_is_left_alone(record, tmp_path):
    (tmp_path / "mine").write_text("")
    ended = record(tmp_path)
    assert ended.returncode == 2 and f"{tmp_path} is not empty" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_cluster_that_cannot_be_asked_is_no_recording(record, tmp_path):
    ended = record(tmp_path / "x", "--kubeconfig", str(tmp_path / "none"))
    assert ended.returncode == 1
    assert "nothing was recorded" in ended.stderr and "none" in ended.stderr


def test_what_may_not_be_recorded_is_named_and_is_inconclusive(lab, record, judge, tmp_path):
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    kubectl.write_text(f'#!/bin/sh\ncase " $* " in *" exec "*) echo "no exec for you" >&2; exit 1;; esac\nexec {shutil.which("kubectl")} "$@"\n')
    kubectl.chmod(0o755)
    path = f"{kubectl.parent}:{lab.stranger.environment()['PATH']}"
    ended = record(tmp_path / "x", "--kubeconfig", str(lab.kubeconfig), PATH=path)
    assert ended.returncode == 0
    assert "no exec for you" in (tmp_path / "x" / "problems.txt").read_text()
    run = judge(tmp_path / "x")
    assert run.code != 0 and run.published["podnet_summary"]["inconclusive"] > 0 and run.published["podnet_summary"]["failed"] == 0
