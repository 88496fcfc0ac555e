# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What birdcl says: sessions, paths and their marks; and that a BIRD which does not run is an observation."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils import _bird
from ansible_collections.podnet.calico.plugins.module_utils._model import BgpSession, BirdRoute
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import LAB, text

_NODE = "nodes/pod-routing-worker/birdcl-show-"


def bird():
    return _bird.parse_bird(text(LAB, _NODE + "protocols.txt"), _bird.parse_bird_routes(text(LAB, _NODE + "route.txt")))


def test_sessions_carry_the_peer_that_their_name_holds():
    assert bird().version == "v0.3.3+birdv1.6.8"
    assert bird().sessions == (
        BgpSession("Mesh_172_18_0_2", "172.18.0.2", "up", "Established"),
        BgpSession("Mesh_172_18_0_4", "172.18.0.4", "up", "Established"),
    )


def test_of_the_paths_of_a_destination_the_best_is_a_route():
    paths = [route for route in bird().routes if route.dst == "192.168.116.0/26"]
    assert paths == [BirdRoute("192.168.116.0/26", "172.18.0.2", "eth0", "Mesh_172_18_0_2", "*")]
    assert BirdRoute("192.168.93.192/26", None, None, "static1", "*", "blackhole") in bird().routes


@pytest.mark.parametrize("output", ["", "BIRD v0.3.3+birdv1.6.8 ready.\n", "BIRD v0.3.3 ready.\nsyntax error\n"])
def test_an_answer_without_any_route_is_none(output):
    with pytest.raises(ValueError, match="no best route"):
        _bird.parse_bird_routes(output)


def test_what_is_printed_and_parsed_is_itself():
    again = _bird.parse_bird(_bird.sessions_text(bird()), _bird.parse_bird_routes(_bird.bird_routes_text(bird().routes)))
    assert again == bird()


def test_a_best_route_kept_out_of_the_kernel_bears_its_mark():
    output = (
        "BIRD v0.3.3+birdv1.6.8 ready.\n"
        "192.168.93.192/26 via 172.18.0.3 on eth0 [Mesh_172_18_0_3 14:11:01] ! (100/0) [i]\n"
        "                   via 172.18.0.4 on eth0 [kernel1 14:25:46] (10)\n"
    )
    assert [route.mark for route in _bird.parse_bird_routes(output)] == ["!"]


def test_no_bird_is_an_answer():
    said = text("calico-v3.30.7/vxlan-bgp-disabled", _NODE + "protocols.txt")
    answer = _bird.parse_bird(said)
    assert not answer.running
    assert "Connection refused" in answer.message


@pytest.mark.parametrize("said", ["", "<html>502 Bad Gateway</html>", "Killed", "error: unable to upgrade connection"])
def test_what_neither_bird_nor_its_client_says_is_no_answer(said):
    with pytest.raises(ValueError, match="not what birdcl prints"):
        _bird.parse_bird(said)
