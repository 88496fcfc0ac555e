# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Annotations hold what anybody wrote: one that is no address is a finding, and everything else is judged as before."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Changed
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import recording, with_node

NODE = "pod-routing-worker"
NO_ADDRESS = ["x", "10.0.0.0/33", "300.1.1.1", "\x00", "192.168.0.0/16/1"]


def with_pod(snapshot, **fields):
    """Another annotation of the multitool pod of the node."""
    (chosen,) = [pod.name for pod in snapshot.pods if pod.node == NODE and (pod.owner or "").endswith("/multitool-1")]
    return snapshot._replace(pods=tuple(pod._replace(**fields) if pod.name == chosen else pod for pod in snapshot.pods))


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_of_a_pod(text):
    found = judge(with_pod(recording(), calico_address=text)).findings
    assert {(finding.id, finding.node) for finding in found} == {("pods.allocation", NODE)}
    assert {finding.actual for finding in found} == {f"is not what the CNI plugin wired it with: {text}, which is in no block"}


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_of_a_pod_that_changed_while_it_was_read(text):
    snapshot = with_pod(recording(), calico_address=text)
    change = Changed("Pod", "default", "a-pod", (NODE,), (text + "/32",))
    changed = snapshot._replace(header=snapshot.header._replace(changed=(change,)))
    assert {finding.outcome for finding in judge(changed).findings} <= {"failed", "inconclusive"}


@pytest.mark.parametrize("text", [*NO_ADDRESS, "172.18.0.3/40"])
def test_of_a_node(text):
    found = judge(with_node(recording(), NODE, lambda node: node._replace(calico_address=text))).findings
    assert ("nodes.address", NODE, text) in {(finding.id, finding.node, finding.actual) for finding in found if finding.cause is None}


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_of_a_tunnel(text):
    found = judge(with_node(recording(), NODE, lambda node: node._replace(vxlan_tunnel_address=text))).findings
    assert any(finding.id.startswith("vxlan.") and finding.node == NODE for finding in found)
