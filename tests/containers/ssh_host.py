# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab host behind a real sshd: a Debian container with systemd, a user who may become root, and one who may not."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hosts
import yaml
from docker.models.containers import Container

#: May become root without a password. The other one may not at all.
SUDOER, ORDINARY = "lab", "guest"


@dataclass(frozen=True)
class SshHost:
    """A running host, and what it takes to connect to it. ``key`` and ``known_hosts`` are files on this machine."""

    container: Container
    address: str
    port: int
    key: Path
    known_hosts: Path

    def inventory(self, user: str = SUDOER, **variables: object) -> dict:
        """An inventory with this host as its only one."""
        options = f"-o IdentitiesOnly=yes -o UserKnownHostsFile={shlex.quote(str(self.known_hosts))}"
        connection = {
            "ansible_connection": "ssh",
            "ansible_host": self.address,
            "ansible_port": self.port,
            "ansible_user": user,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": options,
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        return {"all": {"hosts": {self.container.name: {**connection, **variables}}}}

    def write_inventory(self, path: Path, user: str = SUDOER, **variables: object) -> Path:
        path.write_text(yaml.safe_dump(self.inventory(user, **variables)))
        return path

    def root(self, *command: str) -> str:
        """What a command printed that root ran on the host, past SSH."""
        return hosts.run(self.container, *command)

    def sudo(self, *command: str) -> str:
        """What a command printed that the user ran there by SSH and sudo: as `docker exec` cannot enter a host whose own Docker runs
        containers (control groups of version 2 have processes in their leaves only)."""
        options = ["-i", str(self.key), "-p", str(self.port), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={self.known_hosts}"]
        remote = ["ssh", *options, f"{SUDOER}@{self.address}", shlex.join(["sudo", "-n", *command])]
        ended = subprocess.run(remote, text=True, capture_output=True, timeout=60, check=False)
        if ended.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)} on {self.container.name} ended with {ended.returncode}: {ended.stderr}")
        return ended.stdout

    def has(self, path: str) -> bool:
        return self.container.exec_run(["test", "-e", path]).exit_code == 0


@contextlib.contextmanager
def ssh_host(name: str, folder: Path, suite: str = "bookworm", capabilities: tuple[str, ...] = ()) -> Iterator[SshHost]:
    """A host that is removed afterwards. Its key and what is known of it lie in ``folder``."""
    hosts.remove(name)
    try:
        yield _start(name, folder, suite, capabilities)
    finally:
        hosts.remove(name)


def _start(name: str, folder: Path, suite: str, capabilities: tuple[str, ...]) -> SshHost:
    key, known_hosts = folder / "id_ed25519", folder / "known_hosts"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    container = hosts.start(name, suite, ports={"22/tcp": ("127.0.0.1", None)}, capabilities=capabilities)
    hosts.run(container, "ssh-keygen", "-A")
    for user in (SUDOER, ORDINARY):
        _add_user(container, user, key.with_suffix(".pub").read_text())
    hosts.write(container, f"/etc/sudoers.d/{SUDOER}", f"{SUDOER} ALL=(ALL) NOPASSWD: ALL\n")
    hosts.run(container, "systemctl", "start", "ssh")
    container.reload()
    port = int(container.ports["22/tcp"][0]["HostPort"])
    host_key = hosts.run(container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()
    known_hosts.write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n")
    return SshHost(container, "127.0.0.1", port, key, known_hosts)


def _add_user(container: Container, user: str, public_key: str) -> None:
    hosts.run(container, "useradd", "--create-home", "--shell", "/bin/bash", user)
    hosts.run(container, "install", "-d", "-m", "0700", "-o", user, "-g", user, f"/home/{user}/.ssh")
    hosts.write(container, f"/home/{user}/.ssh/authorized_keys", public_key)
