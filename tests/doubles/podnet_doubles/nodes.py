# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers of a cluster: real, idle, with kind's labels on kind's network.

Facts (kind source, v0.31.0: pkg/cluster/internal/providers/docker, and the command it printed when run): names, labels,
arguments of `docker run`, all nodes at once. Left out: --privileged and the two --security-opt that go with it (nothing runs in
these), and the published API port (the sandbox listens on it). Added: this host's /usr, read-only, so that an image of nothing
can sleep and cat; and a stop signal that a sleeping process 1 hears.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from podnet_doubles import docker

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
ADMIN_CONF = "/etc/kubernetes/admin.conf"
#: Stands for the published port of the control plane: where this host reaches the API.
ENDPOINT = "/etc/kubernetes/podnet-double-endpoint"
_IMAGE = "podnet.doubles/node"
_LINKS = {"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
_FOLDERS = ("dev", "etc/kubernetes", "proc", "run", "sys", "tmp", "usr", "var")


def names(cluster: str, roles: list[str]) -> list[str]:
    """kind's names: the first of a role has no number, the next is 2."""
    seen: Counter[str] = Counter()
    found = []
    for role in roles:
        seen[role] += 1
        found.append(f"{cluster}-{role}{seen[role] if seen[role] > 1 else ''}")
    return found


def of_cluster(cluster: str) -> list[str]:
    """The names of the cluster's containers, running or not, in Docker's order."""
    return docker.lines("ps", "-a", "--filter", f"label={CLUSTER_LABEL}={cluster}", "--format", "{{.Names}}")


def clusters() -> list[str]:
    """The names of all clusters."""
    labels = docker.lines("ps", "-a", "--filter", f"label={CLUSTER_LABEL}", "--format", f'{{{{.Label "{CLUSTER_LABEL}"}}}}')
    return sorted(set(labels))


def inspect(containers: list[str]) -> list[dict[str, Any]]:
    """`docker inspect`, parsed."""
    return json.loads(docker.run("inspect", *containers)) if containers else []


def control_planes(cluster: str) -> list[str]:
    """The cluster's control-plane containers, by name."""
    found = inspect(of_cluster(cluster))
    return sorted(one["Name"].lstrip("/") for one in found if one["Config"]["Labels"].get(ROLE_LABEL) == "control-plane")


def create(cluster: str, nodes: list[dict[str, Any]], network: str) -> list[str]:
    """All containers at once; their names, in the order of ``nodes``. Raises the first failure, when all have ended."""
    image = _image()
    planned = names(cluster, [node["role"] for node in nodes])
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        starting = [
            pool.submit(docker.run, "run", "--name", name, *_arguments(cluster, name, node, network), image)
            for name, node in zip(planned, nodes, strict=True)
        ]
    for each in starting:
        each.result()
    return planned


def addresses(containers: list[str], network: str) -> list[str]:
    """The IPv4 address of each, on ``network``."""
    return [one["NetworkSettings"]["Networks"][network]["IPAddress"] for one in inspect(containers)]


def put(container: str, path: str, content: str) -> None:
    """Write a file into a container, 0600."""
    folder, _slash, name = path.rpartition("/")
    docker.run("cp", "-", f"{container}:{folder}", stdin=_tar({name: content.encode()}))


def read(container: str, path: str) -> str:
    """A file of a running container, as kind reads it (which does so with --privileged). Raises `docker.CommandFailed`."""
    return docker.run("exec", container, "cat", path)


def remove(containers: list[str]) -> None:
    """As kind removes nodes: with force, and with their volumes."""
    if containers:
        docker.run("rm", "-f", "-v", *containers)


def _arguments(cluster: str, name: str, node: dict[str, Any], network: str) -> list[str]:
    fixed = f"--hostname {name} --label {ROLE_LABEL}={node['role']} --tmpfs /tmp --tmpfs /run --volume /var"
    ours = "--volume /usr:/usr:ro --stop-signal=SIGKILL"
    common = (
        f"--detach --tty --label {CLUSTER_LABEL}={cluster} --net {network} --restart=on-failure:1 --init=false --cgroupns=private"
    )
    extra = [f"--volume={mount['hostPath']}:{mount['containerPath']}" for mount in node.get("extraMounts") or []]
    for one in node.get("extraPortMappings") or []:
        outside = f"{one.get('listenAddress') or '0.0.0.0'}:{one.get('hostPort', 0)}"
        extra.append(f"--publish={outside}:{one['containerPort']}/{one.get('protocol') or 'TCP'}")
    environment = ["-e", f"KUBECONFIG={ADMIN_CONF}"] if node["role"] == "control-plane" else []
    return [*fixed.split(), *common.split(), *ours.split(), *extra, *environment]


def _image() -> str:
    """An image of folders and links alone, made here: what runs in it is this host's."""
    tag = f"{_IMAGE}:idle"
    if not docker.succeeds("inspect", "--type=image", tag):
        docker.run("import", "--change", 'CMD ["/bin/sleep", "infinity"]', "-", tag, stdin=_root())
    return tag


def _root() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in _FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, target in _LINKS.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return buffer.getvalue()


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
