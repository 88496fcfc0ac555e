# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real BIRD on the nodes, and what exec into calico-node shows of it, held against recordings of Calico's."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from podnet_sandbox.dataplane.bird.configuration import render
from podnet_sandbox.dataplane.felix import network_of
from test_felix import as_route, datastore, recording
from test_kernel_wiring import build, pod_of, ttl

NODE_RECORDINGS = Path(__file__).parent / "recordings" / "node"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")


def until(condition, seconds=15):
    """Wait for BGP to converge; the last state is what the assertion shows."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def established(lab, node):
    return lab.node(node, "birdcl", "show", "protocols").output.count("Established")


def timeless(text):
    """Without clock times, and without the numbers of interfaces."""
    return re.sub(r"\d\d:\d\d:\d\d", "hh:mm:ss", re.sub(r"index=\d+", "index=N", text))


@pytest.fixture(scope="module", params=["none-operator", "vxlancrosssubnet-operator"])
def lab(request, tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.recorded = recording(request.param)
        lab.networks = build(lab, lab.recorded)
        lab.programs = request.param == "none-operator"
        until(lambda: all(established(lab, node) == 2 for node in lab.networks))
        yield lab
    finally:
        lab.close()


@as_root
def test_every_session_of_the_mesh_is_established_and_printed_as_calicos(lab):
    shown = lab.node(WORKER, "birdcl", "-s", "/var/run/calico/bird.ctl", "show", "protocols").output
    assert timeless(shown) == timeless((NODE_RECORDINGS / "birdcl-show-protocols.txt").read_text())


@as_root
def test_status_has_calicos_version_and_the_nodes_router_id(lab):
    shown = lab.node(WORKER, "birdcl", "show", "status").output
    wanted = (NODE_RECORDINGS / "birdcl-show-status.txt").read_text()
    assert re.sub(r"\d{4}-\d\d-\d\d", "date", timeless(shown)) == re.sub(r"\d{4}-\d\d-\d\d", "date", timeless(wanted))


@as_root
def test_bird_programs_what_it_owns_and_nothing_of_a_vxlan_pool(lab):
    until(lambda: bird_routes(lab, WORKER) == recorded_bird_routes(lab, WORKER))
    assert bird_routes(lab, WORKER) == recorded_bird_routes(lab, WORKER)
    assert bool(bird_routes(lab, WORKER)) == lab.programs


def bird_routes(lab, node):
    shown = json.loads(lab.node(node, "ip", "-j", "-d", "route").output)
    return {as_route(entry) for entry in shown if entry["protocol"] == "bird"}


def recorded_bird_routes(lab, node):
    return {as_route(entry) for entry in lab.recorded["routes"][node] if entry["protocol"] == "bird"}


@as_root
def test_the_table_holds_own_block_peers_blocks_and_local_pods_in_calicos_layout(lab):
    lines = lab.node(WORKER, "birdcl", "show", "route").output.splitlines()
    assert lines[0] == "BIRD v0.3.3+birdv1.6.8 ready."
    own = next(line for line in lines if "static1" in line)
    assert re.fullmatch(r"192\.168\.93\.192/26 {2}blackhole \[static1 \d\d:\d\d:\d\d\] \* \(200\)", own)
    peers = [line for line in lines if "[Mesh_172_18_0_4 " in line]
    assert any(re.search(r"via 172\.18\.0\.4 on eth0 \[Mesh_172_18_0_4 [\d:]+\] \*? ?\(100/0\) \[i\]$", line) for line in peers)
    pod = pod_of(lab, WORKER)
    assert any(re.match(rf"{pod.address}/32 +dev {pod.host_device} \[kernel1 ", line) for line in lines)


@as_root
def test_the_path_across_nodes_works(lab):
    done = lab.pod(pod_of(lab, WORKER).name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)
    assert ttl(done) == [62]


@as_root
def test_calico_node_reports_ready_when_its_peers_are_established(lab):
    done = lab.node(WORKER, "calico-node", "-bird-ready")
    assert (done.code, done.error) == (0, "")
    felix = lab.node(WORKER, "/bin/calico-node", "-bird-ready", "-felix-ready")
    assert felix.code == 1 and "felix is not ready" in felix.error
    lab.call("set_felix_ready", WORKER, True)
    assert lab.node(WORKER, "/bin/calico-node", "-bird-ready", "-felix-ready").code == 0


@as_root
def test_a_killed_bird_is_started_again_and_the_kernel_keeps_its_routes(lab):
    lab.node(WORKER2, "sh", "-c", "kill -9 $(pidof bird)")
    assert bird_routes(lab, WORKER2) == recorded_bird_routes(lab, WORKER2)
    until(lambda: established(lab, WORKER2) == 2)
    assert established(lab, WORKER2) == 2


@as_root
def test_a_new_block_reaches_the_peers_without_a_session_lost(lab):
    if not lab.programs:
        pytest.skip("a VXLAN pool's blocks are not programmed by BIRD")
    import dataclasses

    bgp = lab.networks[WORKER].bgp
    lab.call("sync_bird", WORKER, dataclasses.replace(bgp, blocks=(*bgp.blocks, "192.168.77.0/26")))
    until(lambda: "192.168.77.0/26 via 172.18.0.3" in lab.node(WORKER2, "ip", "route").output)
    assert "192.168.77.0/26 via 172.18.0.3 dev eth0 proto bird \n" in lab.node(WORKER2, "ip", "route").output
    assert established(lab, WORKER) == 2
    lab.call("sync_bird", WORKER, bgp)


@as_root
def test_without_calico_node_birdcl_is_refused_and_peers_keep_the_routes(lab):
    """Recording vxlan-bgp-disabled; a killed BIRD's peers wait for it to come back (graceful restart)."""
    before = bird_routes(lab, WORKER)
    lab.call("sync_bird", CONTROL_PLANE, None)
    done = lab.node(CONTROL_PLANE, "birdcl", "-s", "/var/run/calico/bird.ctl", "show", "protocols")
    refused = "Unable to connect to server control socket (/var/run/calico/bird.ctl): Connection refused\n"
    assert (done.code, done.error) == (1, refused)
    until(lambda: established(lab, WORKER) == 1)
    assert bird_routes(lab, WORKER) == before


