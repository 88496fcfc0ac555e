# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kind command refuses or says before it needs a container, in kind's words."""

from __future__ import annotations

import pytest

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
#: A faulty configuration and what kind 0.31.0 says of it.
REFUSED = {
    "unknown field": (
        HEAD + "networking:\n  podSubnett: 10.1.0.0/16\n",
        "unable to decode config: yaml: unmarshal errors:\n  line 4: field podSubnett not found in type v1alpha4.Networking",
    ),
    "unknown field of a node": (
        HEAD + "nodes:\n- role: worker\n  taints: []\n",
        "unable to decode config: yaml: unmarshal errors:\n  line 5: field taints not found in type v1alpha4.Node",
    ),
    "a word for a number": (
        HEAD + "networking:\n  apiServerPort: many\n",
        "unable to decode config: yaml: unmarshal errors:\n  line 4: cannot unmarshal !!str `many` into int32",
    ),
    "a mapping for a list": (
        HEAD + "nodes:\n  role: worker\n",
        "unable to decode config: yaml: unmarshal errors:\n  line 4: cannot unmarshal !!map into []v1alpha4.Node",
    ),
    "other version": ("kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha3\n", "unknown apiVersion: kind.x-k8s.io/v1alpha3"),
    "other kind": ("kind: Node\napiVersion: kind.x-k8s.io/v1alpha4\n", "unknown kind Node for apiVersion: kind.x-k8s.io/v1alpha4"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_configuration_is_read_strictly(bench, tmp_path, case):
    text, message = REFUSED[case]
    file = tmp_path / "config.yaml"
    file.write_text(text)
    ended = bench.kind("create", "cluster", "--config", file)
    assert (ended.code, ended.out, ended.err) == (1, "", f"ERROR: failed to create cluster: {message}\n")


def test_a_missing_configuration_is_named(bench):
    ended = bench.kind("create", "cluster", "--config", "nowhere.yaml")
    message = "error reading file: open nowhere.yaml: no such file or directory"
    assert (ended.code, ended.err) == (1, f"ERROR: failed to create cluster: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        (["version", "-q"], 0, "0.31.0\n", ""),
        (["--version"], 0, "kind version 0.31.0\n", ""),
        (["create", "cluster", "--nope"], 1, "", "ERROR: unknown flag: --nope\n"),
        (["create", "cluster", "--name"], 1, "", "ERROR: flag needs an argument: --name\n"),
        (
            ["create", "cluster", "--wait", "long"],
            1,
            "",
            'ERROR: invalid argument "long" for "--wait" flag: time: invalid duration "long"\n',
        ),
        (["frobnicate"], 1, "", 'ERROR: unknown command "frobnicate" for "kind"\n'),
        (["get", "clusters", "all"], 1, "", 'ERROR: unknown command "all" for "kind get clusters"\n'),
    ],
)
def test_the_command_line_is_cobras(bench, arguments, code, out, err):
    ended = bench.kind(*arguments)
    assert (ended.code, ended.out, ended.err) == (code, out, err)


def test_the_version_line_has_kinds_four_words(bench):
    name, version, _go, platform = bench.kind("version").out.split()
    assert (name, version, platform.partition("/")[0]) == ("kind", "v0.31.0", "linux")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["get", "clusters"], "ERROR: failed to list clusters: command "),
        (["get", "kubeconfig"], "ERROR: failed to list nodes: command "),
        (
            ["create", "cluster"],
            "ERROR: failed to create cluster: failed to get docker info: command \"docker info --format '{{json .}}'\" ",
        ),
        (["delete", "cluster"], 'ERROR: failed to delete cluster "kind": error listing nodes: failed to list nodes: command '),
    ],
)
class TestWithoutDocker:
    """No engine is no reason to find nothing."""

    def test_a_stopped_engine_is_told_in_dockers_words(self, bench, docker_command, arguments, message):
        ended = bench.kind(*arguments, DOCKER_HOST=f"unix://{bench.folder}/nobody.sock")
        assert ended.code == 1
        assert message in ended.err
        assert (
            f"Cannot connect to the Docker daemon at unix://{bench.folder}/nobody.sock. Is the docker daemon running?" in ended.err
        )

    def test_a_missing_docker_command_is_told_in_gos_words(self, bench, arguments, message):
        ended = bench.kind(*arguments, PATH=str(bench.home))
        assert ended.code == 1
        assert message in ended.err
        assert 'failed with error: exec: "docker": executable file not found in $PATH' in ended.err
