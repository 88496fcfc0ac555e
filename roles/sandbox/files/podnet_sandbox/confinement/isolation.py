# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's own namespaces: entered once, before anything runs in them.

As root: mount, network, process, IPC and UTS namespaces. Otherwise a user namespace besides, with this one user
mapped to root. Whoever enters must fork: the child is process 1, and when it ends the kernel ends all the others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from . import syscalls

_ALL = (
    syscalls.CLONE_NEWNS
    | syscalls.CLONE_NEWNET
    | syscalls.CLONE_NEWPID
    | syscalls.CLONE_NEWIPC
    | syscalls.CLONE_NEWUTS
)
_CAP_SYS_ADMIN = 21
_CAP_NET_ADMIN = 12
#: What may forbid user namespaces, the value that does, and what to do about it.
_OBSTACLES: Mapping[str, tuple[str, str]] = {
    "kernel/unprivileged_userns_clone": ("0", "sysctl kernel.unprivileged_userns_clone=1"),
    "user/max_user_namespaces": ("0", "sysctl user.max_user_namespaces=15000"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
}


class IsolationError(Exception):
    """This machine does not let this user make namespaces; the text says what forbids it."""


def is_privileged(status: str | None = None) -> bool:
    """Whether this process may make namespaces without a user namespace (effective SYS_ADMIN and NET_ADMIN)."""
    text = Path("/proc/self/status").read_text(encoding="ascii") if status is None else status
    effective = next(int(line.split()[1], 16) for line in text.splitlines() if line.startswith("CapEff:"))
    return all(effective >> number & 1 for number in (_CAP_SYS_ADMIN, _CAP_NET_ADMIN))


def enter(*, privileged: bool) -> None:
    """Leave the host's namespaces. Raises `IsolationError`. The next child is process 1."""
    user, group = os.geteuid(), os.getegid()
    try:
        syscalls.unshare(_ALL | (0 if privileged else syscalls.CLONE_NEWUSER))
        if privileged:
            _leave_chroot()
        else:
            _map(user, group)
    except OSError as error:
        raise IsolationError(explain(error, privileged=privileged)) from error


def _leave_chroot() -> None:
    """Started in a chroot: make its folder the root of the new mount namespace.

    setns(2) takes a process to the root of the namespace, not to the root of the processes that are in it: from a
    namespace whose root lies outside the chroot, every exec into a pod would see the machine's own files. An ordinary
    user cannot make a user namespace in a chroot (user_namespaces(7)).
    """
    root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    own = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    try:
        syscalls.setns(own, syscalls.CLONE_NEWNS)
        os.fchdir(root)
    finally:
        os.close(own)
        os.close(root)
    path = os.getcwd()
    if path != "/":
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount(path, path, None, syscalls.MS_BIND | syscalls.MS_REC)
        syscalls.pivot_root(path)


def settle() -> None:
    """In process 1: mounts of this process stay its own, and /proc shows the new process namespace."""
    try:
        syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
        syscalls.mount("proc", "/proc", "proc", syscalls.MS_NOSUID | syscalls.MS_NODEV | syscalls.MS_NOEXEC)
    except OSError as error:
        raise IsolationError(
            f"the sandbox could not mount a /proc of its own: {error}. Inside a container this is forbidden unless it "
            "runs with --privileged (or --security-opt systempaths=unconfined)"
        ) from error


def explain(error: OSError, *, privileged: bool, proc_sys: Path = Path("/proc/sys")) -> str:
    """Which setting of this machine forbids namespaces, and how to change it."""
    what = "namespaces" if privileged else "user namespaces, which an ordinary user's sandbox needs,"
    found = []
    for key, (forbidding, remedy) in _OBSTACLES.items():
        try:
            value = (proc_sys / key).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == forbidding and not privileged:
            found.append(f"{key.replace('/', '.')} is {value}: set it with `{remedy}`")
    if not found:
        found.append(
            "none of the known settings forbids it, so a container's seccomp profile or AppArmor may: run it in a "
            "privileged container or on the machine itself"
        )
    return f"{what} are not permitted here ({error}). {'; '.join(found)}. Or run the sandbox as root."


def _map(user: int, group: int) -> None:
    for file, content in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        Path(f"/proc/self/{file}").write_text(content, encoding="ascii")
