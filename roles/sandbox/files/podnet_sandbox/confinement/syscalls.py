# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Linux system calls Python 3.11 has no name for. Each raises OSError with what it was doing.

Numbers of the calls without a C wrapper are the same on every architecture (asm-generic, Linux 5.1 and later),
pivot_root's is not.
"""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Iterable

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_LINUX_CAPABILITY_VERSION_3 = 0x20080522

_SYS_MOUNT_SETATTR = 442
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41, "riscv64": 41, "ppc64le": 203, "s390x": 217}
_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MOUNT_ATTR_RDONLY = 1

#: Bit numbers of include/uapi/linux/capability.h, as far as a pod can be given them.
CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_BIND_SERVICE": 10,
    "NET_BROADCAST": 11,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "AUDIT_WRITE": 29,
}
_LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttr(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("attr_set", "attr_clr", "propagation", "userns_fd")]


class _CapHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapData(ctypes.Structure):
    _fields_ = [("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32)]


def _check(result: int, doing: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{doing}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    """New namespaces for the calling thread (NEWPID: for its next child)."""
    _check(_libc.unshare(flags), f"unshare(0x{flags:x})")


def setns(descriptor: int, kind: int) -> None:
    """Enter a namespace; of the calling thread alone (NEWPID: for its next child)."""
    _check(_libc.setns(descriptor, kind), f"setns(0x{kind:x})")


def mount(source: str, target: str, kind: str | None, flags: int = 0, data: str = "") -> None:
    """mount(2), so that nothing of util-linux is left under /run."""
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode() if kind else None, ctypes.c_ulong(flags), data.encode() or None
    )
    _check(result, f"mount {source} on {target}")


def unmount(target: str) -> None:
    """Lazy unmount."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def make_read_only(target: str) -> None:
    """The mount and all below it become read-only, their other (locked) flags untouched. Linux 5.12."""
    attributes = _MountAttr(_MOUNT_ATTR_RDONLY, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        ctypes.c_char_p(target.encode()),
        ctypes.c_uint(_AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
    )
    _check(result, f"mount_setattr read-only {target}")


def pivot_root(new_root: str) -> None:
    """``new_root`` becomes /; the old root is stacked on it and detached (pivot_root(2), NOTES, "." and ".")."""
    machine = platform.machine()
    if machine not in _SYS_PIVOT_ROOT:
        raise OSError(f"pivot_root: no system call number known for {machine}")
    os.chdir(new_root)
    _check(_libc.syscall(ctypes.c_long(_SYS_PIVOT_ROOT[machine]), b".", b"."), f"pivot_root {new_root}")
    unmount(".")
    os.chdir("/")


def die_with_parent(signal: int) -> None:
    """The kernel sends ``signal`` to this process when its parent ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0), "prctl(PR_SET_PDEATHSIG)")


def hide_memory() -> None:
    """Others of the same user may no longer look into this process (environment, memory, open files)."""
    _check(_libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0), "prctl(PR_SET_DUMPABLE)")


def keep_capabilities(names: Iterable[str]) -> None:
    """Cut permitted, effective and bounding set down to ``names``; no programme can win one back."""
    kept = {CAPABILITIES[name] for name in names}
    for number in range(_LAST_CAPABILITY + 1):
        if number not in kept and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # EINVAL: past the last capability this kernel knows
    mask = sum(1 << number for number in kept) & _permitted()
    header = _CapHeader(_LINUX_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)()
    for index, part in enumerate((mask & 0xFFFFFFFF, mask >> 32)):
        data[index] = _CapData(part, part, 0)
    _check(_libc.capset(ctypes.byref(header), data), "capset")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(PR_SET_NO_NEW_PRIVS)")


def _permitted() -> int:
    header = _CapHeader(_LINUX_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)()
    _check(_libc.capget(ctypes.byref(header), data), "capget")
    return data[0].permitted | data[1].permitted << 32
