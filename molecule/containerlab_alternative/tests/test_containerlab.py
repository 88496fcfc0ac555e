# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerlab from the package, with the set-uid bit and without. Nothing of podnet.calico is imported."""

import yaml


def test_the_package_is_installed(host):
    package = host.package("containerlab")
    assert package.is_installed
    assert package.version == "0.79.0"


def test_the_package_that_was_obtained_is_kept(host):
    kept = [name for name in host.file("/srv/podnet/tools/containerlab/0.79.0").listdir() if not name.endswith(".json")]
    assert len(kept) == 1 and kept[0].endswith(".deb")


def test_the_set_uid_bit_is_there_where_it_was_asked_for_alone(host):
    asked = host.backend.get_hostname().endswith("other13")
    assert host.file("/usr/bin/containerlab").mode == (0o4755 if asked else 0o755)


def test_the_packages_script_has_run(host):
    assert host.group("clab_admins").exists


def test_the_topology_has_what_was_asked_for(host):
    topology = yaml.safe_load(host.file("/srv/podnet/lab/other.clab.yaml").content_string)
    assert topology["name"] == "other"
    assert topology["mgmt"]["ipv4-subnet"] == "172.30.30.0/24"
    assert [node["image"] for node in topology["topology"]["nodes"].values()] == ["kindest/node:other"]
