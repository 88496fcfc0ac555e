# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that wait for an address: the recorded case, and whose turn it is by pool, block and strictAffinity."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Allocation, Block, Header, Pod, Pool, Settings, Snapshot
from ansible_collections.podnet.calico.plugins.module_utils._objects import pod
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording


def findings(snapshot):
    return [finding for finding in judge(snapshot, checks=["ipam.capacity"]).findings if finding.id == "ipam.capacity"]


def test_the_recorded_pool_without_an_address_is_named_with_its_node_and_the_pods_that_wait():
    (finding,) = findings(recording("calico-v3.30.7/pool-exhausted"))
    assert (finding.outcome, finding.node, finding.subject.kind, finding.subject.name) == ("failed", "pod-routing-worker", "IPPool", "tiny")
    assert finding.message == (
        "Pool tiny (10.77.0.0/30) has no address left, and 2 pods wait for one: "
        "default/tiny-5 on pod-routing-worker, default/tiny-6 on pod-routing-worker"
    )


POOLS = (Pool("p", "10.0.0.0/29", 30),)


def block(number, owner, used):
    base = 4 * number
    held = tuple(Allocation(f"10.0.0.{base + at}", f"h{base + at}", owner) for at in range(used))
    return Block(f"10.0.0.{base}/30", f"host:{owner}" if owner else None, allocations=held)


def cluster(blocks, waiting, strict=False, pools=POOLS):
    settings = Settings(strict_affinity=strict)
    return Snapshot(Header(1, "2026-01-01T00:00:00Z", settings=settings), pools=pools, pods=waiting, blocks=blocks)


WAITS = Pod("default", "w", "a", phase="Pending", ready=False)
FULL = (block(0, "a", 4), block(1, "b", 4))
HALF = (block(0, "a", 4), block(1, "b", 2))


@pytest.mark.parametrize(
    ("snapshot", "outcomes"),
    [
        (cluster(FULL, (WAITS,)), ["failed"]),
        (cluster(FULL, ()), ["warning"]),
        (cluster(FULL, (WAITS._replace(address="10.9.9.9"),)), ["warning"]),
        (cluster(FULL, (WAITS._replace(host_network=True),)), ["warning"]),
        (cluster(FULL, (WAITS._replace(terminating=True),)), ["warning"]),
        (cluster(FULL, (WAITS._replace(node=None),)), ["warning"]),
        (cluster(HALF, (WAITS,)), []),  # borrows of the other node's block
        (cluster(HALF, (WAITS,), strict=True), ["failed"]),
        (cluster(HALF[:1], (WAITS,), strict=True), []),  # claims the second block
        (cluster(FULL, (WAITS,), pools=(Pool("p", "10.0.0.0/29", 30), Pool("q", "10.1.0.0/24"))), ["warning"]),
        (cluster(FULL, (WAITS._replace(pools=("p",)),), pools=(Pool("p", "10.0.0.0/29", 30), Pool("q", "10.1.0.0/24"))), ["failed"]),
        (cluster(FULL, (WAITS,), pools=(Pool("p", "10.0.0.0/29", 30), Pool("q", "10.1.0.0/24", assignment_mode="Manual"))), ["failed"]),
    ],
)
def test_who_waits_for_what(snapshot, outcomes):
    assert [finding.outcome for finding in findings(snapshot)] == outcomes


def test_many_that_wait_are_one_finding():
    pods = tuple(WAITS._replace(name=f"w{number}", node=f"n{number % 2}") for number in range(9))
    (finding,) = findings(cluster(FULL, pods))
    assert finding.node is None
    assert finding.message.endswith("and 9 pods wait for one: default/w0 on n0, default/w1 on n1, default/w2 on n0 and 6 more")


@pytest.mark.parametrize(
    ("text", "pools"),
    [('["10.77.0.0/30", "q"]', ("10.77.0.0/30", "q")), ("tiny", ()), ("{}", ()), ("[1]", ()), (None, ()), ("", ())],
)
def test_the_pools_a_pod_asks_for_are_read_from_what_anybody_may_have_written(text, pools):
    item = {"metadata": {"namespace": "n", "name": "p", "annotations": {"cni.projectcalico.org/ipv4pools": text}}}
    assert pod(item).pools == pools
