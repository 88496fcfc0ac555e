# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input gets a message that names it and what to do, before anything is changed."""

from __future__ import annotations

import json
import shutil
import socket

import pytest
import yaml
from conftest import Lab

CASES = {
    "pool smaller than the nodes' blocks": (
        {"podnet_pod_subnet": "192.168.0.0/25"},
        ["192.168.0.0/25 in /26 blocks gives 2 blocks, but there are 3 nodes"],
    ),
    "block size": ({"calico_block_size": 33}, ["calico_pools[0].block_size is 33, expected 20 to 32"]),
    "pool over the service subnet": (
        {"calico_pools": [{"name": "p", "cidr": "10.96.0.0/16"}]},
        ["calico_pools[0].cidr 10.96.0.0/16 overlaps podnet_service_subnet 10.96.0.0/16"],
    ),
    "pool over the node subnet": (
        {"calico_pools": [{"name": "p", "cidr": "172.18.128.0/17"}]},
        ["calico_pools[0].cidr 172.18.128.0/17 overlaps podnet_node_subnet 172.18.0.0/16"],
    ),
    "two errors at once": (
        {"calico_block_size": 19, "podnet_service_subnet": "172.18.0.0/16"},
        ["calico_pools[0].block_size is 19", "podnet_node_subnet 172.18.0.0/16 overlaps podnet_service_subnet"],
    ),
    "encapsulation": ({"calico_encapsulation": "GRE"}, ["value of calico_encapsulation must be one of", "got: GRE"]),
    "encapsulation of a pool": (
        {"calico_pools": [{"name": "p", "cidr": "192.168.0.0/16", "encapsulation": "GRE"}]},
        ["value of encapsulation must be one of", "got: GRE found in calico_pools"],
    ),
    "BIRD's routes without BIRD": (
        {"calico_bgp": "Disabled", "calico_encapsulation": "None"},
        ["calico_pools[0].encapsulation is None while calico_bgp is Disabled"],
    ),
    "lab name": ({"podnet_lab_name": "Pod_Routing"}, ["podnet_lab_name is 'Pod_Routing'", "one DNS label"]),
    "provider": ({"podnet_provider": "existing"}, ["podnet_provider is 'existing': there is nothing to build"]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_before_anything_is_changed(stranger, case):
    variables, expected = CASES[case]
    lab = Lab(stranger, "bad")
    run = lab.play("podnet.calico.site", variables=variables)
    assert run.code != 0
    for words in expected:
        assert words in run.fault or words in run.text, run.text
    assert run.changed_tasks == []
    assert not lab.folder.exists()


def test_a_port_that_is_taken_is_named(stranger):
    lab = Lab(stranger, "bad")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = lab.play("podnet.calico.site", variables={"sandbox_port": port})
    assert run.code != 0
    assert str(port) in run.fault
    lab.play("podnet.calico.destroy")


@pytest.mark.parametrize("missing", [True, False])
def test_a_kubeconfig_that_cannot_be_read_is_named(stranger, tmp_path, missing):
    kubeconfig = tmp_path / "kubeconfig"
    if not missing:
        kubeconfig.write_text("neither: a kubeconfig\n")
    run = stranger.play(
        "podnet.calico.verify",
        variables={"podnet_provider": "existing", "podnet_lab_name": "bad", "pod_routing_kubeconfig": str(kubeconfig)},
    )
    assert run.code != 0
    assert str(kubeconfig) in run.fault
    assert not run.published


def test_a_cluster_without_calico_is_named(stranger, tmp_path):
    playbook = tmp_path / "bare.yml"
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "roles": ["podnet.calico.sandbox"]}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    playbook.write_text(yaml.safe_dump([play]))
    lab = Lab(stranger, "bare")
    try:
        assert lab.play(str(playbook)).code == 0
        run = stranger.play(
            "podnet.calico.verify",
            variables={"podnet_provider": "existing", "podnet_lab_name": "bad", "pod_routing_kubeconfig": str(lab.kubeconfig)},
        )
        assert run.code != 0
        assert f"The cluster at {lab.server()} has no Calico" in run.fault
    finally:
        assert lab.play("podnet.calico.destroy").code == 0
    assert not lab.folder.exists()


def test_verify_without_a_lab_says_how_to_get_one(stranger):
    run = Lab(stranger, "bad").play("podnet.calico.verify")
    assert run.code != 0
    assert "podnet.calico.site" in run.fault


def machine(tmp_path, **found) -> str:
    """A Python that, asked what this machine has, says so; and that can do nothing else."""
    answer = {"uid": 1000, "missing_commands": [], "missing_modules": [], "apt": True, "python": "/usr/bin/python3"}
    answer |= {"execution_environment": "", **found}
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\ncase $1 in *inspect_machine.py) echo '{json.dumps(answer)}';; *) exit 1;; esac\n")
    python.chmod(0o755)
    return str(python)


