# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian hosts with systemd, as containers, for tests of roles. They install from the package sources of this machine.

hosts.py up NAME SUITE      a host of that name, Debian bookworm or trixie
hosts.py down NAME          removes it, and the hosts' network with the last of them
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import io
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker
from docker.models.containers import Container

HERE = Path(__file__).resolve().parent
LABEL = "podnet.calico/test-host"
NETWORK = "podnet-test-hosts"
#: Of the range for benchmarks (RFC 2544), so that an engine inside a host finds 172.17.0.0/16 free, as on a real one.
SUBNET = "198.18.7.0/24"
CERTIFICATES = "/usr/local/share/test-host-ca.crt"
PATIENCE_SECONDS = 60


def start(name: str, suite: str, ports: dict[str, tuple[str, None]] | None = None, capabilities: tuple[str, ...] = ()) -> Container:
    """A running host. What systemd and a Docker engine inside need is given by name: not every machine may give everything.

    ``capabilities``: what its root shall be able to do besides.
    """
    image = subprocess.run([HERE / "build-image", suite], check=True, text=True, stdout=subprocess.PIPE).stdout.strip()
    client = docker.from_env()
    with one_at_a_time():
        network(client)
    container = client.containers.run(
        image,
        "/sbin/init",
        name=name,
        hostname=name,
        labels={LABEL: name},
        network=NETWORK,
        ports=ports,
        cap_add=["SYS_ADMIN", "NET_ADMIN", *capabilities],
        security_opt=["seccomp=unconfined", "apparmor=unconfined"],
        tmpfs={"/run": "", "/tmp": "exec"},
        cgroupns="host",
        volumes=[f"{control_groups()}:/sys/fs/cgroup:rw", *package_volumes()],
        detach=True,
    )
    write(container, "/etc/pip.conf", pip_configuration())
    wait_for_systemd(container)
    return container


def remove(name: str) -> None:
    """No host of that name, whether there was one or not."""
    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={name}"}):
        container.remove(force=True, v=True)
    with one_at_a_time():
        for found in client.networks.list(names=[f"^{NETWORK}$"]):
            found.reload()
            if not found.containers:
                found.remove()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Docker makes a second network of the same name where two ask at once."""
    with open(Path(tempfile.gettempdir()) / "podnet-test-hosts.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def network(client: docker.DockerClient) -> None:
    if not client.networks.list(names=[f"^{NETWORK}$"]):
        pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=SUBNET)])
        client.networks.create(NETWORK, driver="bridge", ipam=pool)


def control_groups() -> Path:
    """The folder with control groups of version 2: systemd of Debian 13 starts under no other."""
    unified = Path("/sys/fs/cgroup/unified")
    return unified if unified.is_dir() else Path("/sys/fs/cgroup")


def pip_settings() -> dict[str, str]:
    """What pip on this machine is set to, by its files and by the environment."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, text=True, capture_output=True).stdout
    pairs = (line.split("=", 1) for line in listed.splitlines() if "=" in line)
    return {key.rpartition(".")[2]: ast.literal_eval(value) for key, value in pairs}


def pip_configuration() -> str:
    settings = pip_settings()
    if "cert" in settings:
        settings["cert"] = CERTIFICATES
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))


def package_volumes() -> list[str]:
    """The files of this machine that its pip settings name."""
    settings = pip_settings()
    folders = [path for path in settings.get("find-links", "").split() if Path(path).is_dir()]
    certificates = [f"{settings['cert']}:{CERTIFICATES}:ro"] if "cert" in settings else []
    return [f"{path}:{path}:ro" for path in folders] + certificates


def write(container: Container, path: str, text: str) -> None:
    packed, data = io.BytesIO(), text.encode()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(Path(path).name)
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    container.put_archive(str(Path(path).parent), packed.getvalue())


def run(container: Container, *command: str, **options) -> str:
    """What a command in the host printed; its failure is an error with both."""
    code, output = container.exec_run(list(command), **options)
    if code != 0:
        raise RuntimeError(f"{' '.join(command)} in {container.name} ended with {code}: {output.decode()}")
    return output.decode()


def wait_for_systemd(container: Container) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        state = container.exec_run(["systemctl", "is-system-running"]).output.decode().strip()
        if state in ("running", "degraded"):
            return
        if time.monotonic() > deadline:
            said = container.logs(tail=20).decode()
            raise RuntimeError(f"systemd in {container.name} is {state!r} after {PATIENCE_SECONDS} s: {said}")
        time.sleep(0.2)


if __name__ == "__main__":
    if sys.argv[1] == "up":
        remove(sys.argv[2])
        start(sys.argv[2], sys.argv[3])
    else:
        remove(sys.argv[2])
