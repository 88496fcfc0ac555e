# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as a program of its own: its wheel, and a cluster with Calico from the command line alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml
from lab import Lab
from podnet_sandbox import cli, launch
from podnet_sandbox.config import ConfigError, SandboxConfig

FILES = Path(launch.__file__).parents[1]
ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((FILES / "pyproject.toml").read_text())["project"]


def test_program_and_collection_have_one_version():
    assert PROJECT["version"] == yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]


def test_the_wheel_asks_for_nothing_that_the_collection_does_not_pin():
    pinned = {re.split(r"[^\w.-]", line)[0] for line in (ROOT / "requirements" / "run.in").read_text().splitlines()}
    assert set(PROJECT["dependencies"]) <= pinned


def test_the_wheel_holds_all_that_is_in_the_folder(tmp_path):
    argv = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(FILES)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("podnet_sandbox-*.whl")
    there = {str(path.relative_to(FILES)) for path in (FILES / "podnet_sandbox").rglob("*") if path.is_file()}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if name.startswith("podnet_sandbox/")} == {n for n in there if "__pycache__" not in n}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"encapsulation": "IPIP"}, "encapsulation is 'IPIP', expected one of VXLANCrossSubnet, VXLAN, None: only Calico's own BIRD"),
        ({"encapsulation": "vxlan"}, "encapsulation is 'vxlan'"),
        ({"encapsulation": ["VXLAN"]}, "encapsulation is"),
        ({"block_size": 19}, "block_size is 19, expected a prefix length from 20 to 32"),
        ({"encapsulation": "VXLAN", "block_size": 22, "pod_subnet": "192.168.0.0/24"}, "has to fit into pod_subnet 192.168.0.0/24"),
        ({"block_size": "26"}, "block_size is '26'"),
        ({"bgp": "Off"}, "bgp is 'Off', expected Enabled or Disabled"),
        ({"bgp": "Disabled", "encapsulation": "None"}, "needs bgp Enabled"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_before_anything_is_built(settings, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        SandboxConfig.from_mapping(settings)


@pytest.mark.parametrize(
    ("argv", "changed"),
    [
        ([], {}),
        (["--nodes", "1"], {"nodes": ["pod-routing-control-plane"]}),
        (["--name", "x", "--nodes", "3"], {"name": "x", "nodes": ["x-control-plane", "x-worker", "x-worker2"]}),
        (["--encapsulation", "None", "--block-size", "28"], {"encapsulation": "None", "block_size": 28}),
        (["--config", '{"bgp": "Disabled", "port": 1}', "--bgp", "Enabled"], {"bgp": "Enabled"}),
    ],
)
def test_options_are_settings_and_go_before_the_configuration(argv, changed):
    assert cli._chosen(cli._parser().parse_args(["up", *argv])) == changed


def test_a_small_pod_network_does_without_a_block_size_where_no_pool_is_asked_for():
    assert SandboxConfig.from_json('{"pod_subnet": "10.77.0.0/28"}').block_size == 26


async def pools_of(config):
    lab = Lab(config=config)
    await lab.cluster.start()
    try:
        if config.encapsulation:
            await lab.until(lambda: lab.available("calico") and lab.available("ippools"))
        return [pool["spec"] for pool in lab.store.scan("ippools.crd.projectcalico.org")] if config.encapsulation else lab.store
    finally:
        await lab.cluster.stop()


def test_with_an_encapsulation_calico_comes_by_itself():
    (pool,) = asyncio.run(pools_of(SandboxConfig(encapsulation="VXLAN", block_size=28, pod_subnet="10.50.0.0/16")))
    assert (pool["cidr"], pool["blockSize"], pool["vxlanMode"], pool["natOutgoing"]) == ("10.50.0.0/16", 28, "Always", True)


def test_without_an_encapsulation_there_is_no_calico():
    store = asyncio.run(pools_of(SandboxConfig()))
    assert not list(store.scan("customresourcedefinitions.apiextensions.k8s.io"))


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a sandbox as root")
def test_the_example_of_the_help_does_what_it_says(tmp_path):
    def run(*argv, **environment):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *sys.path]), **environment}
        done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    program = (sys.executable, "-m", "podnet_sandbox")
    where = ("--state-dir", str(tmp_path / "state"))
    answer = json.loads(run(*program, "up", *where, "--json", "--name", "alone", "--nodes", "2", "--encapsulation", "VXLANCrossSubnet"))
    try:
        kubectl = {"KUBECONFIG": answer["kubeconfig"]}
        run("kubectl", "wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s", **kubectl)
        run("kubectl", "run", "web", "--image=wbitt/network-multitool", **kubectl)
        run("kubectl", "wait", "--for=condition=Ready", "pod/web", "--timeout=60s", **kubectl)
        assert "default via 169.254.1.1 dev eth0" in run("kubectl", "exec", "web", "--", "ip", "route", **kubectl)
    finally:
        run(*program, "down", *where)
