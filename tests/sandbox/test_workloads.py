# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads in the whole sandbox but its API server: real processes, real volumes, real ends."""

from __future__ import annotations

import isolated
import pytest

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def seen():
    return isolated.run("whole_workloads:observe", timeout=120)


def test_each_pod_of_an_indexed_job_knows_its_index(seen):
    assert seen["sum"] == {"sum-0": "0\n", "sum-1": "1\n"}


def test_a_job_that_failed_has_its_pods_exit_code_and_no_route_to_it(seen):
    assert seen["bad"]["failed"] == 1
    assert seen["bad_pod"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3
    for address, routes in seen["routes"].items():
        assert address not in routes


def test_a_statefulsets_pods_are_called_by_their_names(seen):
    assert seen["hosts"] == ["db-0", "db-1"]


def test_init_containers_leave_their_work_in_a_volume(seen):
    assert seen["reader"].startswith("first\none\n")


def test_a_running_container_reads_what_a_configmap_says_now(seen):
    assert seen["reader_later"].endswith("two\n")


def test_a_container_that_crashes_waits_in_crashloopbackoff(seen):
    crash = seen["crash"]
    assert crash["state"]["waiting"]["reason"] == "CrashLoopBackOff" and crash["restartCount"] == 1
    assert crash["lastState"]["terminated"]["exitCode"] == 2
