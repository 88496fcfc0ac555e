# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host prepared with every variable set to something else: what was asked for holds, and nothing of the defaults is there."""

from __future__ import annotations

testinfra_hosts = ["ansible://lab_hosts"]

ENVIRONMENT = "/srv/podnet/python"


def test_docker_runs_as_a_process_and_not_as_a_service(host):
    assert host.check_output("docker version --format '{{.Server.Version}}'")
    assert [process.ppid for process in host.process.filter(comm="dockerd")] == [1]
    assert not host.service("docker").is_running


def test_the_user_may_use_docker_and_keeps_the_groups_there_were(host):
    assert set(host.user("operator").groups) >= {"docker", "users"}


def test_only_the_limits_that_were_asked_for_are_kept(host):
    lines = host.file("/etc/sysctl.d/60-podnet.conf").content_string.splitlines()
    assert [line.split(" = ")[0] for line in lines[1:]] == ["fs.inotify.max_user_instances", "net.ipv4.conf.all.forwarding"]
    assert "fs.inotify.max_user_instances = 1000000" in lines


def test_a_higher_value_is_kept(host):
    running = host.check_output("sysctl -n net.ipv4.conf.all.forwarding")
    assert running == "1"
    assert "net.ipv4.conf.all.forwarding = 1" in host.file("/etc/sysctl.d/60-podnet.conf").content_string


def test_the_environment_was_made_without_an_index(host):
    assert "192.0.2.1" in host.file("/etc/pip.conf").content_string
    code = "import jsonpatch, kubernetes, requests, websocket, yaml"
    assert host.run("%s/bin/python -c %s", ENVIRONMENT, code).rc == 0
    assert not host.file("/opt/podnet").exists
