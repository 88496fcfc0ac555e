# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role host_prep on a host behind SSH, in the order of a host's life: looked at, refused, prepared, damaged, mended."""

from __future__ import annotations

import pytest
from ssh_host import ORDINARY, SUDOER

PREPARE = [{"hosts": "all", "gather_facts": False, "roles": [{"role": "podnet.calico.host_prep"}]}]
CALL = [
    {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "/opt/podnet/environment/bin/python"},
        "tasks": [{"name": "Ask", "kubernetes.core.k8s_info": {"kind": "Node", "host": "https://127.0.0.1:1", "api_key": "none"}}],
    }
]
BROKEN = '{"init": true}'
OURS = ["/usr/sbin/dockerd", "/opt/podnet", "/etc/sysctl.d/60-podnet.conf"]


@pytest.fixture(scope="module")
def prepare(play, ssh_host, tmp_path_factory):
    """The role, run as one of the host's users."""
    folder = tmp_path_factory.mktemp("inventories")

    def run(*arguments: str, user: str = SUDOER, **variables: object):
        inventory = ssh_host.write_inventory(folder / f"{user}.yml", user, podnet_lab_dir="/var/lib/podnet/lab")
        return play(PREPARE, inventory, *arguments, **variables)

    run.inventory = folder / f"{SUDOER}.yml"
    return run


def untouched(ssh_host) -> bool:
    return not any(ssh_host.has(path) for path in OURS)


def test_check_mode_on_a_clean_host_says_what_it_would_do_and_does_nothing(prepare, ssh_host):
    run = prepare("--check", "--diff")
    assert run.code == 0, run.text
    assert "Would install" in run.text and "docker.io" in run.text
    assert "Name the packages that would be installed" in run.changed
    assert untouched(ssh_host)


def test_a_user_who_cannot_become_root_is_refused(prepare, ssh_host):
    run = prepare(user=ORDINARY)
    assert run.code != 0
    assert run.fault.startswith("Nothing was changed on podnet-ssh-host. The user guest cannot become root on podnet-ssh-host (")
    assert "Give the user sudo there (and Ansible the password: --ask-become-pass), or connect as root." in run.fault
    assert untouched(ssh_host)


def test_all_reasons_are_named_at_once(prepare, ssh_host):
    ssh_host.root("mkdir", "-p", "/etc/docker")
    ssh_host.root("sh", "-c", f"echo '{BROKEN}' > /etc/docker/daemon.json")
    ssh_host.root("sed", "-i.debian", "s/^ID=.*/ID=gentoo/; s/^PRETTY_NAME=.*/PRETTY_NAME=Gentoo/", "/etc/os-release")
    run = prepare(
        host_prep_memory_required_mb=10**9,
        host_prep_disk_required_mb=10**9,
        host_prep_kernel_modules=["no_such_module"],
        host_prep_docker_users=["nobody-here"],
        podnet_node_subnet="198.18.0.0/16",
    )
    assert run.code != 0
    for reason in (
        "Gentoo is not a distribution whose packages this role knows (debian, ubuntu)",
        "MiB of memory, and a lab needs 1000000000",
        "MiB are free in /var/lib/docker, and a lab needs 1000000000",
        "The kernel has no no_such_module",
        "host_prep_docker_users names nobody-here",
        '"init": true',
        "podnet_node_subnet 198.18.0.0/16 overlaps this machine's route to 198.18.7.0/24 by eth0.",
        "Take a free one: -e podnet_node_subnet=172.",
    ):
        assert reason in run.fault, run.fault
    assert run.changed == [] and untouched(ssh_host)
    ssh_host.root("rm", "/etc/docker/daemon.json")
    ssh_host.root("mv", "/etc/os-release.debian", "/etc/os-release")


def test_a_clean_host_is_prepared_over_ssh(prepare, ssh_host):
    run = prepare()
    assert run.code == 0, run.text
    assert run.changed
    assert ssh_host.root("docker", "version", "--format", "{{.Server.Version}}")


def test_the_second_run_changes_nothing(prepare):
    run = prepare()
    assert run.code == 0, run.text
    assert run.changed == []


def test_a_cluster_module_runs_in_the_hosts_environment(play, prepare):
    # Nothing listens there: the module has come as far as the network, and by it past all its imports.
    run = play(CALL, prepare.inventory)
    assert "Connection refused" in run.fault and "127.0.0.1" in run.fault, run.text


def test_a_module_of_a_modular_kernel_is_loaded_now_and_at_the_next_boot(prepare, ssh_host):
    # The kernel here has no modules, so one is invented, and a program in modprobe's place writes down what it was asked for,
    # by whomever: containerd and Docker in the host ask for modules of their own whenever they start.
    folder = "/lib/modules/" + ssh_host.root("uname", "-r").strip()
    ssh_host.root("mkdir", "-p", folder)
    ssh_host.root("sh", "-c", f"echo kernel/podnet_trial.ko: > {folder}/modules.dep")
    ssh_host.root("sh", "-c", "echo '#!/bin/sh\necho $* >> /asked' > /usr/local/sbin/modprobe; chmod +x /usr/local/sbin/modprobe")
    run = prepare(host_prep_kernel_modules=["overlay", "podnet_trial"])
    ssh_host.root("rm", "-r", "/lib/modules", "/usr/local/sbin/modprobe")
    assert run.code == 0, run.text
    assert ssh_host.root("cat", "/asked").splitlines().count("--all podnet_trial") == 1
    kept = ssh_host.root("cat", "/etc/modules-load.d/podnet.conf").splitlines()
    assert [line for line in kept if not line.startswith("#")] == ["podnet_trial"]


def test_an_unknown_distribution_with_docker_and_the_tools_is_taken(prepare, ssh_host):
    ssh_host.root("sed", "-i.debian", "s/^ID=.*/ID=gentoo/", "/etc/os-release")
    run = prepare()
    ssh_host.root("mv", "/etc/os-release.debian", "/etc/os-release")
    assert run.code == 0, run.text
    assert run.changed == []


def test_a_docker_that_was_stopped_is_started(prepare, ssh_host):
    ssh_host.root("systemctl", "stop", "docker.socket", "docker.service")
    run = prepare()
    assert run.code == 0, run.text
    assert run.changed == ["Start Docker by systemd"]


def test_a_docker_that_cannot_start_is_reported_with_its_own_words(prepare, ssh_host):
    ssh_host.root("systemctl", "stop", "docker.socket", "docker.service")
    ssh_host.root("sh", "-c", """echo '{"no-such-option": true}' > /etc/docker/daemon.json""")
    run = prepare()
    ssh_host.root("rm", "/etc/docker/daemon.json")
    assert run.code != 0
    assert run.fault.startswith("Starting Docker on podnet-ssh-host failed: ")
    assert "no-such-option" in run.fault and "Repair what it says there, and run this again." in run.fault


def test_an_environment_whose_making_was_cut_short_is_completed(prepare, ssh_host):
    ssh_host.root("systemctl", "reset-failed", "docker.service", "docker.socket")
    ssh_host.root("/opt/podnet/environment/bin/python", "-m", "pip", "uninstall", "--yes", "--quiet", "jsonpatch")
    run = prepare()
    assert run.code == 0, run.text
    assert "Ask pip for what is missing" in run.changed
    assert ssh_host.root("/opt/podnet/environment/bin/python", "-c", "import jsonpatch") == ""
