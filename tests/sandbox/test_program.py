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
from podnet_sandbox import cli, commands, launch
from podnet_sandbox.config import ConfigError, SandboxConfig
from podnet_sandbox.state import StateFolder

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
    assert commands.chosen(cli._parser().parse_args(["up", *argv])) == changed


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


def run(*argv, code=0, **environment):
    """What a command says that ends with ``code``."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *sys.path]), **environment}
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=120)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + (done.stderr if code else "")


PROGRAM = (sys.executable, "-m", "podnet_sandbox")


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a sandbox as root")
def test_the_examples_of_the_help_do_what_they_say(tmp_path):
    where = ("--state-dir", str(tmp_path / "state"))
    answer = json.loads(run(*PROGRAM, "up", *where, "--json", "--name", "alone", "--nodes", "2", "--encapsulation", "VXLANCrossSubnet"))
    try:
        kubectl = {"KUBECONFIG": answer["kubeconfig"]}
        run("kubectl", "wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s", **kubectl)
        run("kubectl", "run", "web", "--image=wbitt/network-multitool", **kubectl)
        run("kubectl", "wait", "--for=condition=Ready", "pod/web", "--timeout=60s", **kubectl)
        assert "default via 169.254.1.1 dev eth0" in run("kubectl", "exec", "web", "--", "ip", "route", **kubectl)
        assert "default via 169.254.1.1 dev eth0" in run(*PROGRAM, "exec", *where, "web", "--", "ip", "route")
        run(*PROGRAM, "exec", *where, "web", "--", "sh", "-c", "exit 7", code=7)
        assert 'exec: "nosuch": executable file not found in $PATH' in run(*PROGRAM, "exec", *where, "web", "--", "nosuch", code=1)
        assert 'pods "none" not found' in run(*PROGRAM, "exec", *where, "none", "--", "true", code=1)
        a_snapshot_is_a_recording_that_holds(tmp_path / "snapshot", where)
    finally:
        run(*PROGRAM, "down", *where)
    assert "no sandbox is up" in run(*PROGRAM, "kubeconfig", *where, code=1)
    assert "no sandbox is up" in run(*PROGRAM, "snapshot", *where, str(tmp_path / "other"), code=1)


def a_snapshot_is_a_recording_that_holds(folder, where):
    """The verifier, which shares no line with the sandbox, reads the folder as it reads one of a real cluster."""
    from ansible_collections.podnet.calico.plugins.module_utils import _checks, _recording

    assert "recorded" in run(*PROGRAM, "snapshot", *where, str(folder))
    assert not (folder / "problems.txt").exists() and folder.stat().st_mode & 0o77 == 0
    assert {item["metadata"]["name"] for item in json.loads((folder / "api" / "nodes.json").read_text())["items"]} == {
        "alone-control-plane", "alone-worker"}  # fmt: skip
    assert (folder / "pods" / "default.web" / "ip-j-d-route.json").exists()
    verdict = _checks.judge(_recording.load(str(folder)))
    assert verdict.summary["failed"] == verdict.summary["inconclusive"] == 0, verdict.findings
    assert verdict.summary["passed"] > 50
    assert "is there and not empty" in run(*PROGRAM, "snapshot", *where, str(folder), code=1)


def test_list_names_the_living_and_the_dead(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert cli.main(["list"]) == 0 and "no sandbox has files in" in capsys.readouterr().out
    for name in ("living", "dead"):
        folder = StateFolder(tmp_path / "podnet" / name)
        folder.create()
        lock = folder.lock()
        if name == "dead":
            os.close(lock)
    assert cli.main(["list", "--json"]) == 0
    assert {each["name"]: each["running"] for each in json.loads(capsys.readouterr().out)} == {"living": True, "dead": False}
    os.close(StateFolder(tmp_path / "podnet" / "dead").lock())


@pytest.mark.parametrize("command", ["", "up", "down", "status", "list", "kubeconfig", "exec", "snapshot", "logs"])
def test_every_command_has_a_help_with_what_one_has_to_know(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([*filter(None, [command]), "--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    wanted = {"": "Exit codes:", "status": "Exit code 0", "up": "Examples:", "exec": "Examples:", "snapshot": "Example:"}
    assert wanted.get(command, "usage: podnet-sandbox") in said


@pytest.mark.parametrize("trouble", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_goes_wrong_is_a_line_and_no_traceback(trouble, tmp_path, monkeypatch, capsys):
    def fails(*_arguments, **_named):
        raise trouble

    monkeypatch.setattr(launch, "start", fails)
    code = cli.main(["up", "--state-dir", str(tmp_path / "lab")])
    said = capsys.readouterr().err
    assert code == (130 if isinstance(trouble, KeyboardInterrupt) else 1) and said.startswith("podnet-sandbox up: ") and said.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="starts a sandbox as root")
def test_the_wheel_in_an_environment_of_its_own_is_the_program(tmp_path):
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(FILES))
    (wheel,) = tmp_path.glob("podnet_sandbox-*.whl")
    run(sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv"))
    (packages,) = (tmp_path / "venv").glob("lib/python3.*/site-packages")
    run(sys.executable, "-m", "pip", "--python", str(tmp_path / "venv"), "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    # Its libraries are those of the wheel's metadata (test above); here they are lent, not downloaded.
    (packages / "libraries.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    program = str(tmp_path / "venv" / "bin" / "podnet-sandbox")
    lab = ("--state-dir", str(tmp_path / "lab"))
    assert "started: 1 nodes" in run(program, "up", *lab, "--nodes", "1", PYTHONPATH="")
    run(program, "down", *lab, PYTHONPATH="")
