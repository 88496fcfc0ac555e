# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image table: repository → what its containers are made of."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from .reference import Reference, parse

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_COMMANDS = Path(__file__).parent / "commands"
_COMMANDS_INSIDE = "/opt/podnet/commands"
_PYTHON_INSIDE = "/opt/podnet/python"

_MULTITOOL = ("docker.io/wbitt/network-multitool", "docker.io/praqma/network-multitool")
_BUSYBOX = ("docker.io/library/busybox", "docker.io/library/alpine")
_PAUSE = ("registry.k8s.io/pause",)
_CALICO_REGISTRIES = ("quay.io/calico", "docker.io/calico")
_CALICO_SERVICES = (
    "apiserver",
    "cni",
    "csi",
    "goldmane",
    "kube-controllers",
    "node-driver-registrar",
    "pod2daemon-flexvol",
    "typha",
    "whisker",
    "whisker-backend",
)
_OPERATOR = ("quay.io/tigera/operator", "docker.io/tigera/operator")


@dataclass(frozen=True)
class Image:
    """An image's containers. ``entrypoint`` names a builtin of the zygote, "" has none: then ``command`` runs."""

    reference: str
    image_id: str
    entrypoint: str = ""
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    scripts: Mapping[str, str] = field(default_factory=dict)  # absolute path → text of an executable
    binds: Mapping[str, str] = field(default_factory=dict)  # inside → outside, read-only
    files: Mapping[str, str] = field(default_factory=dict)


def find(reference: str, *, single_user: bool = False) -> Image | None:
    """The image, or None where the table has none of that name.

    ``single_user``: the sandbox has one user id only (not started as root), and tcpdump, which must become another
    user, cannot run: a capture command of the same name and line form takes its place.
    """
    parsed = parse(reference)
    image = _table(single_user).get(parsed.repository)
    return image and replace(image, reference=reference, image_id=_image_id(parsed))


@cache
def _table(single_user: bool) -> dict[str, Image]:
    multitool = Image(
        "",
        "",
        entrypoint="multitool",
        scripts={
            **_command("/usr/sbin/nginx", "nginx.py"),
            **(_command("/usr/bin/tcpdump", "tcpdump.py") if single_user or not shutil.which("tcpdump") else {}),
        },
        binds=_binds(),
        files={"/etc/nginx/nginx.conf": (_COMMANDS / "nginx.conf").read_text(encoding="utf-8")},
    )
    node = Image(
        "",
        "",
        entrypoint="calico-node",
        scripts=_command("/usr/bin/birdcl", "birdcl.py") | _command("/usr/bin/calico-node", "calico_node.py"),
        binds=_binds(),
    )
    service = Image("", "", entrypoint="pause")
    table = dict.fromkeys(_MULTITOOL, multitool)
    table |= dict.fromkeys(_BUSYBOX, Image("", "", command=("sh",)))
    table |= dict.fromkeys((*_PAUSE, *_OPERATOR), service)
    for registry in _CALICO_REGISTRIES:
        table |= {f"{registry}/{name}": service for name in _CALICO_SERVICES}
        table[f"{registry}/node"] = node
    return table


def _command(path: str, name: str) -> dict[str, str]:
    """An image's own command, over the host's of that name as well: Debian 13's bird2 has a birdcl, ahead in PATH."""
    places = (f"{folder}/{os.path.basename(path)}" for folder in PATH.split(":"))
    hosts = {os.path.join(os.path.realpath(os.path.dirname(place)), os.path.basename(place)) for place in places if os.path.exists(place)}
    return dict.fromkeys(sorted({path} | hosts), _script(name))


def _script(name: str) -> str:
    """A command that this Python runs: its own library, nothing of the environment (-I), no site packages (-S)."""
    prefix = os.path.realpath(sys.base_prefix)
    executable = os.path.realpath(sys.executable)
    if not executable.startswith(f"{prefix}/"):
        executable = f"{prefix}/bin/python3"
    library = ""
    if prefix != "/usr":
        executable = executable.replace(prefix, _PYTHON_INSIDE, 1)
        library = f"LD_LIBRARY_PATH={_PYTHON_INSIDE}/lib "
    return f'#!/bin/sh\n{library}exec {executable} -I -S -B {_COMMANDS_INSIDE}/{name} "$@"\n'


def _binds() -> dict[str, str]:
    prefix = os.path.realpath(sys.base_prefix)
    binds = {_COMMANDS_INSIDE: str(_COMMANDS)}
    if prefix != "/usr":
        binds[_PYTHON_INSIDE] = prefix
    return binds


def _image_id(reference: Reference) -> str:
    """What a runtime reports: repository and digest. Without a pinned digest one that is stable per reference."""
    digest = reference.digest or "sha256:" + hashlib.sha256("@".join(reference).encode()).hexdigest()
    return f"{reference.repository}@{digest}"
