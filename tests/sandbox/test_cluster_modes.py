# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running cluster taken from encapsulation to encapsulation: it is after each change as if it had never been otherwise.

Real controllers, kernel and BIRD. Forms of the routes, with the borrowed address: recordings none-operator, vxlan,
vxlancrosssubnet-operator, vxlan-bgp-disabled and borrowed-*. When, is not asserted.
"""

from __future__ import annotations

import isolated
import pytest
from whole_modes import JOURNEY

pytestmark = pytest.mark.live
STAGES = [f"{number}-{'-'.join(stage)}" for number, stage in enumerate(JOURNEY)]


@pytest.fixture(scope="module")
def stages(request):
    return dict(zip(STAGES, isolated.run("whole_modes:observe", timeout=240), strict=True))


@pytest.fixture(params=STAGES)
def stage(request, stages):
    return stages[request.param]


def test_every_node_has_the_routes_of_the_mode_and_no_other(stage):
    assert {name: node["routes"] for name, node in stage["nodes"].items()} == stage["wanted"]


def test_the_tunnel_device_its_addresses_and_its_sets_are_there_with_vxlan_only(stage):
    tunnelled = stage["mode"][0] != "None"
    for name, node in stage["nodes"].items():
        assert (node["tunnel_device"], node["tunnel_neighbours"]) == ((True, 2) if tunnelled else (False, 0)), name
        assert ("cali40all-vxlan-net" in node["sets"]) == tunnelled
        assert bool(stage["tunnels"][name]) == tunnelled
    assert len(stage["tunnel_handles"]) == (3 if tunnelled else 0)


def test_bird_runs_with_bgp_only_and_says_so_in_the_recorded_words(stage):
    for node in stage["nodes"].values():
        if stage["mode"][1] == "Enabled":
            assert node["sessions"] == ["Established", "Established"]
        else:
            refused = "Unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused"
            assert node["sessions"] == [] and node["bird"] == [refused]


def test_pods_that_ran_before_still_reach_each_other_and_keep_their_mtu(stage):
    assert set(map(tuple, stage["replies"].values())) == {("62",)}, stage["replies"]
    assert stage["mtu"] == ["1450"]


def test_one_pod_has_an_address_of_another_nodes_block_all_the_time(stage):
    """As in the recordings borrowed-*: borrow-c on the control plane, of the block of worker2."""
    routes = {name: node["routes"] for name, node in stage["nodes"].items()}
    (own,) = [line for line in routes["pod-routing-control-plane"] if line.startswith("10.99.0.1 ")]
    assert " dev cali" in own
    assert any(line.startswith("blackhole 10.99.0.0/29") for line in routes["pod-routing-worker2"])
    for node in ("pod-routing-worker", "pod-routing-worker2"):
        assert [line.split()[1] for line in routes[node] if line.startswith("10.99.0.1 ")] == ["via"]
