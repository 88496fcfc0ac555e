# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many jobs, few at a time, none past the deadline."""

from __future__ import annotations

import threading

from ansible_collections.podnet.calico.plugins.module_utils._parallel import Deadline, run_all


def test_outcomes_come_in_the_order_of_the_jobs():
    assert [outcome.value for outcome in run_all(lambda n: n * n, list(range(50)), 7, Deadline(10))] == [
        n * n for n in range(50)
    ]


def test_an_error_is_an_outcome_of_its_own_job():
    def job(number):
        if number == 1:
            raise ValueError("one")
        return number

    outcomes = run_all(job, [0, 1, 2], 2, Deadline(10))
    assert [outcome.value for outcome in outcomes] == [0, None, 2]
    assert str(outcomes[1].error) == "one"


def test_no_more_run_at_a_time_than_allowed():
    running, most, lock = [], [], threading.Lock()

    def job(number):
        with lock:
            running.append(number)
            most.append(len(running))
        threading.Event().wait(0.01)
        with lock:
            running.remove(number)

    run_all(job, list(range(20)), 3, Deadline(10))
    assert max(most) <= 3


def test_a_job_that_never_ends_is_left_behind_at_the_deadline():
    release = threading.Event()
    outcomes = run_all(lambda job: job == "good" or release.wait(30), ["good", "stuck"], 2, Deadline(0.3))
    release.set()
    assert [outcome.finished for outcome in outcomes] == [True, False]
