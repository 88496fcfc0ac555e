# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double of kind held against the real one, built from its Go module: same exit code, same stdout, same stderr.

Building it takes about a minute on two cores, once: done with PODNET_TEST_ALL=1, kept in build/tools, used from there on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import SMALL
from test_kind_refusals import REFUSED

VERSION = "0.31.0"
KEPT = Path(__file__).resolve().parents[2] / "build" / "tools" / f"kind-{VERSION}"
HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"
#: Configurations that both must refuse in the same words, besides those of test_kind_refusals.
CONFIGURATIONS = {
    **{case: text for case, (text, _message) in REFUSED.items()},
    "no yaml": "nodes: [",
    "nothing": "",
    "a list": "- a\n",
    "a tab": HEAD + "nodes:\n\t- role: worker\n",
    "no end of a word": HEAD + "name: 'a\n",
    "a list for the version": "kind: Cluster\napiVersion: [a]\n",
    "two faults": HEAD + "nodez: []\nnetworking: {ipFamily: ipv4, mtu: 1400}\n",
    "a long word for a number": HEAD + "networking: {apiServerPort: quite-a-long-word}\n",
    "a word for a truth": HEAD + "networking: {disableDefaultCNI: perhaps}\n",
    "a list for a word": HEAD + "name: [a]\n",
    "patch with an unknown field": HEAD + "kubeadmConfigPatchesJSON6902: [{group: a, path: b}]\n",
    "no CIDR": HEAD + "networking: {podSubnet: 10.1.0.0}\n",
    "two CIDRs": HEAD + 'networking: {podSubnet: "10.1.0.0/16,10.2.0.0/16"}\n',
    "IPv6 for IPv4": HEAD + 'networking: {serviceSubnet: "fd00::/112"}\n',
    "one family for dual": HEAD + 'networking: {ipFamily: dual, podSubnet: "10.1.0.0/16,10.2.0.0/16"}\n',
    "unknown family": HEAD + "networking: {ipFamily: ipv5}\n",
    "unknown proxy": HEAD + "networking: {kubeProxyMode: ebpf}\n",
    "no control plane": HEAD + "nodes: [{role: worker}]\n",
    "unknown role": HEAD + "nodes: [{role: control-plane}, {role: router}]\n",
    "port out of range": HEAD + "networking: {apiServerPort: 65536}\n",
    "mapped port out of range": HEAD
    + "nodes: [{role: control-plane, extraPortMappings: [{hostPort: -2, containerPort: 70000}]}]\n",
}
#: Commands on clusters that are not there.
COMMANDS = [
    ["version", "-q"],
    ["--version"],
    ["get", "nodes", "--name", "pd-nobody"],
    ["get", "kubeconfig", "--name", "pd-nobody"],
    ["get", "kubeconfig", "--name=pd-nobody", "--internal"],
    ["get", "kubeconfig", "-n", "pd-nobody"],
    ["delete", "cluster", "--name", "pd-nobody"],
    ["delete", "cluster", "--name", "Not_A_Name"],
    ["export", "logs", "--name", "pd-nobody"],
    ["export", "kubeconfig", "--name", "pd-nobody"],
    ["load", "docker-image", "pd.nobody/nothing:1", "--name", "pd-nobody"],
    ["load", "docker-image"],
    ["load", "image-archive", "nowhere.tar", "--name", "pd-nobody"],
    ["create", "cluster", "--name", "Not_A_Name"],
    ["create", "cluster", "--config", "nowhere.yaml"],
    ["create", "cluster", "--nope"],
    ["create", "cluster", "-x"],
    ["create", "cluster", "--wait", "soon"],
    ["create", "cluster", "--config"],
    ["create", "cluster", "more"],
    ["get", "clusters", "--name", "x"],
    ["frobnicate"],
]


@pytest.fixture(scope="session")
def real(tmp_path_factory) -> Path:
    """The real kind."""
    if not KEPT.exists():
        if os.environ.get("PODNET_TEST_ALL") != "1":
            pytest.skip(f"kind {VERSION} is not built yet: PODNET_TEST_ALL=1 builds it from its Go module")
        if not shutil.which("go"):
            pytest.skip("no Go on this machine to build kind with")
        folder = tmp_path_factory.mktemp("go")
        argv = ["go", "install", f"sigs.k8s.io/kind@v{VERSION}"]
        built = subprocess.run(argv, env={**os.environ, "GOBIN": str(folder)}, capture_output=True, text=True, check=False)
        if built.returncode:
            pytest.skip(f"kind {VERSION} could not be built here: {built.stderr.strip().splitlines()[-1]}")
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "kind", KEPT)
    return KEPT


