# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules, run with options on a cluster of dictionaries."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_cluster import FakeCluster

MODULES = "ansible_collections.podnet.calico.plugins.modules."
REQUIRED = {
    "pod_path_info": {"source": "default/a", "destination": "default/b"},
    "routing_snapshot": {"path": "/nonexistent/snapshot.jsonl"},
}


@pytest.fixture(name="cluster")
def cluster_fixture():
    """Two nodes, three pods."""
    return FakeCluster()


@pytest.fixture(name="run")
def run_fixture(monkeypatch, capsys, cluster):
    """Run a module with options on the fake cluster; its result."""

    def run(name, check_mode=False, **options):
        module = importlib.import_module(MODULES + name)
        if hasattr(module, "cluster_of"):
            monkeypatch.setattr(module, "cluster_of", lambda module: cluster)
        with patch_module_args(dict(REQUIRED.get(name, {}), _ansible_check_mode=check_mode, **options)), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run
