# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes in real containers: what is in them, who may write, whom they are shared with; and how containers are ended."""

from __future__ import annotations

import os

import pytest
from kernel_lab import WORKER, Lab
from podnet_sandbox.dataplane.desired import PodNetwork
from podnet_sandbox.dataplane.kernel import ContainerSpec, Mount, PodFile, PodProcessSpec, WorkloadError

MULTITOOL = "wbitt/network-multitool:latest"
POD = ("default", "pod")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = Lab(str(tmp_path_factory.mktemp("scratch")))
    try:
        lab.call("start")
        lab.call("add_node", WORKER, "172.18.0.3/16", "172.18.0.1")
        lab.call("volume", "write", POD, "conf", {"a": PodFile(b"one"), "deep/b": PodFile(b"two", 0o400)})
        lab.call("volume", "empty", POD, "work", 1 << 20)
        mounts = (
            Mount("conf", "/var/run/secrets/conf", read_only=True),
            Mount("conf", "/etc/a", "a", read_only=True),
            Mount("work", "/work"),
            Mount("work", "/part", "below/it"),
        )
        one = ContainerSpec("one", MULTITOOL, command=("sleep", "1000"), mounts=mounts)
        other = ContainerSpec("other", MULTITOOL, command=("sleep", "1000"), mounts=(Mount("work", "/elsewhere"),))
        network = PodNetwork(*POD, "192.168.93.193", "calipod", 1450)
        lab.call("add_pod", WORKER, network, PodProcessSpec(*POD, (one, other)))
        yield lab
    finally:
        lab.close()


def test_what_the_kubelet_wrote_can_be_read_and_not_written(lab):
    assert lab.pod("pod", "sh", "-c", "cat /run/secrets/conf/a /var/run/secrets/conf/deep/b /etc/a").output == "onetwoone"
    assert lab.pod("pod", "stat", "-Lc", "%a", "/run/secrets/conf/deep/b").output == "400\n"
    assert "Read-only file system" in lab.pod("pod", "touch", "/run/secrets/conf/x").error
    assert not os.path.exists("/run/secrets/conf")


def test_a_running_container_sees_what_is_written_later_but_not_by_a_sub_path(lab):
    lab.call("volume", "write", POD, "conf", {"a": PodFile(b"uno"), "c": PodFile(b"three")})
    assert lab.pod("pod", "sh", "-c", "cat /run/secrets/conf/a /etc/a; ls /run/secrets/conf").output == "unoonea\nc\n"


def test_an_empty_dir_is_the_pods_and_has_its_limit(lab):
    assert lab.pod("pod", "sh", "-c", "echo x > /work/file; echo y > /part/file").code == 0
    session = lab.call("run", *POD, ("cat", "/work/file", "/work/below/it/file"), None, False)
    assert session[1] == "x\ny\n"
    lab.call("start_container", *POD, ContainerSpec("third", MULTITOOL, command=("sh", "-c", "cat /w/file"), mounts=(Mount("work", "/w"),)))
    assert lab.call("read_logs", *POD, "third", follow=True) == [b"x\n"]
    assert "No space left" in lab.pod("pod", "dd", "if=/dev/zero", "of=/work/big", "bs=1M", "count=2").error


def test_a_path_of_the_node_is_shared_by_its_pods_and_is_not_the_machines(lab, tmp_path):
    for name, octet in (("writer", 196), ("reader", 197)):
        lab.call("volume", "host", ("default", name), "logs", WORKER, str(tmp_path))
        command = "echo x > /logs/file; sleep 1000" if name == "writer" else "sleep 1000"
        container = ContainerSpec("c", MULTITOOL, command=("sh", "-c", command), mounts=(Mount("logs", "/logs"),))
        network = PodNetwork("default", name, f"192.168.93.{octet}", f"cali{name}", 1450)
        lab.call("add_pod", WORKER, network, PodProcessSpec("default", name, (container,)))
    while lab.pod("reader", "cat", "/logs/file").output != "x\n":
        pass
    assert list(tmp_path.iterdir()) == []
    assert lab.pod("reader", "ln", "-s", "/etc", "/logs/link").code == 0
    with pytest.raises(WorkloadError, match=f"hostPath type check failed: {tmp_path}/link is not a directory"):
        lab.call("volume", "host", ("default", "other"), "logs", WORKER, f"{tmp_path}/link")


def test_a_link_in_a_volume_leads_nowhere(lab):
    assert lab.pod("pod", "ln", "-s", "/etc", "/work/link").code == 0
    with pytest.raises(WorkloadError, match="failed to prepare subPath link/x"):
        lab.call("start_container", *POD, ContainerSpec("trick", MULTITOOL, mounts=(Mount("work", "/w", "link/x"),)))


@pytest.mark.parametrize("path", ["../conf/a", "x/../../y", "/etc"])
def test_a_path_cannot_lead_out_of_its_volume(lab, path):
    with pytest.raises(WorkloadError, match="must be a relative path"):
        lab.call("volume", "write", POD, "bad", {path: PodFile(b"")})
    for volume in ("work", "conf"):
        with pytest.raises(WorkloadError, match="must be a relative path"):
            lab.call("volume", "source", POD, Mount(volume, "/w", path))


def test_the_volumes_of_a_pod_that_never_started_go_with_it(lab):
    never = ("default", "never")
    lab.call("volume", "empty", never, "work", None)
    before = lab.call("mounts")
    lab.call("remove_pod", *never)
    assert lab.call("mounts") == before - 1


def test_nothing_of_a_pods_volumes_is_left_when_it_is_gone(lab):
    gone = ("default", "gone")
    lab.call("volume", "empty", gone, "work", None)
    network = PodNetwork(*gone, "192.168.93.194", "caligone", 1450)
    container = ContainerSpec("c", MULTITOOL, command=("sh", "-c", "echo x > /w/f"), mounts=(Mount("work", "/w"),))
    lab.call("add_pod", WORKER, network, PodProcessSpec(*gone, (container,)))
    lab.call("remove_pod", *gone)
    lab.call("volume", "empty", gone, "work", None)
    again = ContainerSpec("c", MULTITOOL, command=("sh", "-c", "ls /w"), mounts=(Mount("work", "/w"),))
    lab.call("add_pod", WORKER, network, PodProcessSpec(*gone, (again,)))
    assert lab.call("read_logs", *gone, "c", follow=True) == []
    lab.call("remove_pod", *gone)


@pytest.mark.parametrize(
    ("name", "command", "grace", "code"),
    [
        ("polite", "trap 'exit 7' TERM; while true; do sleep 0.01; done", 30, 7),
        ("deaf", "sleep 1000", 0.1, 137),  # process 1 does not hear what it has no handler for
    ],
)
def test_a_container_is_asked_to_end_and_killed_when_it_does_not(lab, name, command, grace, code):
    network = PodNetwork("default", name, "192.168.93.195", f"cali{name}", 1450)
    container = ContainerSpec("c", MULTITOOL, command=("sh", "-c", f"echo up; {command}"))
    lab.call("add_pod", WORKER, network, PodProcessSpec("default", name, (container,)))
    while lab.call("read_logs", "default", name, "c") != [b"up\n"]:
        pass
    lab.call("end_container", "default", name, "c", grace)
    assert (name, "c", code) in lab.call("exits")
    lab.call("remove_pod", "default", name)
