# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""routing_fault from its options to its result, on a lab of dictionaries. The faults themselves are tested elsewhere."""

from __future__ import annotations

import json
import pathlib

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS
from ansible_collections.podnet.calico.plugins.modules import routing_fault
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.fake_lab import UUID, FakeLab

BROKEN = "lab-worker 192.168.112.192/26: absent\n"
WHOLE = "lab-worker 192.168.112.192/26: 192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink\n"


@pytest.fixture(name="lab")
def lab_fixture():
    """Three nodes, two pods on each."""
    return FakeLab()


@pytest.fixture(name="run")
def run_fixture(monkeypatch, capsys, lab):
    """Run the module with options on the lab; its result."""

    def run(check_mode=False, **options):
        monkeypatch.setattr(routing_fault, "cluster_of", lambda module: lab)
        options = dict({"fault": "block-route-deleted", "lab_uuid": UUID}, _ansible_check_mode=check_mode, **options)
        with patch_module_args(options), pytest.raises(SystemExit):
            routing_fault.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_each_step_first_in_check_mode(run):
    cycle = [("present", True), ("present", False), ("absent", True), ("absent", False)]
    for state, changed in cycle:
        assert run(check_mode=True, state=state)["changed"] is changed
        assert run(state=state)["changed"] is changed
    assert run(state="absent")["msg"].startswith("There is nothing to heal")


def test_a_fault_comes_with_where_it_is_what_names_it_and_who_repairs_it(run):
    result = run()
    assert result["msg"] == "block-route-deleted on lab-worker was made"
    assert (result["fault"], result["node"], result["pod"]) == ("block-route-deleted", "lab-worker", None)
    assert result["expected_check"] == "blocks.remote-route"
    assert result["heals_by_itself"].startswith("Yes: Felix")
    assert result["diff"] == {"before": WHOLE, "after": BROKEN}
    assert result["commands"] == [
        {
            "where": "lab-worker",
            "command": "kubectl exec -n calico-system calico-node-lab-worker -c calico-node -- "
            "ip route del 192.168.112.192/26 via 172.18.0.4 dev eth0 proto 80 onlink",
            "output": "",
        }
    ]


def test_check_mode_shows_the_difference_and_runs_nothing(run, lab):
    result = run(check_mode=True)
    assert result["msg"] == "block-route-deleted on lab-worker would be made"
    assert result["diff"] == {"before": WHOLE, "after": BROKEN} and result["commands"] == []
    assert not lab.writes and not lab.execs


def test_a_second_time_nothing_differs(run):
    run()
    result = run()
    assert result["msg"] == "block-route-deleted on lab-worker was made before"
    assert result["diff"]["before"] == result["diff"]["after"] == BROKEN


def test_all_heals_what_was_made(run, lab):
    healthy = lab.state()
    for fault in ("block-route-deleted", "proxy-arp-off"):
        run(fault=fault)
    result = run(fault="all", state="absent")
    assert result["msg"] == "proxy-arp-off on lab-worker (default/a-lab-worker), block-route-deleted on lab-worker was healed"
    assert [one["fault"] for one in result["faults"]] == ["proxy-arp-off", "block-route-deleted"]
    assert (result["expected_check"], result["node"]) == (None, "lab-worker")
    assert lab.state() == healthy


def test_what_was_left_alone_is_said(run, lab):
    run()
    lab.kernels["lab-worker"].routes.append("192.168.112.192/26 via 172.18.0.9 dev eth0")
    result = run(state="absent")
    assert result["msg"].endswith(
        "left alone, changed meanwhile: lab-worker 192.168.112.192/26: 192.168.112.192/26 via 172.18.0.9 dev eth0"
    )


def test_all_at_once_cannot_be_made(run, lab):
    result = run(fault="all")
    assert result["failed"] and "Choose one of allocation-without-pod, bgp-isolated, bgp-session-down" in result["msg"]
    assert not lab.writes


def test_a_cluster_that_is_not_the_lab_is_refused_with_what_was_found(run, lab):
    result = run(lab_uuid="mine", state="absent", fault="all")
    assert result["failed"]
    assert "says uuid 5f0c7a52, lab_uuid is 'mine'. Nothing was changed" in result["msg"]
    assert not lab.writes and not lab.execs


def test_the_documented_faults_are_those_that_there_are():
    documented = yaml.safe_load(routing_fault.DOCUMENTATION)["options"]["fault"]["choices"]
    assert documented == ["all"] + sorted(FAULTS) == routing_fault.argument_spec()["fault"]["choices"]


def test_the_module_is_in_the_action_group():
    meta = yaml.safe_load((pathlib.Path(__file__).parents[4] / "meta/runtime.yml").read_text())
    assert "routing_fault" in meta["action_groups"]["calico"]
