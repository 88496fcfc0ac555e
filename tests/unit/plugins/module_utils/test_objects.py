# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API objects of both groups, complete and not, as the model has them."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _objects, _settings


def named(spec, name="x", **rest):
    """An object with metadata."""
    return dict({"metadata": {"name": name}, "spec": spec}, **rest)


def test_an_address_of_a_block_is_the_base_plus_its_ordinal():
    block = _objects.block(
        named(
            {
                "cidr": "192.168.93.192/26",
                "affinity": "host:worker",
                "allocations": [0, None, 1],
                "attributes": [
                    {"handle_id": "vxlan-tunnel-addr-worker", "secondary": {"node": "worker", "type": "vxlanTunnelAddress"}},
                    {"handle_id": "k8s-pod-network.1", "secondary": {"pod": "a", "namespace": "default", "node": "worker"}},
                ],
            }
        )
    )
    assert block.owner == "worker"
    assert [(one.address, one.use, one.pod) for one in block.allocations] == [
        ("192.168.93.192", "vxlanTunnelAddress", None),
        ("192.168.93.194", "", "a"),
    ]


def test_an_allocation_without_its_attribute_is_an_allocation_without_a_holder():
    block = _objects.block(named({"cidr": "10.0.0.0/30", "allocations": [5], "attributes": []}))
    assert [(one.address, one.handle) for one in block.allocations] == [("10.0.0.0", None)]


@pytest.mark.parametrize(("value", "deleted"), [("true", True), (True, True), ("false", False), (False, False), (None, False)])
def test_deleted_is_text_in_one_group_and_a_truth_in_the_other(value, deleted):
    assert _objects.affinity(named({"cidr": "10.0.0.0/26", "node": "n", "deleted": value})).deleted is deleted


def test_an_affinity_of_old_data_without_state_is_confirmed():
    assert _objects.affinity(named({"cidr": "10.0.0.0/26", "node": "n"}))[3:5] == ("confirmed", "host")


def test_what_a_pool_does_not_say_has_calicos_default():
    pool = _objects.pool(named({"cidr": "10.0.0.0/16"}))
    assert (pool.block_size, pool.vxlan_mode, pool.ipip_mode, pool.node_selector) == (26, "Never", "Never", "all()")
    assert _objects.pool(named({"cidr": "fd00::/48"})).block_size == 122


def test_a_node_whose_kubelet_fell_silent_is_told_from_one_that_says_no():
    def node(state):
        condition = {"type": "Ready", "status": state, "reason": "R", "message": "m"}
        return _objects.node({"metadata": {"name": "n"}, "status": {"conditions": [condition]}})

    assert node("True").ready
    assert node("False").not_ready_reason == "R: m"
    assert node("Unknown").not_ready_reason == "Unknown R: m"


def test_a_node_has_calicos_address_from_its_annotation_and_its_own_from_the_status():
    node = _objects.node(
        {
            "metadata": {"name": "n", "annotations": {"projectcalico.org/IPv4Address": "172.18.0.3/16"}},
            "status": {"addresses": [{"type": "InternalIP", "address": "fd00::3"}, {"type": "InternalIP", "address": "172.18.0.3"}]},
        }
    )
    assert (node.internal_ip, node.calico_address) == ("172.18.0.3", "172.18.0.3/16")


def test_exec_goes_to_the_container_that_kubectl_would_take():
    metadata = {"name": "p", "namespace": "d", "annotations": {}}
    pod = {"metadata": metadata, "spec": {"containers": [{"name": "one"}, {"name": "two"}]}}
    assert _objects.pod(pod).container == "one"
    metadata["annotations"]["kubectl.kubernetes.io/default-container"] = "two"
    assert _objects.pod(pod).container == "two"


def test_a_released_address_is_no_address_of_calico():
    pod = {"metadata": {"name": "p", "namespace": "d", "annotations": {"cni.projectcalico.org/podIP": ""}}}
    assert _objects.pod(pod).calico_address is None


def test_a_workload_whose_controller_has_not_seen_the_change_is_not_observed():
    item = {"metadata": {"name": "w", "namespace": "d", "generation": 2}, "status": {"observedGeneration": 1}}
    assert not _objects.daemonset(item).observed
    assert _objects.deployment(item).desired == 1


def test_what_the_operator_computed_counts_before_what_was_asked_for():
    installation = named({"calicoNetwork": {}}, "default", status={"computed": {"calicoNetwork": {"bgp": "Enabled"}}, "mtu": 1450})
    found = _settings.settings({"installations": [installation]})
    assert (found.bgp_enabled, found.mtu) == (True, 1450)


def test_without_an_installation_nothing_is_said_of_bgp():
    assert _settings.settings({}).bgp_enabled is None


def test_an_override_for_one_node_is_not_the_clusters_setting():
    assert not _settings.settings({"felixconfigurations": [named({"bpfEnabled": True}, "node.worker")]}).bpf_enabled


def test_the_service_range_is_what_kubeadm_was_given():
    text = "apiVersion: kubeadm.k8s.io/v1beta3\nnetworking:\n  podSubnet: 192.168.0.0/16\n  serviceSubnet: 10.96.0.0/16\n"
    assert _settings.settings({}, text).service_cidr == "10.96.0.0/16"
