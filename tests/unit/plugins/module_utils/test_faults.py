# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every named fault is made once, remembered before anything is changed, and healed exactly, by somebody else too."""

from __future__ import annotations

import json

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS
from ansible_collections.podnet.calico.plugins.module_utils._errors import PodnetError
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS, Lab, mark, objects
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_lab import (
    BASES,
    MARK,
    UUID,
    FakeLab,
    device,
)

WORKER = "lab-worker"
ROUTE = "192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink"
BLOCK = "/apis/crd.projectcalico.org/v1/ipamblocks/192-168-112-192-26"


@pytest.fixture(name="lab")
def lab_fixture():
    """Three nodes, two pods on each."""
    return FakeLab()


def make(lab, name, **options):
    return Lab(lab, UUID).make(FAULTS[name], **options)


def heal(lab, name=None, **options):
    return Lab(lab, UUID).heal(name, **options)


def felix_restores_its_device(lab):
    """What Felix does within 10 s."""
    kernel = lab.kernels[WORKER]
    kernel.links.setdefault("vxlan.calico", [1450, "UP"])
    kernel.addresses.setdefault("vxlan.calico", BASES[WORKER] + "/32")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_made_once_and_healed_exactly_by_another_process(lab, name):
    healthy = lab.state()
    outcome = make(lab, name)
    broken = lab.state()
    assert outcome.changed and outcome.done
    assert broken != healthy
    assert outcome.entry.node == WORKER

    again = make(lab, name)
    assert not again.changed and not again.done
    assert lab.state() == broken

    if name == "vxlan-device-deleted":
        felix_restores_its_device(lab)
    (healed,) = heal(lab, name)
    assert healed.left_alone == []
    assert lab.state() == healthy
    assert heal(lab, name) == []


@pytest.mark.parametrize("name", FAULTS)
def test_the_dry_run_says_what_would_change_and_changes_nothing(lab, name):
    healthy = lab.state()
    assert make(lab, name, dry=True).changed
    assert lab.state() == healthy and not lab.writes and not lab.execs
    make(lab, name)
    broken = lab.state()
    assert heal(lab, name, dry=True)
    assert lab.state() == broken


def test_every_fault_names_a_check_that_exists():
    assert {fault.check for fault in FAULTS.values()} <= {check.id for check in CHECKS}


def test_all_faults_at_once_are_healed_by_one_call(lab):
    healthy = lab.state()
    made = []
    for name in FAULTS:
        try:
            made.append(make(lab, name).entry.fault)
        except PodnetError as error:
            assert "is broken already" in str(error) or "cannot be made here" in str(error)
    assert len(made) > 12
    felix_restores_its_device(lab)
    assert [outcome.entry.fault for outcome in heal(lab)] == made[::-1]
    assert lab.state() == healthy


def test_what_a_fault_replaces_is_remembered_before_it_is_changed(lab):
    seen = []
    lab.before_write = lambda method, path: seen.append((path, list(lab.execs)))
    make(lab, "block-route-deleted")
    assert seen == [(MARK, [])]
    (entry,) = json.loads(lab.objects[MARK]["metadata"]["annotations"][mark.ANNOTATION])
    assert entry["changes"][0]["before"] == [ROUTE]


def test_a_fault_whose_command_failed_can_be_healed(lab):
    healthy = lab.state()
    lab.refused[("calico-system", "calico-node-" + WORKER)] = ExecResult(problem="was refused: forbidden", status=403)
    with pytest.raises(PodnetError, match="«ip route del 192.168.112.192/26 .*» on lab-worker was refused"):
        make(lab, "block-route-deleted")
    lab.refused.clear()
    assert len(heal(lab)) == 1
    assert lab.state() == healthy


def test_a_command_that_changes_something_is_never_sent_twice(lab):
    make(lab, "block-route-deleted")
    assert [attempts for _pod, _command, attempts in lab.execs] == [1]


def test_a_cluster_without_the_mark_is_refused(lab):
    del lab.objects[MARK]
    with pytest.raises(PodnetError, match="has no ConfigMap kube-system/podnet-lab.*Nothing was changed"):
        make(lab, "block-route-deleted")
    assert not lab.writes and not lab.execs


@pytest.mark.parametrize("uuid", ["another", ""])
def test_another_lab_is_refused(lab, uuid):
    with pytest.raises(PodnetError, match="says uuid 5f0c7a52, lab_uuid is '%s'. Nothing was changed" % uuid):
        Lab(lab, uuid)


def test_a_mark_without_a_uuid_is_no_lab(lab):
    lab.objects[MARK]["data"] = {}
    with pytest.raises(PodnetError, match="says uuid None"):
        Lab(lab, "")


