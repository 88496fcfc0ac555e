# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prepared host, judged from outside: Docker answers and stays, the kernel's limits are kept, the environment is complete."""

from __future__ import annotations

import json

import pytest

testinfra_hosts = ["ansible://lab_hosts"]

ENVIRONMENT = "/opt/podnet/environment"


def test_docker_answers_with_a_version_that_kind_takes(host):
    version = host.check_output("docker version --format '{{.Server.Version}}'")
    assert tuple(int(part) for part in version.split(".")[:2]) >= (20, 10)


def test_docker_is_the_distributions_and_starts_with_the_machine(host):
    service = host.service("docker")
    assert service.is_running and service.is_enabled
    assert host.package("docker.io").is_installed


@pytest.mark.parametrize("command", ["ip", "iptables", "sysctl", "tar", "gzip"])
def test_the_tools_are_there(host, command):
    assert host.exists(command)


def test_the_limits_are_kept_for_the_next_boot(host):
    lines = host.file("/etc/sysctl.d/60-podnet.conf").content_string.splitlines()
    kept = dict(line.replace(" ", "").split("=") for line in lines if "=" in line)
    assert int(kept["fs.inotify.max_user_watches"]) >= 524288
    assert int(kept["fs.inotify.max_user_instances"]) >= 512
    assert kept["net.ipv4.ip_forward"] == "1"


def test_a_kept_limit_is_never_below_the_running_one(host):
    lines = host.file("/etc/sysctl.d/60-podnet.conf").content_string.splitlines()
    kept = dict(line.replace(" ", "").split("=") for line in lines if "=" in line)
    assert {name: value for name, value in kept.items() if int(value) < int(host.check_output("sysctl -n %s", name))} == {}


def test_nobody_was_put_into_the_group_docker(host):
    assert host.group("docker").members == []


def test_the_environment_has_what_the_cluster_modules_import(host):
    code = "import json, jsonpatch, kubernetes, requests, websocket, yaml; print(json.dumps(kubernetes.__version__))"
    assert json.loads(host.check_output("%s/bin/python -c %s", ENVIRONMENT, code))


def test_the_environments_packages_fit_each_other(host):
    assert host.check_output("%s/bin/python -m pip check", ENVIRONMENT) == "No broken requirements found."


def test_the_environment_is_roots(host):
    for path in (ENVIRONMENT, f"{ENVIRONMENT}/bin", f"{ENVIRONMENT}/requirements.txt"):
        file = host.file(path)
        assert file.user == "root" and not file.mode & 0o022, path
