# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets a message that names it and what to do, before anything is changed."""

from __future__ import annotations

import socket

import pytest
from conftest import Lab

CASES = {
    "pool smaller than the nodes' blocks": (
        {"podnet_pod_subnet": "192.168.0.0/25"},
        ["192.168.0.0/25 in /26 blocks gives 2 blocks, but there are 3 nodes"],
    ),
    "block size": ({"calico_block_size": 33}, ["calico_pools[0].block_size is 33, expected 20 to 32"]),
    "pool over the service subnet": (
        {"calico_pools": [{"name": "p", "cidr": "10.96.0.0/16"}]},
        ["calico_pools[0].cidr 10.96.0.0/16 overlaps podnet_service_subnet 10.96.0.0/16"],
    ),
    "pool over the node subnet": (
        {"calico_pools": [{"name": "p", "cidr": "172.18.128.0/17"}]},
        ["calico_pools[0].cidr 172.18.128.0/17 overlaps podnet_node_subnet 172.18.0.0/16"],
    ),
    "two errors at once": (
        {"calico_block_size": 19, "podnet_service_subnet": "172.18.0.0/16"},
        ["calico_pools[0].block_size is 19", "podnet_node_subnet 172.18.0.0/16 overlaps podnet_service_subnet"],
    ),
    "encapsulation": ({"calico_encapsulation": "GRE"}, ["value of calico_encapsulation must be one of", "got: GRE"]),
    "encapsulation of a pool": (
        {"calico_pools": [{"name": "p", "cidr": "192.168.0.0/16", "encapsulation": "GRE"}]},
        ["value of encapsulation must be one of", "got: GRE found in calico_pools"],
    ),
    "BIRD's routes without BIRD": (
        {"calico_bgp": "Disabled", "calico_encapsulation": "None"},
        ["calico_pools[0].encapsulation is None while calico_bgp is Disabled"],
    ),
    "lab name": ({"podnet_lab_name": "Pod_Routing"}, ["podnet_lab_name is 'Pod_Routing'", "one DNS label"]),
    "provider": ({"podnet_provider": "existing"}, ["podnet_provider is 'existing': there is nothing to build"]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_before_anything_is_changed(stranger, case):
    variables, expected = CASES[case]
    lab = Lab(stranger, "bad")
    run = lab.play("podnet.calico.site", variables=variables)
    assert run.code != 0
    for words in expected:
        assert words in run.fault or words in run.text, run.text
    assert run.changed_tasks == []
    assert not lab.folder.exists()


def test_a_port_that_is_taken_is_named(stranger):
    lab = Lab(stranger, "bad")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = lab.play("podnet.calico.site", variables={"sandbox_port": port})
    assert run.code != 0
    assert str(port) in run.fault
    lab.play("podnet.calico.destroy")


@pytest.mark.parametrize("missing", [True, False])
def test_a_kubeconfig_that_cannot_be_read_is_named(stranger, tmp_path, missing):
    kubeconfig = tmp_path / "kubeconfig"
    if not missing:
        kubeconfig.write_text("neither: a kubeconfig\n")
    run = stranger.play(
        "podnet.calico.verify",
        variables={"podnet_provider": "existing", "podnet_lab_name": "bad", "pod_routing_kubeconfig": str(kubeconfig)},
    )
    assert run.code != 0
    assert str(kubeconfig) in run.fault
    assert not run.published


def test_verify_without_a_lab_says_how_to_get_one(stranger):
    run = Lab(stranger, "bad").play("podnet.calico.verify")
    assert run.code != 0
    assert "podnet.calico.site" in run.fault


def test_a_missing_python_package_is_named(stranger, tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nexec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin python3 -S "$@"\n')
    python.chmod(0o755)
    run = Lab(stranger, "bad").play("podnet.calico.site", variables={"sandbox_python": str(python)})
    assert run.code != 0
    assert "lacks aiohttp" in run.fault and "pip install" in run.fault
