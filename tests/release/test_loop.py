# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What pre-commit and GitHub run is what `scripts/test lint` and `.ci/run` run, and each is named by an exact version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((CHECKOUT / ".github" / "workflows").glob("*.yml"))
TESTS = (CHECKOUT / "scripts" / "test").read_text()


def test_pre_commit_has_each_lint_and_no_other():
    lints = re.search(r"^lints=\((.*)\)$", TESTS, re.MULTILINE)[1].split()
    (repo,) = yaml.safe_load((CHECKOUT / ".pre-commit-config.yaml").read_text())["repos"]
    assert repo["repo"] == "local", "a hook of another repository has to be fetched"
    assert [hook["entry"] for hook in repo["hooks"]] == [f"scripts/test lint-{lint}" for lint in lints]


def steps(workflow: Path) -> list[dict]:
    return [step for job in yaml.safe_load(workflow.read_text())["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_whole_version(workflow):
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert [use for use in used if not re.fullmatch(r"[\w/-]+@(v\d+\.\d+\.\d+|[0-9a-f]{40})", use)] == []


def test_github_runs_ci_run_with_every_python_that_has_a_lock():
    found = steps(CHECKOUT / ".github" / "workflows" / "ci.yml")
    assert any(step.get("run", "").endswith("bash .ci/run") for step in found)
    pythons = next(step["with"]["python-version"].split() for step in found if "setup-python" in step.get("uses", ""))
    locks = {path.name[2:5] for path in (CHECKOUT / "requirements").glob("py*-run.txt")}
    assert {python.replace(".", "") for python in pythons} == locks
