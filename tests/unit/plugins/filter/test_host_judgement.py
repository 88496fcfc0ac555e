# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that cannot carry a lab is refused with every reason and a remedy for each; one that can is not."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.podnet.calico.plugins.filter.host_judgement import host_judgement

NOW = 1795400000.0
LIMITS = {
    "distributions": {"debian": ["12", "13"], "ubuntu": []},
    "kubernetes_version": "v1.34.3",
    "memory_required_mb": 3500,
    "memory_wanted_mb": 7500,
    "disk_required_mb": 6000,
    "disk_wanted_mb": 15000,
    "now": NOW,
}
SUBNETS = {
    "podnet_node_subnet": "172.18.0.0/16",
    "podnet_pod_subnet": "192.168.0.0/16",
    "podnet_service_subnet": "10.96.0.0/16",
}
BRIDGE = {"name": "bridge", "subnets": ["172.17.0.0/16"], "device": "docker0"}


def docker(**changes):
    return {
        "running": True,
        "problem": "",
        "version": "20.10.24+dfsg1",
        "root": "/var/lib/docker",
        "networks": [BRIDGE],
        "snap": False,
        "init": False,
        "configuration_fault": "",
        **changes,
    }


def host(**changes):
    return {
        "distribution": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"},
        "architecture": "x86_64",
        "cgroup": 2,
        "memory_mb": 16000,
        "disk_free_mb": 40000,
        "time": NOW,
        "kernel_modules": {"vxlan": "loadable", "overlay": "loaded", "veth": "built in"},
        "routes": [{"destination": "10.1.2.0/24", "device": "eth0"}, {"destination": "172.17.0.0/16", "device": "docker0"}],
        "missing": [],
        "docker": docker(),
        **changes,
    }


def judge(machine=None, subnets=None, **changes):
    return host_judgement(machine or host(), subnets={**SUBNETS, **(subnets or {})}, **{**LIMITS, **changes})


def the_error(*arguments, **changes):
    found = judge(*arguments, **changes)
    assert found["warnings"] == []
    (error,) = found["errors"]
    return error


def the_warning(*arguments, **changes):
    found = judge(*arguments, **changes)
    assert found["errors"] == []
    (warning,) = found["warnings"]
    return warning


def test_a_good_machine_gets_neither_error_nor_warning():
    assert judge() == {"errors": [], "warnings": []}


def test_a_machine_without_docker_is_good_where_it_can_be_installed():
    stopped = docker(running=False, version="", networks=[], problem="no such file")
    assert judge(host(missing=["docker.io"], docker=stopped)) == {"errors": [], "warnings": []}


@pytest.mark.parametrize("architecture", ["aarch64", "x86_64"])
def test_both_architectures_of_the_images_are_taken(architecture):
    assert judge(host(architecture=architecture))["errors"] == []


def test_another_architecture_is_refused_by_name():
    assert "riscv64" in the_error(host(architecture="riscv64")) and "amd64 and arm64" in the_error(host(architecture="riscv64"))


def test_ubuntu_is_said_not_to_have_been_run():
    ubuntu = {"id": "ubuntu", "version": "24.04", "name": "Ubuntu 24.04.3 LTS"}
    assert the_warning(host(distribution=ubuntu)) == "Ubuntu 24.04.3 LTS was not run: the role is tested on Debian 12/13."


FEDORA = {"id": "fedora", "version": "43", "name": "Fedora Linux 43"}


def test_an_unknown_distribution_is_refused_by_name_and_told_what_is_missing():
    error = the_error(host(distribution=FEDORA, missing=["docker.io", "iproute2"]))
    assert error.startswith("Fedora Linux 43 is not a distribution whose packages this role knows (debian, ubuntu).")
    assert "docker.io, iproute2" in error


def test_an_unknown_distribution_with_docker_stopped_is_refused():
    assert "start Docker" in the_error(host(distribution=FEDORA, docker=docker(running=False)))


def test_an_unknown_distribution_with_everything_there_is_taken():
    assert judge(host(distribution=FEDORA)) == {"errors": [], "warnings": []}


def test_kubernetes_1_35_is_refused_on_control_groups_1():
    error = the_error(host(cgroup=1), kubernetes_version="v1.35.0")
    assert "kubelet v1.35.0 does not start" in error and "systemd.unified_cgroup_hierarchy=1" in error


@pytest.mark.parametrize(("cgroup", "version"), [(1, "v1.34.3"), (2, "v1.35.0"), (2, "v1.28.0")])
def test_other_pairs_of_kubernetes_and_control_groups_are_taken(cgroup, version):
    assert judge(host(cgroup=cgroup), kubernetes_version=version)["errors"] == []


def test_a_kernel_without_a_feature_is_refused_and_the_feature_named():
    error = the_error(host(kernel_modules={"vxlan": "absent", "overlay": "loaded", "ip_set": "absent"}))
    assert error.startswith("The kernel has no vxlan, ip_set.") and "linux-modules-extra" in error


def test_a_feature_that_cannot_be_seen_is_a_warning():
    assert the_warning(host(kernel_modules={"ip_set": "unknown"})).startswith("Whether the kernel has ip_set could not be seen")


