# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/filters.md promises: each filter and test renders in ansible-doc, and its example is true."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from conftest import CHECKOUT

PAGE = (CHECKOUT / "docs" / "filters.md").read_text()
NAMED = {kind: re.findall(rf"^\| `podnet\.calico\.(\w+)` \| {kind} \|", PAGE, re.MULTILINE) for kind in ("filter", "test")}
CASES = [(kind, name) for kind, names in NAMED.items() for name in names]


@pytest.fixture(scope="module")
def documents(stranger):
    """What ansible-doc says of every plugin that the page names, by kind and name."""
    found = {}
    for kind, names in NAMED.items():
        ended = stranger.command("ansible-doc", "--json", "--type", kind, *(f"podnet.calico.{name}" for name in names))
        assert ended.returncode == 0, ended.stderr
        found |= {(kind, name.rpartition(".")[2]): entry for name, entry in json.loads(ended.stdout).items()}
    return found


def test_the_page_names_what_there_is():
    """The other filters are the roles' own: they judge what a lab is built on."""
    for kind, names in NAMED.items():
        there = {file.stem for file in (CHECKOUT / "plugins" / kind).glob("*.py")}
        own = set(re.findall(r"podnet\.calico\.(\w+)", " ".join(file.read_text() for file in (CHECKOUT / "roles").rglob("*.yml"))))
        assert set(names) <= there and there - set(names) <= own and len(set(names)) == len(names)


@pytest.mark.parametrize(("kind", "name"), CASES)
def test_ansible_doc_renders_it(documents, kind, name):
    entry = documents[kind, name]
    assert entry["doc"]["short_description"] and entry["doc"]["options"]["_input"]["required"]
    assert entry["return"]["_value"]["type"] and yaml.safe_load(entry["examples"])


def test_every_example_is_true(stranger, documents, tmp_path):
    tasks = [task for case in CASES for task in yaml.safe_load(documents[case]["examples"])]
    assert len(tasks) >= len(CASES) and all("that" in task["ansible.builtin.assert"] for task in tasks)
    playbook = tmp_path / "examples.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    run = stranger.play(str(playbook))
    assert run.code == 0, run.fault or run.text
    assert run.stats["ok"] == len(tasks)


def test_the_inventory_plugin_renders_in_ansible_doc(stranger):
    ended = stranger.command("ansible-doc", "--json", "--type", "inventory", "podnet.calico.cluster")
    assert ended.returncode == 0, ended.stderr
    options = json.loads(ended.stdout)["podnet.calico.cluster"]["doc"]["options"]
    assert {"kubeconfig", "keyed_groups", "cache", "snapshot"} <= set(options)


def test_the_playbook_of_the_page_is_true(stranger, tmp_path):
    (playbook,) = re.findall(r"```yaml\n(- name: .*?)```", PAGE, re.DOTALL)
    (tmp_path / "page.yml").write_text(playbook)
    run = stranger.play(str(tmp_path / "page.yml"))
    assert run.code == 0, run.fault or run.text