def test_what_calico_repaired_meanwhile_is_made_again(lab):
    make(lab, "block-route-deleted")
    lab.kernels[WORKER].routes.append(ROUTE)
    assert make(lab, "block-route-deleted").changed
    assert ROUTE not in lab.kernels[WORKER].routes
    heal(lab)
    assert ROUTE in lab.kernels[WORKER].routes


def test_what_calico_repaired_meanwhile_is_forgotten_without_a_command(lab):
    healthy = lab.state()
    make(lab, "block-route-deleted")
    lab.kernels[WORKER].routes.append(ROUTE)
    lab.execs.clear()
    (outcome,) = heal(lab)
    assert not outcome.changed and outcome.left_alone == [] and not lab.execs
    assert lab.state() == healthy


def test_what_was_changed_otherwise_meanwhile_is_left_alone_and_said(lab):
    make(lab, "block-route-deleted")
    newer = "192.168.112.192/26 via 172.18.0.9 dev eth0 proto 80 onlink"
    lab.kernels[WORKER].routes.append(newer)
    (outcome,) = heal(lab)
    assert outcome.left_alone == ["lab-worker 192.168.112.192/26: " + newer]
    assert newer in lab.kernels[WORKER].routes and ROUTE not in lab.kernels[WORKER].routes


def test_a_node_that_is_gone_is_nothing_to_heal(lab):
    make(lab, "block-route-deleted")
    lab.lists["/api/v1/nodes"] = [item for item in lab.lists["/api/v1/nodes"] if item["metadata"]["name"] != WORKER]
    (outcome,) = heal(lab)
    assert outcome.left_alone == ["lab-worker 192.168.112.192/26: the node is gone"]
    assert heal(lab) == []


def test_one_thing_is_not_broken_by_two_faults(lab):
    make(lab, "block-route-gateway")
    with pytest.raises(PodnetError, match="192.168.112.192/26 of lab-worker is broken already, by the fault block-route-gateway"):
        make(lab, "block-route-deleted")


def test_the_wrong_gateway_is_a_third_node_and_looks_like_felix(lab):
    make(lab, "block-route-gateway")
    assert "192.168.112.192/26 via 172.18.0.2 dev eth0 proto 80 onlink" in lab.kernels[WORKER].routes


def test_under_bgp_the_wrong_gateway_does_not_look_like_bird(lab):
    lab.kernels[WORKER].routes.remove(ROUTE)
    lab.kernels[WORKER].routes.append("192.168.112.192/26 via 172.18.0.4 dev eth0 proto bird")
    make(lab, "block-route-gateway")
    assert "192.168.112.192/26 via 172.18.0.2 dev eth0" in lab.kernels[WORKER].routes
    heal(lab)
    assert "192.168.112.192/26 via 172.18.0.4 dev eth0 proto bird" in lab.kernels[WORKER].routes


def test_the_tunnel_and_the_direct_way_are_each_others_wrong_device(lab):
    make(lab, "block-route-device")
    tunnelled = "192.168.112.192/26 via 192.168.112.192 dev vxlan.calico proto 80 onlink"
    assert tunnelled in lab.kernels[WORKER].routes
    heal(lab)
    lab.kernels[WORKER].routes[lab.kernels[WORKER].routes.index(ROUTE)] = tunnelled.replace(" proto 80", "")
    make(lab, "block-route-device")
    assert ROUTE in lab.kernels[WORKER].routes


def test_a_pod_brings_its_node(lab):
    outcome = make(lab, "proxy-arp-off", pod="default/b-lab-worker2")
    assert (outcome.entry.node, outcome.entry.pod) == ("lab-worker2", "default/b-lab-worker2")
    assert lab.kernels["lab-worker2"].sysctls["net/ipv4/conf/%s/proxy_arp" % device("b-lab-worker2")] == "0"


def test_only_the_named_node_is_healed(lab):
    for node in (WORKER, "lab-worker2"):
        make(lab, "ip-forward-off", node=node)
    assert [outcome.entry.node for outcome in heal(lab, node=WORKER)] == [WORKER]
    assert lab.kernels["lab-worker2"].sysctls["net/ipv4/ip_forward"] == "0"


@pytest.mark.parametrize(
    "options, said",
    [
        ({"node": "nowhere"}, "no node nowhere. There are lab-worker, lab-worker2, lab-control-plane"),
        ({"pod": "default/nobody"}, "No running pod with an address of its own is called default/nobody"),
        ({"pod": "default/a-lab-worker2", "node": WORKER}, "is on lab-worker2, and node is lab-worker"),
    ],
)
def test_a_target_that_does_not_exist_is_refused(lab, options, said):
    with pytest.raises(PodnetError, match=said):
        make(lab, "proxy-arp-off", **options)


