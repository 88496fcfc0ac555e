# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real kube-apiserver's conversations, replayed to a sandbox that was brought up alike: it must answer each as it did.

`conversation_differences.py` compares status, headers and bodies; `conversation_reasons.py` lists what may differ, and why.
"""

from __future__ import annotations

import pytest
from conversation_differences import ABSENT, CONVERSATIONS, differences, unused_reasons, walk


@pytest.mark.parametrize("case", [item["case"] for item in CONVERSATIONS])
def test_the_sandbox_answers_as_the_real_server_did(case):
    unexplained = [(item.where, item.recorded, item.ours) for item in differences() if item.case == case and not item.reason]
    assert unexplained == []


def test_every_reason_is_still_needed():
    assert unused_reasons() == []


def test_most_conversations_do_not_differ_at_all():
    """The reasons stay a short list about the state of the cluster, not about what requests mean."""
    assert len({item.case for item in differences()}) <= 26


@pytest.mark.parametrize(
    ("theirs", "ours", "places"),
    [
        ({"uid": "a", "name": "x"}, {"uid": "b", "name": "x"}, []),
        ({"uid": "a"}, {}, ["uid"]),
        ({"creationTimestamp": None}, {"creationTimestamp": "2026-01-01T00:00:00Z"}, ["creationTimestamp"]),
        ([{"name": "a", "v": 1}, {"name": "b"}], [{"name": "b"}, {"name": "a", "v": 2}], ["[a].v"]),
        ([{"name": "a"}], [], ["[0]"]),
        ({"lastProbeTime": None}, {"lastProbeTime": ABSENT}, ["lastProbeTime"]),
    ],
)
def test_a_difference_is_found_where_it_is(theirs, ours, places):
    assert [where for where, *_ignored in walk(theirs, ours, "")] == places
