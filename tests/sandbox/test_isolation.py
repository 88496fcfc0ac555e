# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's own namespaces lead nowhere else, wherever it was started."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from podnet_sandbox import launch

FILES = Path(launch.__file__).parent.parent

#: A chroot that is this machine's file system, but for one file, and in it what `up` does before anything else.
IN_A_CHROOT = """
import os, sys
from podnet_sandbox.confinement import isolation, syscalls

root = sys.argv[1]
syscalls.unshare(syscalls.CLONE_NEWNS)
syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
syscalls.mount("/", root, None, syscalls.MS_BIND | syscalls.MS_REC)
syscalls.mount("tmpfs", f"{root}/mnt", "tmpfs")
open(f"{root}/mnt/chroot", "w").close()
os.chroot(root)
os.chdir("/")

isolation.enter(privileged=True)
if os.fork() == 0:
    isolation.settle()
    with open("/proc/self/ns/mnt") as namespace:
        syscalls.setns(namespace.fileno(), syscalls.CLONE_NEWNS)
    print(os.listdir("/mnt"), flush=True)
    os._exit(0)
os.wait()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a chroot")
def test_in_a_chroot_whoever_enters_the_sandboxs_namespaces_stays_in_the_chroot(tmp_path):
    """An exec into a pod enters its mount namespace, and with it the namespace's root, wherever the process was."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(FILES), *filter(None, sys.path)])}
    argv = [sys.executable, "-c", IN_A_CHROOT, str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, env=env, check=False, timeout=60)
    assert done.stdout == "['chroot']\n", done.stderr