def test_a_pod_is_refused_by_a_fault_of_a_node(lab):
    with pytest.raises(PodnetError, match="about a node"):
        make(lab, "ip-forward-off", pod="default/a-lab-worker")


@pytest.mark.parametrize("name", ["vxlan-device-deleted", "vxlan-neighbour-deleted", "block-route-device"])
def test_without_a_tunnel_there_is_none_to_break(lab, name):
    del lab.kernels[WORKER].links["vxlan.calico"]
    with pytest.raises(PodnetError, match="no pool uses VXLAN. Nothing was changed"):
        make(lab, name)


def test_without_bgp_there_is_no_session_to_break(lab):
    lab.kernels[WORKER].sessions.clear()
    with pytest.raises(PodnetError, match="BGP is not in use"):
        make(lab, "bgp-session-down")


def test_what_others_change_in_a_block_meanwhile_stays(lab):
    make(lab, "allocation-without-pod", node="lab-worker2")
    spec = lab.objects[BLOCK]["spec"]
    other = {"handle_id": "new", "secondary": {"node": "lab-worker2"}}
    objects.hold(spec, 3, other)
    lab.touch(BLOCK)
    heal(lab)
    spec = lab.objects[BLOCK]["spec"]
    assert objects.holder(spec, 3) == other
    assert [index for index in spec["allocations"] if index is not None] == [0, 1, 2, 4]
    assert spec["unallocated"] == list(range(4, 64))


def test_an_address_that_somebody_else_got_meanwhile_is_not_taken_away(lab):
    make(lab, "pod-address-released", node="lab-worker2")
    objects.hold(lab.objects[BLOCK]["spec"], 1, {"handle_id": "new", "secondary": {}})
    (outcome,) = heal(lab)
    assert any("new" in line for line in outcome.left_alone)
    assert objects.holder(lab.objects[BLOCK]["spec"], 1)["handle_id"] == "new"


def test_an_edit_that_comes_too_late_is_made_again_on_the_newer_object(lab):
    touched = []

    def somebody_is_faster(method, path):
        if method == "put" and not touched:
            touched.append(path)
            lab.touch(path)

    lab.before_write = somebody_is_faster
    make(lab, "block-affinity-foreign")
    assert lab.objects[BLOCK]["spec"]["affinity"] == "host:lab-worker"
    assert lab.writes.count(("put", BLOCK)) == 2


def test_two_who_break_at_once_are_both_remembered(lab):
    def another_one(method, path):
        lab.before_write = lambda method, path: None
        make(lab, "ip-forward-off")

    lab.before_write = another_one
    make(lab, "block-route-deleted")
    assert {entry.fault for entry in mark.entries(lab)} == {"ip-forward-off", "block-route-deleted"}


def test_a_memory_that_cannot_be_read_is_not_overwritten(lab):
    lab.objects[MARK]["metadata"]["annotations"] = {mark.ANNOTATION: '[{"fault": "x"}]'}
    with pytest.raises(PodnetError, match="podnet.calico/faults of ConfigMap kube-system/podnet-lab cannot be read"):
        make(lab, "ip-forward-off")
    assert not lab.writes and not lab.execs


def test_a_full_memory_refuses_before_anything_is_broken(lab, monkeypatch):
    monkeypatch.setattr(mark, "_ROOM", 100)
    with pytest.raises(PodnetError, match="no room to remember one more fault"):
        make(lab, "ip-forward-off")
    assert not lab.execs


def test_what_cannot_be_read_is_not_changed(lab, monkeypatch):
    kernel = lab.kernels[WORKER]
    sections = kernel.sections
    monkeypatch.setattr(kernel, "sections", lambda: {name: text for name, text in sections().items() if name != "routes"})
    with pytest.raises(PodnetError, match="routes of lab-worker could not be read by «ip -j -d route show table all»"):
        make(lab, "block-route-deleted")


def test_a_pod_of_the_system_is_not_chosen_by_itself(lab):
    for item in lab.lists["/api/v1/pods"]:
        if item["metadata"]["name"] == "a-lab-worker":
            item["metadata"]["namespace"] = "calico-system"
    assert make(lab, "pod-route-deleted", dry=True).entry.pod == "default/b-lab-worker"


def test_healing_waits_until_felix_has_made_the_tunnel_device(lab, monkeypatch):
    pauses = []

    def felix_works_meanwhile(seconds):
        pauses.append(seconds)
        felix_restores_its_device(lab)

    make(lab, "vxlan-device-deleted")
    monkeypatch.setattr("time.sleep", felix_works_meanwhile)
    (outcome,) = heal(lab)
    assert len(pauses) == 1 and outcome.changed