def same(bench, real, *arguments, **environment):
    """Both ended alike; what they said."""
    answers = [bench.run(program, *arguments, **environment) for program in (real, bench.tool("kind", VERSION))]
    assert answers[1] == answers[0]
    return answers[0]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_ends_as_the_real_one_does(engine, real, arguments):
    same(engine, real, *arguments)


def test_a_group_without_its_command_fails_as_the_real_one_does_though_its_help_is_not_printed(bench, real):
    answers = [bench.run(program, "get", "pods") for program in (real, bench.tool("kind", VERSION))]
    assert [(one.code, one.err) for one in answers] == [(1, "ERROR: Subcommand is required\n")] * 2
    assert answers[0].out.startswith("Gets one of")


@pytest.mark.parametrize("case", CONFIGURATIONS)
def test_a_configuration_is_refused_in_the_real_ones_words(engine, real, tmp_path, case):
    file = tmp_path / "config.yaml"
    file.write_text(CONFIGURATIONS[case])
    ended = same(engine, real, "create", "cluster", "--name", "pd-refused", "--config", file)
    assert ended.code == 1


@pytest.mark.parametrize(
    "arguments", [["get", "clusters"], ["get", "kubeconfig"], ["delete", "cluster"], ["export", "logs"]], ids=" ".join
)
def test_a_stopped_engine_is_told_in_the_real_ones_words(bench, docker_command, real, arguments):
    ended = same(bench, real, *arguments, DOCKER_HOST="unix:///nobody.sock")
    assert "Cannot connect to the Docker daemon" in ended.err


@pytest.mark.parametrize("arguments", [["get", "clusters"], ["create", "cluster"]], ids=" ".join)
def test_a_missing_docker_command_is_told_in_the_real_ones_words(bench, real, arguments):
    same(bench, real, *arguments, PATH=str(bench.home))


def test_the_version_line_has_the_real_ones_form(bench, real):
    form = re.compile(r"kind v\d+\.\d+\.\d+ go\S+ linux/\w+\n")
    assert all(form.fullmatch(bench.run(program, "version").out) for program in (real, bench.tool("kind", VERSION)))


def test_a_cluster_of_the_double_is_a_cluster_to_the_real_one(engine, real, cluster, config):
    assert engine.kind("create", "cluster", "--name", cluster, "--config", config).code == 0
    same(engine, real, "get", "nodes", "--name", cluster)
    same(engine, real, "get", "clusters")
    ended = same(engine, real, "create", "cluster", "--name", cluster, "--config", config)
    assert "node(s) already exist" in ended.err
    deleted = engine.run(real, "delete", "cluster", "--name", cluster)
    assert deleted.code == 0
    assert re.match(rf'Deleting cluster "{cluster}" ...\nDeleted nodes: \["{cluster}-', deleted.err)


def test_the_network_is_the_one_that_the_real_one_makes(engine, real, tmp_path):
    """The real one gets as far as the network before it fails for want of an image that can boot."""
    made = {}
    config = tmp_path / "config.yaml"
    config.write_text(SMALL)
    for name, program in (("pd-real", real), ("pd-double", engine.tool("kind", VERSION))):
        network = {"KIND_EXPERIMENTAL_DOCKER_NETWORK": "podnet-doubles-compared"}
        arguments = ["create", "cluster", "--name", name, "--config", config, "--image", "podnet.doubles/node:v1.33.7"]
        engine.run("docker", "tag", "podnet.doubles/node:idle", "podnet.doubles/node:v1.33.7")
        engine.run(program, *arguments, **network)
        engine.run(program, "delete", "cluster", "--name", name, **network)
        template = "{{.Driver}} {{.Options}} {{.Labels}} {{.EnableIPv6}} {{range .IPAM.Config}}{{.Subnet}} {{end}}"
        found = engine.docker("network", "inspect", "podnet-doubles-compared", "--format", template)
        made[name] = re.sub(r"172\.\d+\.0\.0/16|192\.168\.\d+\.0/20", "IPv4", found)
        engine.docker("network", "rm", "podnet-doubles-compared")
    engine.run("docker", "rmi", "podnet.doubles/node:v1.33.7")
    assert made["pd-double"] == made["pd-real"]