def test_no_sandbox_is_started_in_an_execution_environment(stranger):
    lab = Lab(stranger, "in-a-job")
    run = lab.play("podnet.calico.site", AWX_PRIVATE_DATA_DIR="/runner")
    assert run.code != 0
    assert "execution environment (AWX set AWX_PRIVATE_DATA_DIR)" in run.fault and "would end with it" in run.fault
    assert "podnet_provider: existing" in run.fault
    assert run.changed_tasks == [] and not lab.folder.exists()


def test_an_image_of_ansible_builder_is_refused_by_what_shows_it(stranger, tmp_path):
    python = machine(tmp_path, execution_environment="/opt/builder/bin/entrypoint of ansible-builder is here", missing_commands=["birdc"])
    run = Lab(stranger, "bad").play("podnet.calico.site", variables={"sandbox_python": python})
    assert run.code != 0
    assert "/opt/builder/bin/entrypoint of ansible-builder is here" in run.fault
    assert "birdc" not in run.fault, "nothing that could be installed would help"


def test_an_ordinary_user_without_bird_is_told_what_to_install(stranger, tmp_path):
    python = machine(tmp_path, missing_commands=["birdc"])
    run = Lab(stranger, "bad").play("podnet.calico.site", variables={"sandbox_python": python})
    assert run.code != 0
    assert "The command birdc is missing" in run.fault and "apt-get install bird." in run.fault
    assert "calico_bgp: Disabled" in run.fault


def test_an_ordinary_user_without_a_command_for_exercises_is_told_and_goes_on(stranger, tmp_path):
    python = machine(tmp_path, missing_commands=["traceroute"])
    run = Lab(stranger, "bad").play("podnet.calico.site", variables={"sandbox_python": python})
    named = [result["msg"] for result in run.results if result["task"] == "Name what is missing"]
    assert "The command traceroute is missing" in named[0] and "apt-get install traceroute" in named[0]
    assert run.results[-1]["task"] != "Make sure the sandbox can run here"


def test_a_missing_python_package_is_named(stranger, tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nexec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin python3 -S "$@"\n')
    python.chmod(0o755)
    run = Lab(stranger, "bad").play("podnet.calico.site", variables={"sandbox_python": str(python)})
    assert run.code != 0
    assert "lacks aiohttp" in run.fault and "pip install" in run.fault


@pytest.mark.parametrize("records", [{"lab.json": {"lab": {"name": "theirs", "provider": "kind"}}}, {"building.json": {"cluster": "theirs"}}])
@pytest.mark.parametrize("playbook", ["podnet.calico.site", "podnet.calico.destroy"])
def test_the_folder_of_a_lab_of_another_provider_is_left_alone(stranger, playbook, records):
    lab = Lab(stranger, "theirs")
    lab.folder.mkdir(parents=True)
    for name, record in records.items():
        (lab.folder / name).write_text(json.dumps(record))
    run = lab.play(playbook)
    left = {path.name: json.loads(path.read_text()) for path in lab.folder.iterdir()}
    shutil.rmtree(lab.folder)
    assert run.code != 0 and run.changed_tasks == []
    assert f"{lab.folder} is the folder of the lab" in run.fault and "Nothing was changed" in run.fault
    assert left == records
