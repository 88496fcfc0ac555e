# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each operator of mutations.py on clusters of every mode: the verdict speaks of the node that it is about.

Two clusters an operator, 200 with PODNET_TEST_ALL=1; `make bench` lists what survives.
"""

from __future__ import annotations

import os
from random import Random

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._fib import likeness
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.mutations import MUTATIONS, mutants, speaks_of
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording, with_facts

CLUSTERS = 200 if os.environ.get("PODNET_TEST_ALL") == "1" else 2


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutant_is_spoken_of(name):
    found = list(mutants(name, CLUSTERS))
    assert len(found) == CLUSTERS
    for plan, node, mutant in found:
        assert speaks_of(judge(mutant), node), (plan.mode, plan.version, node)


def with_equal_routes_as_one(snapshot):
    """As a snapshot is that was read from a file."""
    seen = {}
    for node in snapshot.nodes:
        snapshot = with_facts(snapshot, node.name, routes=lambda routes: tuple(map(seen.setdefault, routes, routes)))
    return snapshot


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutant_is_judged_as_well_where_nodes_tables_are_told_by_another_nodes(name, monkeypatch):
    """As they are where they are large: then each node has the same objects, in the same order."""
    for _plan, _node, mutant in mutants(name, CLUSTERS):
        same = with_equal_routes_as_one(mutant)
        filed = judge(same)
        with monkeypatch.context() as patch:
            patch.setattr(likeness, "_FEWEST", 0)
            assert judge(same) == filed


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_mutant_of_a_recording_is_spoken_of(scenario):
    silent = []
    for name, operator in MUTATIONS.items():
        made = operator(Random(name), recording(scenario))
        if made is not None and not speaks_of(judge(made[1]), made[0]):
            silent.append(name)
    assert silent == []


def test_a_cluster_by_chance_is_healthy_before_it_is_mutated():
    chance = Random(0)
    for _number in range(CLUSTERS * 5):
        assert judge(Plan.random(chance).snapshot()).findings == ()
