# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container's root file system: an empty one, with the host's programs mounted into it read-only.

What is not named here is not there: home folders, the lab's folder, `/run` and `/var` of the host with their
sockets, SSH agents, `/etc/shadow`. Nothing has to be hidden, so nothing can be forgotten.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import syscalls

#: The host's programs and libraries: directories are mounted, links (merged /usr) copied as links.
_SYSTEM = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
#: What those programs read from /etc and every local user may read.
_CONFIGURATION = (
    "alternatives",
    "bash.bashrc",
    "iproute2",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "nsswitch.conf",
    "os-release",
    "protocols",
    "rpc",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
#: As in the OCI runtime specification's defaults, as far as these are files an ordinary kernel has.
_MASKED = ("acpi", "kcore", "keys", "kmsg", "latency_stats", "sched_debug", "scsi", "sysrq-trigger", "timer_list")
_READ_ONLY_PROC = ("bus", "fs", "irq", "sys")
_FOLDERS = ("dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp", "var")
_IMAGE_COMMANDS = "/opt/podnet/image"
_PASSWD = (
    "root:x:0:0:root:/root:/bin/sh\n"
    "tcpdump:x:100:100::/nonexistent:/usr/sbin/nologin\n"  # Debian's tcpdump becomes this user
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
_GROUP = "root:x:0:\ntty:x:5:\ntcpdump:x:100:\nnogroup:x:65534:\n"


@dataclass(frozen=True)
class RootFilesystem:
    """What a container sees. ``mountpoint``: any folder, covered in the container's mount namespace only."""

    mountpoint: str
    files: Mapping[str, bytes] = field(default_factory=dict)  # absolute path → content
    scripts: Mapping[str, str] = field(default_factory=dict)  # absolute path → executable text
    binds: Mapping[str, str] = field(default_factory=dict)  # path inside → path outside, read-only
    shared: Mapping[str, str] = field(default_factory=dict)  # the same, writable
    writable_net_sysctls: bool = False  # a privileged container on a node writes /proc/sys/net
    size: str = "64m"


def enter(root: RootFilesystem) -> None:
    """Build ``root`` and make it this process's /. Call in a new mount (and, for /proc, process) namespace."""
    new = root.mountpoint
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    syscalls.mount("tmpfs", new, "tmpfs", syscalls.MS_NOSUID | syscalls.MS_NODEV, f"mode=755,size={root.size}")
    for folder in _FOLDERS:
        os.mkdir(f"{new}/{folder}", 0o755)
    _system(new)
    _configuration(new)
    _devices(new)
    _proc(new, root.writable_net_sysctls)
    _writable_folders(new)
    mounted = {_inside(new, inside): (outside, inside in root.binds) for inside, outside in {**root.binds, **root.shared}.items()}
    for inside, (outside, read_only) in sorted(mounted.items()):  # what is mounted below another comes after it
        _bind(outside, new + inside, read_only=read_only)
    syscalls.pivot_root(new)
    # Only from here on: a link on the way to a file (/var/run) cannot lead out of the container any more.
    for path, content in root.files.items():
        if not any(path == inside or path.startswith(f"{inside}/") for inside in mounted):
            write(path, content)
    _commands(root.scripts)


def _inside(new: str, path: str) -> str:
    """``path`` without the links on its way (/var/run), which would lead out of ``new`` as long as that is not the root."""
    current = ""
    for name in os.path.normpath(f"/{path}").strip("/").split("/"):
        current = f"{current}/{name}"
        if os.path.islink(new + current):
            current = os.path.normpath(os.path.join(os.path.dirname(current), os.readlink(new + current)))
    return current


def _commands(scripts: Mapping[str, str]) -> None:
    """Lay an image's own commands over the host's read-only folders of programmes."""
    for path, text in scripts.items():
        write(_IMAGE_COMMANDS + path, text.encode(), 0o755)
    for folder in sorted({os.path.dirname(path) for path in scripts}):
        layers = f"lowerdir={_IMAGE_COMMANDS}{folder}:{folder}"
        syscalls.mount("overlay", folder, "overlay", syscalls.MS_RDONLY | syscalls.MS_NODEV, layers)


def write(path: str, content: bytes, mode: int = 0o644) -> None:
    """A file and the folders above it; one that is there is replaced whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    temporary = f"{path}.new"
    with open(temporary, "wb") as file:
        file.write(content)
    os.chmod(temporary, mode)
    os.rename(temporary, path)


def _system(new: str) -> None:
    for name in _SYSTEM:
        source = f"/{name}"
        if os.path.islink(source):
            os.symlink(os.readlink(source), new + source)
        elif os.path.isdir(source):
            _bind(source, new + source)


def _configuration(new: str) -> None:
    for name in _CONFIGURATION:
        source = f"/etc/{name}"
        if os.path.exists(source):
            _bind(os.path.realpath(source), new + source)
    write(f"{new}/etc/passwd", _PASSWD.encode())
    write(f"{new}/etc/group", _GROUP.encode())


def _devices(new: str) -> None:
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"{new}/dev/{name}", read_only=False)
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"{new}/dev/{name}")
    quiet = syscalls.MS_NOSUID | syscalls.MS_NOEXEC
    for name, kind, data in (("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"), ("shm", "tmpfs", "mode=1777")):
        os.mkdir(f"{new}/dev/{name}")
        syscalls.mount(kind, f"{new}/dev/{name}", kind, quiet, data)


def _proc(new: str, writable_net: bool) -> None:
    quiet = syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC
    syscalls.mount("proc", f"{new}/proc", "proc", quiet)
    for name in _READ_ONLY_PROC:
        _bind(f"{new}/proc/{name}", f"{new}/proc/{name}")
    if writable_net:  # from the outer /proc: the inner one is read-only by now. It shows the reader's namespace.
        _bind("/proc/sys/net", f"{new}/proc/sys/net", read_only=False)
    for name in _MASKED:
        if os.path.exists(f"{new}/proc/{name}"):
            _mask(f"{new}/proc/{name}")
    # A /sys with parts masked (inside Docker) may not be mounted anew: the container has an empty one then.
    with contextlib.suppress(PermissionError):
        syscalls.mount("sysfs", f"{new}/sys", "sysfs", quiet | syscalls.MS_RDONLY)


def _mask(path: str) -> None:
    if os.path.isdir(path):
        syscalls.mount("tmpfs", path, "tmpfs", syscalls.MS_RDONLY)
    else:
        syscalls.mount("/dev/null", path, None, syscalls.MS_BIND)


def _writable_folders(new: str) -> None:
    os.chmod(f"{new}/root", 0o700)
    os.chmod(f"{new}/tmp", 0o1777)
    for name in ("cache", "lib", "log", "spool"):
        os.mkdir(f"{new}/var/{name}")
    os.mkdir(f"{new}/var/tmp")
    os.chmod(f"{new}/var/tmp", 0o1777)
    os.symlink("/run", f"{new}/var/run")


def _bind(source: str, target: str, *, read_only: bool = True) -> None:
    if not os.path.lexists(target):
        if stat.S_ISDIR(os.stat(source).st_mode):
            os.makedirs(target)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    syscalls.mount(source, target, None, syscalls.MS_BIND | syscalls.MS_REC)
    if read_only:
        syscalls.make_read_only(target)


def to_message(root: RootFilesystem) -> dict[str, Any]:
    """As JSON can carry it (bytes as latin-1 text)."""
    message = dict(vars(root))
    message["files"] = {path: content.decode("latin-1") for path, content in root.files.items()}
    return message


def from_message(message: Mapping[str, Any]) -> RootFilesystem:
    """The reverse of `to_message`."""
    values = dict(message)
    values["files"] = {path: text.encode("latin-1") for path, text in values["files"].items()}
    return RootFilesystem(**values)
