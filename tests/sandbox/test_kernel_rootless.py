# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same wiring for an ordinary user, in a user namespace with a single user id."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from kernel_lab import WORKER, WORKER2, Lab
from test_felix import recording
from test_kernel_bird import established, until
from test_kernel_wiring import build, pod_of, ttl
from test_life import as_nobody, python_for_nobody

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becomes an ordinary user, which root alone may")


@pytest.fixture(scope="module")
def lab():
    python = python_for_nobody()
    if python is None:
        pytest.skip("no Python with the sandbox's libraries that another user may run")
    scratch = Path("/tmp") / f"podnet-rootless-{os.getpid()}"
    scratch.mkdir()
    os.chown(scratch, 65534, 65534)
    lab = Lab(str(scratch), prefix=as_nobody(), python=python)
    try:
        lab.networks = build(lab, recording("vxlancrosssubnet-operator"))
        yield lab
    finally:
        lab.close()
        shutil.rmtree(scratch)


def test_pings_arrive_with_63_and_62(lab):
    source = pod_of(lab, WORKER)
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER, 1).address)) == [63]
    assert ttl(lab.pod(source.name, "ping", "-c1", "-W2", pod_of(lab, WORKER2).address)) == [62]


def test_bird_meshes(lab):
    assert until(lambda: established(lab, WORKER) == 2) is None and established(lab, WORKER) == 2


def test_tcpdump_has_a_stand_in_of_the_same_name_and_line_form(lab):
    source, target = pod_of(lab, WORKER), pod_of(lab, WORKER2)
    script = f"tcpdump -i eth0 -n -l -v -c 2 'icmp and host {source.address}' & sleep 0.7; ping -c1 -W2 {source.address}; wait"
    done = lab.pod(target.name, "sh", "-c", f"exec timeout 8 sh -c \"{script}\"")
    assert "tcpdump: listening on eth0, link-type EN10MB (Ethernet)" in done.error and "2 packets captured" in done.error
    assert re.search(
        rf"\(tos 0x0, ttl 62, id \d+, offset 0, flags \[\w+\], proto ICMP \(1\), length 84\)\n    {source.address} > {target.address}: ICMP echo reply",
        done.output,
    )


def test_the_nodes_nat_and_sets_are_there(lab):
    assert "cali-nat-outgoing" in lab.node(WORKER, "iptables-nft-save", "-t", "nat").output
    assert "192.168.0.0/16" in lab.node(WORKER, "ipset", "list", "cali40masq-ipam-pools").output


def test_a_terminal_has_its_name_in_the_pod(lab):
    assert lab.pod(pod_of(lab, WORKER).name, "tty", tty=True).output.startswith("/dev/pts/")


def test_a_pod_writes_no_host_file_and_sees_no_home(lab):
    assert lab.pod(pod_of(lab, WORKER).name, "sh", "-c", "echo x > /usr/bin/x").code != 0
    assert lab.pod(pod_of(lab, WORKER).name, "ls", "-A", "/home", "/tmp").output.split() == ["/home:", "/tmp:"]
    assert lab.pod(pod_of(lab, WORKER).name, "cat", "/proc/1/environ").code != 0
