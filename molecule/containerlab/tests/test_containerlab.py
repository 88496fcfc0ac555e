# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerlab from the archive: one program, the topology, and nothing else of the host touched. Nothing of podnet.calico is imported."""

import json

import yaml

TOOLS = "/opt/podnet/containerlab/0.79.0"


def test_the_program_is_in_the_tools_folder_for_everybody_and_for_root_alone_to_change(host):
    program = host.file(f"{TOOLS}/containerlab")
    assert (program.user, program.mode) == ("root", 0o755)
    assert host.file(TOOLS).mode == 0o755


def test_it_is_what_the_folder_said_it_must_be(host):
    record = json.loads(host.file(f"{TOOLS}/containerlab.obtained.json").content_string)
    sums = dict(line.split()[::-1] for line in host.file("/srv/kept/SHA256SUMS").content_string.splitlines())
    (archive,) = [name for name in sums if name.endswith(".tar.gz")]
    assert record["obtained_sha256"] == sums[archive]
    assert record["sha256"] == host.file(f"{TOOLS}/containerlab").sha256sum


def test_nothing_was_installed_beside_it(host):
    assert host.file(TOOLS).listdir() == ["containerlab", "containerlab.obtained.json"]
    assert not host.exists("containerlab")
    assert not host.group("clab_admins").exists


def test_the_topology_is_one_kind_cluster(host):
    topology = yaml.safe_load(host.file("/var/lib/podnet/lab/pod-routing.clab.yaml").content_string)
    assert topology["name"] == "pod-routing"
    assert {node["kind"] for node in topology["topology"]["nodes"].values()} == {"k8s-kind"}
    assert topology["mgmt"]["ipv4-subnet"] == "172.20.20.0/24"
