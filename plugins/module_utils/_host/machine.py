# Copyright (c) 2026 podnet.calico authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine is, and what it has of what a lab needs (private)."""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import pwd
import shutil
import struct
from typing import Any, Dict, List, Mapping, Optional

#: Where root's commands live, which an ordinary user's PATH on Debian leaves out, and where snap puts its own.
_MORE_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin", "/snap/bin")


def distribution(root: str = "/") -> Dict[str, str]:
    """Id, version and full name, of ``/etc/os-release`` (man 5 os-release)."""
    fields: Dict[str, str] = {}
    for line in _text(root, "etc/os-release").splitlines():
        key, separator, value = line.partition("=")
        if separator:
            fields[key] = value.strip().strip("\"'")
    return {
        "id": fields.get("ID", "linux"),
        "version": fields.get("VERSION_ID", ""),
        "name": fields.get("PRETTY_NAME", "an unknown distribution"),
    }


def cgroup_version(root: str = "/") -> int:
    """2 where the unified hierarchy is the one mounted; 1 also where both are (man 7 cgroups)."""
    return 2 if os.path.exists(os.path.join(root, "sys/fs/cgroup/cgroup.controllers")) else 1


def memory_mb(root: str = "/") -> int:
    """All memory of the machine, in MiB."""
    for line in _text(root, "proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


def free_mb(path: str) -> int:
    """What root's data can still take at ``path``, in MiB, or at the nearest folder above it that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free // (1024 * 1024)


def first_process(root: str = "/") -> Dict[str, Any]:
    """The name of process 1, and whether it is systemd: sd_booted(3) looks for the same folder."""
    return {"name": _text(root, "proc/1/comm").strip(), "systemd": os.path.isdir(os.path.join(root, "run/systemd/system"))}


def has_apparmor(root: str = "/") -> bool:
    """Whether the kernel confines by AppArmor: then Docker needs apparmor_parser to start any container."""
    return _text(root, "sys/module/apparmor/parameters/enabled").strip() == "Y"


def sysctls(names: List[str], root: str = "/") -> Dict[str, Dict[str, Any]]:
    """The value of each number among the kernel's parameters, None where there is none, and whether this process may set it."""

    def one(name: str) -> Dict[str, Any]:
        path = os.path.join("proc/sys", name.replace(".", "/"))
        text = _text(root, path).strip()
        return {"value": int(text) if text.isdigit() else None, "writable": os.access(os.path.join(root, path), os.W_OK)}

    return {name: one(name) for name in names}


def routes(root: str = "/") -> List[Dict[str, str]]:
    """The IPv4 routes of the main table but the default ones, of ``/proc/net/route`` (fields in the host's byte order)."""
    found = []
    for line in _text(root, "proc/net/route").splitlines()[1:]:
        device, destination, mask = (line.split()[index] for index in (0, 1, 7))
        if mask != "00000000":
            found.append({"destination": str(ipaddress.ip_network((_address(destination), _address(mask)))), "device": device})
    return found


def missing(needed: Mapping[str, str]) -> List[str]:
    """The keys whose need is not met. A need is ``command:<name>``, ``file:<path>`` or ``module:<Python module>``."""
    return [name for name, need in needed.items() if not _has(*need.split(":", 1))]


def command(name: str) -> Optional[str]:
    """Where a command is, root's included."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_MORE_PATH]))


def user_name() -> str:
    """Who this process runs as; the number where it has no name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def is_user(name: str) -> bool:
    """Whether there is such a user."""
    try:
        return bool(pwd.getpwnam(name))
    except KeyError:
        return False


def _has(kind: str, what: str) -> bool:
    if kind == "command":
        return command(what) is not None
    if kind == "file":
        return os.path.exists(what)
    return importlib.util.find_spec(what) is not None


def _address(number: str) -> str:
    return str(ipaddress.ip_address(struct.pack("=I", int(number, 16))))


def _text(root: str, path: str) -> str:
    try:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