@pytest.mark.parametrize(("memory", "level"), [(3499, "errors"), (3500, "warnings"), (7499, "warnings"), (7500, None)])
def test_memory_is_refused_warned_of_or_enough(memory, level):
    found = judge(host(memory_mb=memory))
    assert [name for name, sentences in found.items() if sentences] == ([level] if level else [])


@pytest.mark.parametrize(("disk", "level"), [(5999, "errors"), (6000, "warnings"), (14999, "warnings"), (15000, None)])
def test_disk_is_refused_warned_of_or_enough(disk, level):
    found = judge(host(disk_free_mb=disk))
    assert [name for name, sentences in found.items() if sentences] == ([level] if level else [])


def test_a_full_disk_is_named_by_the_folder_of_dockers_data():
    error = the_error(host(disk_free_mb=100, docker=docker(root="/data/docker")))
    assert error.startswith("100 MiB are free in /data/docker, and a lab needs 6000.") and "data-root" in error


def test_an_old_docker_is_refused():
    assert the_error(host(docker=docker(version="19.03.8"))) == "Docker Engine is 19.03.8; kind needs 20.10 or newer. Upgrade it."


@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "26.1.5+dfsg1", "29.0.1"])
def test_docker_from_20_10_on_is_taken(version):
    assert judge(host(docker=docker(version=version)))["errors"] == []


def test_an_init_in_front_of_the_nodes_systemd_is_refused():
    assert '"init": true' in the_error(host(docker=docker(init=True)))


def test_a_configuration_that_docker_cannot_read_is_refused():
    assert "daemon.json: Expecting" in the_error(host(docker=docker(configuration_fault="daemon.json: Expecting value")))


def test_docker_as_a_snap_is_warned_of():
    assert "snap remove docker" in the_warning(host(docker=docker(snap=True)))


def test_a_subnet_that_another_docker_network_has_is_refused_by_name_with_a_free_one():
    taken = {"name": "shop_default", "subnets": ["172.18.0.0/16"], "device": "br-1"}
    error = the_error(host(docker=docker(networks=[BRIDGE, taken])))
    assert error == (
        "podnet_node_subnet 172.18.0.0/16 overlaps the Docker network shop_default (172.18.0.0/16). "
        "Take a free one: -e podnet_node_subnet=172.19.0.0/16."
    )


def test_the_nodes_own_network_is_no_clash_for_the_nodes():
    kind = {"name": "kind", "subnets": ["172.18.0.0/16", "fc00:f853:ccd:e793::/64"], "device": "br-2"}
    route = {"destination": "172.18.0.0/16", "device": "br-2"}
    assert judge(host(docker=docker(networks=[BRIDGE, kind]), routes=[route])) == {"errors": [], "warnings": []}


def test_the_nodes_network_is_a_clash_for_the_pods():
    kind = {"name": "kind", "subnets": ["192.168.16.0/20"], "device": "br-2"}
    error = the_error(host(docker=docker(networks=[kind])))
    assert error.startswith("podnet_pod_subnet 192.168.0.0/16 overlaps the Docker network kind (192.168.16.0/20).")


def test_a_bridge_of_a_stopped_engine_is_not_judged_before_the_engine_can_tell_whose_it_is():
    route = {"destination": "172.18.0.0/16", "device": "br-6b9d44ee4ca3"}
    assert judge(host(routes=[route], docker=docker(running=False, networks=[])))["errors"] == []
    assert "route to 172.18.0.0/16 by br-6b9d44ee4ca3" in the_error(host(routes=[route]))


def test_a_route_into_the_pods_subnet_is_refused_with_a_free_one():
    error = the_error(
        host(routes=[{"destination": "192.168.1.0/24", "device": "wlan0"}, {"destination": "10.244.0.0/15", "device": "vpn"}])
    )
    assert "podnet_pod_subnet 192.168.0.0/16 overlaps this machine's route to 192.168.1.0/24 by wlan0." in error
    assert "-e podnet_pod_subnet=10.246.0.0/16" in error


def test_the_proposal_avoids_the_labs_other_networks():
    route = [{"destination": "192.168.1.0/24", "device": "wlan0"}]
    assert "-e podnet_pod_subnet=10.245.0.0/16" in the_error(host(routes=route), {"podnet_service_subnet": "10.244.0.0/16"})


def test_a_subnet_that_is_none_is_named():
    assert the_error(subnets={"podnet_pod_subnet": "192.168.0.1/16"}).startswith("podnet_pod_subnet is '192.168.0.1/16', expected")


@pytest.mark.parametrize(("seconds", "word"), [(301, "ahead"), (-301, "behind")])
def test_a_clock_that_is_off_is_refused(seconds, word):
    error = the_error(host(time=NOW + seconds))
    assert f"301 seconds {word} of this one's" in error and "timedatectl set-ntp true" in error


def test_a_clock_that_was_never_set_is_refused_with_its_date():
    assert "clock says 1970-01-01" in the_error(host(time=60.0))


def test_every_reason_is_given_at_once():
    bad = host(architecture="mips", memory_mb=1, disk_free_mb=1, kernel_modules={"vxlan": "absent"}, docker=docker(init=True), time=1.0)
    assert len(judge(bad)["errors"]) == 6


def test_something_else_than_a_host_is_an_error_of_the_call():
    with pytest.raises(AnsibleFilterError, match="host_judgement wants the key host"):
        judge({"host": host()})
