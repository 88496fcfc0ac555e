# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job as an ordinary user: one uid, no group, no capability, not even in the bounding set.

What molecule's `default` shows for root, in one run: the lab is built, every check passes, packets are captured at their
destinations, what is broken is named and healed, and nothing is left.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS
from conftest import CHECKOUT, PATIENCE, SITE_PACKAGES
from test_faults import Subject, made_and_seen

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes an ordinary user, which root alone may")
NOBODY = 65534
#: One of a route and one of a device: Felix's work of both kinds.
BROKEN = ("block-route-gateway", "foreign-route")


def as_nobody(home):
    """The words before a command without any privilege, with an environment of its own."""
    return (
        "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all", "env", "-i",
        f"PATH={os.environ['PATH']}", f"HOME={home}", f"ANSIBLE_HOME={home}/.ansible", f"PYTHONPATH={SITE_PACKAGES}", "LANG=C.UTF-8",
        "PYTHONDONTWRITEBYTECODE=1", f"ANSIBLE_COLLECTIONS_PATH={CHECKOUT}/.ansible/collections:{SITE_PACKAGES}",
        "ANSIBLE_STDOUT_CALLBACK=ansible.posix.json", f"ANSIBLE_CONFIG={CHECKOUT}/ansible.cfg",
    )  # fmt: skip


def python_for(home):
    """A Python that user may run and that finds Ansible; None where there is none (the environment's lies in root's home)."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        if subprocess.run([*as_nobody(home), python, "-c", "import ansible, aiohttp"], capture_output=True, check=False).returncode == 0:
            return python
    return None


@pytest.fixture
def home():
    home = Path("/tmp") / f"podnet-rootless-{os.getpid()}"
    home.mkdir(mode=0o755)
    os.chown(home, NOBODY, NOBODY)
    yield home
    shutil.rmtree(home)


def test_an_ordinary_user_has_all_that_root_has(home):
    python = python_for(home)
    if python is None:
        pytest.skip("no Python with Ansible that another user may run")
    variables = {"podnet_lab_name": "rootless", "podnet_lab_dir": f"{home}/lab"}

    def play(playbook):
        inventory = str(CHECKOUT / "inventories" / "sandbox")
        argv = [*as_nobody(home), python, "-m", "ansible", "playbook", "-i", inventory, str(CHECKOUT / playbook), "-e", json.dumps(variables)]
        ended = subprocess.run(argv, cwd=home, text=True, capture_output=True, timeout=PATIENCE, check=False)
        assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
        return json.loads(ended.stdout[ended.stdout.index("{\n") :])["stats"]["localhost"]

    try:
        assert play("site.yml")["changed"] > 0
        verdict = json.loads(next((home / "lab" / "runs").glob("*/verdict.json")).read_text())
        assert not verdict["failed"] and verdict["summary"]["failed"] == verdict["summary"]["inconclusive"] == 0
        connectivity = [each for each in verdict["results"] if each["id"].startswith("connectivity.")]
        # No loss, TTL, and the source as it was captured at the destination: what a capability might have been needed for.
        assert len(connectivity) >= 5 and {each["outcome"] for each in connectivity} == {"passed"}
        holder = json.loads((home / "lab" / "state.json").read_text())["pid"]
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{holder}/status").read_text().splitlines() if ":\t" in line)
        assert (status["Uid"].split()[0], status["Groups"].strip()) == (str(NOBODY), "")
        subject = Subject(SimpleNamespace(kubeconfig=home / "lab" / "kubeconfig", folder=home / "lab"))
        for name in BROKEN:
            _, headlines = made_and_seen(subject, FAULTS[name])
            assert {finding.id for finding in headlines} == {FAULTS[name].check}
            subject.lab().heal(name)
            assert subject.seen_green()[0].findings == ()
    finally:
        play("playbooks/destroy.yml")
    assert {path.name for path in (home / "lab").iterdir()} <= {"runs"}
