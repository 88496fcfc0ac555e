# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The job templates and workflows of the folder awx, run as AWX runs them, on a lab in the sandbox as the existing cluster."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from conftest import CHECKOUT, ansible_playbook
from playing import FAILED, SUCCESSFUL, Awx, clean_environment, clone

NAME = "awx-played"
KEYS = {"podnet_verdict", "podnet_summary", "podnet_headlines", "podnet_verdict_path", "podnet_report_path"}
#: Bytes. Artifacts are repeated in each job after, in its variables and in the database.
FEW = 4096


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> dict:
    """An existing cluster: its kubeconfig's text, and how it is broken and healed."""
    home = tmp_path_factory.mktemp("lab")

    def play(playbook: str, **variables: str) -> None:
        ended = ansible_playbook(home, f"podnet.calico.{playbook}", {"podnet_lab_name": NAME, **variables}, PODNET_LAB_DIR=str(home / "lab"))
        assert ended.returncode == 0, ended.stdout + ended.stderr

    try:
        play("deploy")
        yield {"kubeconfig": (home / "lab" / "kubeconfig").read_text(), "play": play}
    finally:
        play("destroy")


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """A folder that all jobs see."""
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="session")
def awx(lab, calls, shared, tmp_path_factory):
    """Loaded with the folder awx, its awx_setup_dir being the shared folder; without a context in the credential."""
    moved = json.loads(json.dumps(calls).replace("/tmp/podnet", str(shared)))
    with clean_environment():
        yield Awx(tmp_path_factory.mktemp("awx"), moved, lab["kubeconfig"])


def secrets_of(kubeconfig: str) -> list[str]:
    user = yaml.safe_load(kubeconfig)["users"][0]["user"]
    return [str(value) for value in user.values() if len(str(value)) > 20]


@pytest.fixture(scope="session")
def verified(awx):
    """The workflow of a sound cluster, with an answer to most questions."""
    asked = {
        "pod_routing_evidence": ["api", "nodes", "pods", "probes"],
        "pod_routing_pod_selector": "app in (multitool-1, multitool-2)",
        "pod_routing_concurrency": 8,
        "pod_routing_wait": 20,
        "pod_routing_deadline": 120.0,
    }
    return awx.workflow("podnet cluster", {"verify": asked})


def test_a_sound_cluster_is_verified_and_reported(verified):
    status, jobs = verified
    assert status == SUCCESSFUL, "".join(job.stdout for job in jobs.values())
    assert {name: job.rc for name, job in jobs.items()} == {"verify": 0, "report": 0}
    verdict = jobs["verify"].artifacts
    assert verdict["podnet_verdict"] == "passed" and verdict["podnet_headlines"] == []
    assert verdict["podnet_summary"]["passed"] > 100 and verdict["podnet_summary"]["failed"] == 0
    assert jobs["report"].artifacts["podnet_summary"] == verdict["podnet_summary"]


def test_the_answers_were_heard(verified):
    document = json.loads(Path(verified[1]["verify"].artifacts["podnet_verdict_path"]).read_text())
    passed = {result["id"].partition(".")[0] for result in document["results"] if result["outcome"] == "passed"}
    assert {"pods", "connectivity"} <= passed


def test_what_is_published_is_small_prefixed_and_no_secret(verified, lab, calls):
    _status, jobs = verified
    assert set(jobs["verify"].artifacts) == KEYS and set(jobs["report"].artifacts) == KEYS - {"podnet_verdict_path"}
    for job in jobs.values():
        text = json.dumps(job.artifacts)
        assert len(text) < FEW
        secrets = secrets_of(lab["kubeconfig"])
        assert secrets and not [secret for secret in secrets if secret in text + job.stdout]


def test_no_published_name_is_read_by_a_role_but_the_reports(calls):
    """An artifact overrides every variable of its name in all jobs after."""
    read = set()
    for path in (CHECKOUT / "roles").glob("*/meta/argument_specs.yml"):
        for name, entry in yaml.safe_load(path.read_text())["argument_specs"].items():
            read |= set() if (path.parts[-3], name) == ("pod_routing", "report") else set(entry["options"])
    assert not read & KEYS


def test_the_report_is_where_it_outlives_the_job(verified, shared):
    _status, jobs = verified
    report = Path(jobs["report"].artifacts["podnet_report_path"])
    assert report.is_file() and report.is_relative_to(shared)
    assert "PASSED" in jobs["report"].stdout and "checks passed" in jobs["report"].stdout


def test_an_empty_context_of_the_credential_is_the_current_one(verified):
    assert f"context {NAME}, from " in verified[1]["verify"].stdout


