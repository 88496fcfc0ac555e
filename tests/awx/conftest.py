# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX, played: what it is given as a project, how it runs a playbook, and what its API does with the folder awx. No AWX was run."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
#: Everything that can be loaded, under names that AWX would show.
EVERYTHING = {
    "awx_setup_image": "registry.example.net/podnet-calico:0.1.0",
    "awx_setup_context": "admin@production",
    "awx_setup_lab_hosts": {"lab.example.net": {"podnet_lab_dir": "/home/podnet/lab"}},
    "awx_setup_lab_credential": "Lab hosts",
    "awx_setup_webhook_url": "https://chat.example.net/hook",
    "awx_setup_mail_recipients": ["platform@example.net"],
    "awx_setup_mail_sender": "awx@example.net",
}
KINDS = (
    "organization", "execution_environment", "credential_type", "credential", "inventory", "host", "group", "notification_template",
    "project", "job_template", "workflow_job_template", "schedule",
)  # fmt: skip


def pytest_collection_modifyitems(items) -> None:
    """PyPI's `ansible` has awx.awx in its release for Python 3.11 alone; the tests of its modules say so where it is not there."""
    if not (SITE_PACKAGES / "ansible_collections" / "awx" / "awx").is_dir():
        for item in items:
            if "modules" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=f"{SITE_PACKAGES} has no collection awx.awx: not held against its modules here"))


def environment(home: Path, **extra: str) -> dict[str, str]:
    """A fresh home, this checkout's collection, and no variable of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "K8S_AUTH_", "CONTROLLER_", "TOWER_", "PODNET_"))}
    for name in ("KUBECONFIG", "XDG_STATE_HOME"):
        kept.pop(name, None)
    return {
        **kept,
        "HOME": str(home),
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": f"{CHECKOUT / '.ansible' / 'collections'}{os.pathsep}{SITE_PACKAGES}",
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_INJECT_FACT_VARS": "false",
        **extra,
    }


def ansible_playbook(home: Path, playbook: object, variables: dict, **extra: str) -> subprocess.CompletedProcess[str]:
    """A run on this machine, from an empty folder."""
    argv = [str(BIN / "ansible-playbook"), str(playbook), "-e", json.dumps(variables)]
    return subprocess.run(argv, cwd=home, env=environment(home, **extra), text=True, capture_output=True, timeout=300, check=False)


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory) -> Path:
    """What a person has of the cluster, with a secret in it."""
    path = tmp_path_factory.mktemp("kubeconfig") / "production.yaml"
    path.write_text("apiVersion: v1\nkind: Config\nusers: [{name: admin, user: {token: s3cr3t-t0ken}}]\n")
    return path


RENDER = """
- hosts: localhost
  gather_facts: false
  connection: local
  vars_files: [{role}/defaults/main.yml, {role}/vars/main.yml]
  tasks:
    - ansible.builtin.include_vars: {{dir: {checkout}/awx, extensions: [yml], ignore_unknown_extensions: true, name: __awx_setup_stories}}
    - ansible.builtin.copy: {{content: "{{{{ __awx_setup_chosen | to_json }}}}", dest: {dest}, mode: "0600"}}
"""


@pytest.fixture(scope="session")
def calls(kubeconfig, tmp_path_factory) -> dict[str, list[dict]]:
    """The arguments of each module, a dictionary a call, as playbooks/awx_setup.yml makes them of the folder awx with everything on."""
    home = tmp_path_factory.mktemp("render")
    play = home / "render.yml"
    play.write_text(RENDER.format(role=CHECKOUT / "roles" / "awx_setup", checkout=CHECKOUT, dest=home / "stories.json"))
    ended = ansible_playbook(home, play, {**EVERYTHING, "awx_setup_kubeconfig": str(kubeconfig)})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    stories = json.loads((home / "stories.json").read_text())
    assert {kind for story in stories for kind in story} == set(KINDS)
    return {kind: [call for story in stories for call in story.get(kind, [])] for kind in KINDS}


class _Specification(Exception):
    """Raised in place of a module's start, with the specification that it starts with."""


@pytest.fixture(scope="session")
def modules() -> dict[str, dict]:
    """The argument specification of each module of awx.awx that is called, as the module itself has it."""
    found = {}
    for kind in KINDS:
        module = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{kind}")

        class Caught(module.ControllerAPIModule):
            def __init__(self, argument_spec, **options):
                raise _Specification({**self.AUTH_ARGSPEC, **argument_spec}, options)

        original, module.ControllerAPIModule = module.ControllerAPIModule, Caught
        try:
            module.main()
        except _Specification as caught:
            found[kind] = caught.args[0], {name: value for name, value in caught.args[1].items() if name == "mutually_exclusive"}
        finally:
            module.ControllerAPIModule = original
    return found