@pytest.fixture(scope="module", params=["v3.32-none", "v3.32-vxlancrosssubnet"])
def later(request, tmp_path_factory):
    """The recordings of v3.32.1."""
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.recorded = recording(request.param)
        lab.networks = build(lab, lab.recorded)
        lab.programs = request.param == "v3.32-none"
        until(lambda: all(established(lab, node) == 2 for node in lab.networks))
        yield lab
    finally:
        lab.close()


@as_root
def test_v3_32_tells_a_routes_metric_by_its_local_preference(later):
    """FINDINGS D. What Felix has put into the kernel without a metric is better than what BIRD announces of its own."""
    seen = r"BGP\.local_pref: (\d+)"
    wanted = {"2147482623"} if later.programs else {"2147482623", "2147483647"}
    until(lambda: set(re.findall(seen, later.node(WORKER, "birdcl", "show", "route", "all").output)) == wanted)
    shown = later.node(WORKER, "birdcl", "show", "route", "all").output
    assert set(re.findall(seen, shown)) == wanted
    preferences = set(re.findall(r"^\S+ +via \S+ on eth0 \[Mesh_.*\] \* \((\d+)/0\)", shown, re.MULTILINE))
    assert preferences == ({"100"} if later.programs else {"200"})


@as_root
def test_v3_32_programs_an_ordinary_route_with_metric_1024(later):
    if not later.programs:
        pytest.skip("a VXLAN pool's blocks are not programmed by BIRD")
    assert bird_routes(later, WORKER) == recorded_bird_routes(later, WORKER)


def test_the_configuration_is_for_the_bird_that_is_there():
    bgp = network_of(WORKER, datastore(recording("v3.32-none"))).bgp
    first, second = render(bgp, major=1), render(bgp, major=2)
    assert "krt_metric = 1024" in first and "krt_metric = 1024" in second
    assert "metric 0;" in second and "metric 0;" not in first  # BIRD 2 would add 32
    assert "passive on;" in first.partition("protocol bgp Mesh_172_18_0_4")[2]
    assert "passive on;" not in first.partition("protocol bgp Mesh_172_18_0_2")[2].partition("}")[0]