def test_the_credential_is_a_private_file_its_context_is_used_and_the_checkout_stays_as_it_was(awx, lab):
    config = yaml.safe_load(lab["kubeconfig"])
    config["contexts"].append({**config["contexts"][0], "name": "the-other"})
    config["current-context"] = ""
    seen = {}

    def look(private: Path) -> None:
        project = private / "project"
        seen["mode"] = (private / "env" / "tmp_credential").stat().st_mode & 0o777
        seen["files"] = {path.relative_to(project) for path in project.rglob("*") if "__pycache__" not in path.parts}

    other = Awx(awx.folder / "other", awx.calls, yaml.safe_dump(config), "the-other")
    job = other.job("podnet verify", look=look)
    assert job.rc == 0 and "context the-other, from " in job.stdout, job.stdout
    assert seen == {"mode": 0o600, "files": {path.relative_to(awx.project) for path in awx.project.rglob("*")}}


def test_a_broken_cluster_fails_the_workflow_and_the_report_names_the_cause(awx, lab):
    lab["play"]("break", podnet_fault="block-route-gateway")
    try:
        status, jobs = awx.workflow("podnet cluster", {"verify": {"pod_routing_wait": 0}})
    finally:
        lab["play"]("break", podnet_fault_state="absent")
    assert status == FAILED and jobs["verify"].status == jobs["report"].status == FAILED
    published = jobs["report"].artifacts
    assert published["podnet_verdict"] == "failed" and published["podnet_summary"]["failed"] > 0
    assert published["podnet_headlines"] == jobs["verify"].artifacts["podnet_headlines"] != []
    assert published["podnet_headlines"][0] in jobs["report"].stdout and "kubectl exec -n" in jobs["report"].stdout


def test_a_green_job_without_a_verdict_fails_the_report(awx):
    """A limit that leaves localhost out: no play runs, and the job is successful."""
    judge = awx.job("podnet judge", limit="shards")
    assert judge.status == SUCCESSFUL and judge.artifacts == {}, judge.stdout
    report = awx.job("podnet report", artifacts=judge.artifacts)
    assert report.status == FAILED and report.artifacts["podnet_verdict"] == "missing"
    assert "left no verdict" in report.stdout


def test_shards_are_collected_in_slices_and_judged_as_one(awx):
    status, jobs = awx.workflow("podnet cluster by shards")
    assert status == SUCCESSFUL, "".join(job.stdout for job in jobs.values())
    assert {f"podnet_shard_shard_{number}" for number in (1, 2, 3)} <= set(jobs["snapshot"].artifacts)
    assert jobs["judge"].artifacts["podnet_verdict"] == "passed" and jobs["judge"].artifacts["podnet_summary"]["passed"] > 100
    assert jobs["report"].artifacts["podnet_verdict"] == "passed"


@pytest.mark.parametrize(
    "artifacts",
    [
        {"podnet_verdict": "passed"},
        {"podnet_verdict": ["passed"], "podnet_summary": "{{ 7 * 7 }}", "podnet_headlines": {"a": "{{ lookup('pipe', 'id') }}"}},
        {"podnet_verdict": "passed", "podnet_summary": dict.fromkeys(["total", "passed", "failed", "warning", "skipped", "inconclusive"], 0)},
        {"podnet_verdict": "passed", "podnet_verdict_path": "/etc/passwd",
         "podnet_summary": {"total": 1, "passed": 1, "failed": 0, "warning": 0, "skipped": 0, "inconclusive": 0}},
    ],
    ids=["no counts", "odd types", "nothing passed", "another file"],
)  # fmt: skip
def test_what_is_no_verdict_is_no_pass(awx, artifacts):
    job = awx.job("podnet report", artifacts=artifacts)
    assert job.status == FAILED and job.artifacts["podnet_verdict"] == "malformed", job.stdout
    assert "uid=" not in job.stdout and "root:" not in job.stdout


def test_a_verdict_out_of_reach_is_believed_and_said_to_be_out_of_reach(awx):
    counts = {"total": 3, "passed": 2, "failed": 0, "warning": 0, "skipped": 1, "inconclusive": 0}
    job = awx.job("podnet report", artifacts={"podnet_verdict": "passed", "podnet_summary": counts, "podnet_verdict_path": "/gone/verdict.json"})
    assert job.rc == 0 and job.artifacts["podnet_report_path"] == "" and "not within reach" in job.stdout


def test_an_archive_is_no_project_for_awx_writes_links_as_files(awx, tmp_path):
    """Said in awx/README.md: the collection is found through a link."""
    project = clone(tmp_path / "archive")
    link = project / "collections/ansible_collections/podnet/calico"
    link.unlink()
    link.write_text("../../..")
    job = awx.job("podnet report", project=project)
    assert job.status == FAILED and "podnet.calico" in job.stdout
