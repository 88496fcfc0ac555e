# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sandbox brought up as each recorded cluster says what that one said, but for what docs/fidelity.md lists."""

from __future__ import annotations

import pytest
from compare import PAGE, compare_all, rendered, unexplained
from comparing import Difference
from facts import facts
from reasons import Reason, explained
from renaming import Renaming
from states import state_facts

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def comparisons():
    return compare_all()


def test_every_difference_is_listed_with_its_reason(comparisons):
    assert not unexplained(comparisons)


def test_every_listed_difference_is_still_one(comparisons):
    """An entry of reasons.yaml that explains nothing has to go."""
    by, _rest = explained(each for comparison in comparisons for each in comparison.differences)
    assert not [reason for reason, differences in by.items() if not differences]


def test_the_page_says_what_was_compared(comparisons):
    """`make fidelity` writes it."""
    assert PAGE.read_text(encoding="utf-8") == rendered(comparisons)


def test_a_route_that_is_missing_or_another_is_seen():
    """The comparison itself can fail."""
    recorded = '[{"type":"unicast","dst":"192.168.93.192/26","gateway":"172.18.0.3","dev":"eth0","protocol":"80","scope":"global","flags":["onlink"]}]'
    path = "nodes/a/ip-j-d-route-table-all.json"
    there = facts(path, recorded)
    assert there["table main unicast 192.168.93.192/26 eth0 gateway"] == "172.18.0.3"
    assert there != facts(path, recorded.replace("172.18.0.3", "172.18.0.4"))
    assert there != facts(path, recorded.replace("onlink", ""))
    assert facts(path, "[]") == {}


BEFORE_AND_AFTER = """# ip route of each node each time it changed
## 15:05:25.644 (+0.0s) before ip route on worker
blackhole 192.168.93.192/26 proto 80
192.168.93.197 dev calibad51add47d scope link
192.168.112.192 via 172.18.0.4 dev eth0 proto 80 onlink
192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink

## 15:05:26.421 change applied: kubectl delete pod multitool-1-wnszh
pod "multitool-1-wnszh" deleted

## 15:05:27.444 (+1.0s) changed ip route on worker
blackhole 192.168.93.192/26 proto 80
192.168.93.198 dev cali02e251da2ce scope link
"""


def test_what_went_and_came_between_two_states_is_seen_and_an_addresss_place_is_not():
    there = state_facts("timeline.txt", BEFORE_AND_AFTER)
    assert there["worker: pods"] == "1 gone, 1 come"
    assert "worker: before <in 192.168.112.192/26> via 172.18.0.4 dev eth0 proto 80 onlink" in there
    assert {key for key in there if "after" in key} == {
        "worker: after blackhole 192.168.93.192/26 proto 80",
        "worker: after <in 192.168.93.192/26> dev cali* scope link",
    }
    assert there == state_facts("timeline.txt", BEFORE_AND_AFTER.replace("93.198", "93.199"))
    assert there != state_facts("timeline.txt", BEFORE_AND_AFTER.replace("blackhole", "unreachable"))


def test_a_name_is_renamed_as_a_whole():
    renaming = Renaming({"multitool-1-abcde": "multitool-1-ck66k"}, {"192.168.93.19": "192.168.93.1", "192.168.93.192": "192.168.93.200"})
    assert renaming.text("default.multitool-1-abcde on 192.168.93.19:80") == "default.multitool-1-ck66k on 192.168.93.1:80"
    assert renaming.text("192.168.93.192/26 192.168.93.192/32 192.168.93.193") == "192.168.93.192/26 192.168.93.200/32 192.168.93.193"


def test_a_reason_explains_what_its_patterns_are_about_and_nothing_else():
    reason = Reason(about="x", reason="y", output="nodes/*/sysctls.txt", key="*: ipv6.*")
    assert reason.explains(Difference("s", "nodes/*/sysctls.txt", "worker: ipv6.conf.all.forwarding", "1", "0"))
    assert not reason.explains(Difference("s", "nodes/*/sysctls.txt", "worker: ipv4.ip_forward", "1", "0"))
