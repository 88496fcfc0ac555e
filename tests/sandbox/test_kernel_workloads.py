# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs in a pod, what exec does, and what neither can reach."""

from __future__ import annotations

import os
import re
import subprocess
import time

import pytest
from kernel_lab import WORKER, Lab
from podnet_sandbox import images
from podnet_sandbox.dataplane.desired import NodeNetwork, PodNetwork, Route, ServicePort
from podnet_sandbox.dataplane.kernel import (
    ContainerSpec,
    ExecFailed,
    ImageUnknown,
    NotRunning,
    PodProcessSpec,
    WorkloadError,
)
from podnet_sandbox.images import table

MULTITOOL = "wbitt/network-multitool:latest"
ENTRYPOINT, NGINX, SHELL = "192.168.93.193", "192.168.93.194", "192.168.93.195"
SECRET = "the-launchers-own-secret"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")


def add(lab, name, address, *, image=MULTITOOL, **fields):
    network = PodNetwork("default", name, address, f"cali{name}", 1450)
    container = ContainerSpec("main", image, **fields)
    return lab.call("add_pod", WORKER, network, PodProcessSpec("default", name, (container,)))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    scratch = tmp_path_factory.mktemp("scratch")
    (scratch / "kubeconfig").write_text(SECRET)
    lab = Lab(str(scratch), env={"PODNET_TEST_SECRET": SECRET, "SSH_AUTH_SOCK": "/run/agent"})
    try:
        lab.scratch = scratch
        lab.call("start")
        lab.call("add_node", WORKER, "172.18.0.3/16", "172.18.0.1")
        calico = ContainerSpec("calico-node", "quay.io/calico/node:v3.30.7", privileged=True)
        lab.call("add_pod", WORKER, None, PodProcessSpec("calico-system", f"calico-node-{WORKER}", (calico,)))
        add(lab, "entry", ENTRYPOINT, env={"HTTP_PORT": "8080", "HTTPS_PORT": "8443"})
        nginx = {"command": ("nginx", "-g", "daemon off;"), "env": {"HTTP_PORT": "8080", "HTTPS_PORT": "8443"}}
        add(lab, "plain", NGINX, **nginx)
        add(lab, "shell", SHELL, command=("sleep", "1000"))
        yield lab
    finally:
        lab.close()


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def fetch(lab, url, *options):
    return lab.pod("shell", "curl", "-sS", "-m", "3", *options, url)


def test_the_entrypoint_serves_on_the_ports_of_its_environment(lab):
    wanted = (
        f"WBITT Network MultiTool (with NGINX) - entry - {ENTRYPOINT} - HTTP: 8080 , HTTPS: 8443 . "
        "(Formerly praqma/network-multitool)\n"
    )
    assert until(lambda: fetch(lab, f"http://{ENTRYPOINT}:8080/").code == 0)
    assert fetch(lab, f"http://{ENTRYPOINT}:8080/").output == wanted
    assert fetch(lab, f"https://{ENTRYPOINT}:8443/", "-k").output == wanted
    assert fetch(lab, f"http://{ENTRYPOINT}/").code == 7


def test_a_command_in_place_of_the_entrypoint_leaves_the_ports_of_the_environment_dead(lab):
    assert until(lambda: fetch(lab, f"http://{NGINX}/").code == 0)
    assert fetch(lab, f"http://{NGINX}:8080/").code == 7
    assert fetch(lab, f"https://{NGINX}/", "-k").output == "WBITT Network MultiTool (with NGINX)\n"


def test_probes_come_from_the_node_and_tell_a_live_port_from_a_dead_one(lab):
    assert until(lambda: lab.call("probe_http", "default", "entry", ENTRYPOINT, 8080, "/", 2.0))
    assert lab.call("probe_http", "default", "entry", ENTRYPOINT, 8443, "/", 2.0, tls=True)
    assert lab.call("probe_http", "default", "entry", ENTRYPOINT, 8080, "/nothing", 2.0).why == "HTTP probe failed with statuscode: 404"
    assert lab.call("probe_http", "default", "entry", ENTRYPOINT, 80, "/", 2.0).why == (
        f'Get "http://{ENTRYPOINT}:80/": dial tcp {ENTRYPOINT}:80: connect: connection refused'
    )
    assert lab.call("probe_tcp", "default", "entry", ENTRYPOINT, 8080, 2.0)
    assert lab.call("probe_tcp", "default", "entry", ENTRYPOINT, 81, 2.0).why == f"dial tcp {ENTRYPOINT}:81: connect: connection refused"
    assert lab.call("probe_exec", "default", "entry", "main", ("true",), 2.0)
    assert lab.call("probe_exec", "default", "entry", "main", ("sh", "-c", "echo no; exit 1"), 2.0).why == "no\n"
    assert lab.call("probe_exec", "default", "entry", "main", ("sleep", "60"), 0.2).why == 'command timed out: "sleep 60" timed out after 0.2s'


def test_a_service_answers_on_its_cluster_address_from_pods_and_from_the_node(lab):
    routes = [Route(f"{a}/32", device=f"cali{n}", scope="link") for n, a in (("entry", ENTRYPOINT), ("plain", NGINX), ("shell", SHELL))]
    services = (ServicePort("10.96.0.50", "tcp", 80, (f"{ENTRYPOINT}:8080",)), ServicePort("10.96.0.51", "tcp", 80))
    lab.call("sync_node", NodeNetwork(WORKER, routes=tuple(routes), services=services))
    assert "entry" in fetch(lab, "http://10.96.0.50/").output
    assert "entry" in lab.node(WORKER, "curl", "-sS", "-m", "3", "http://10.96.0.50/").output
    assert "entry" in lab.pod("entry", "curl", "-sS", "-m", "3", "http://10.96.0.50/").output  # through itself
    assert fetch(lab, "http://10.96.0.51/").code == 7  # refused, not lost
    lab.call("sync_node", NodeNetwork(WORKER, routes=tuple(routes)))
    assert fetch(lab, "http://10.96.0.50/").code != 0


def test_logs_are_what_the_container_wrote(lab):
    logs = lab.call("read_logs", "default", "entry", "main")
    assert logs[0].startswith(b"WBITT Network MultiTool (with NGINX) - entry")
    fetch(lab, f"http://{ENTRYPOINT}:8080/seen")
    last = lab.call("read_logs", "default", "entry", "main", tail_lines=1, timestamps=True)[0]
    assert re.fullmatch(rb'\d{4}-\d\d-\d\dT[\d:.]+Z 192\.168\.93\.195 - - .*"GET /seen HTTP/1.1" 404 .*\n', last)


def test_exec_keeps_exit_code_streams_and_input(lab):
    assert lab.pod("shell", "sh", "-c", "echo out; echo err >&2; exit 7") == (7, "out\n", "err\n")
    data = os.urandom(300_000).hex().encode()
    assert lab.pod("shell", "cat", stdin=data).output.encode() == data
    assert lab.pod("shell", "sh", "-c", "kill -9 $$").code == 137


def test_exec_with_a_terminal_has_one(lab):
    done = lab.pod("shell", "sh", "-c", "test -t 0 && tty; echo $TERM", tty=True)
    assert (done.code, done.error) == (0, "") and re.fullmatch("/dev/pts/[0-9]+\r\nxterm\r\n", done.output)


def test_a_command_that_is_not_there_is_named_in_runcs_words(lab):
    with pytest.raises(ExecFailed, match=re.escape('exec: "nope": executable file not found in $PATH')):
        lab.pod("shell", "nope")
    with pytest.raises(NotRunning):
        lab.call("exec", "default", "gone", "main", ("true",))


def test_killing_a_session_leaves_nothing_of_it(lab):
    assert not lab.call("probe_exec", "default", "shell", "main", ("sh", "-c", "sleep 4242 & sleep 4242"), 0.2)
    assert until(lambda: "4242" not in lab.pod("shell", "ps", "-eo", "args").output)


def test_a_pod_cannot_write_the_hosts_files(lab):
    for path in ("/usr/bin/x", "/etc/ssl/certs/x", "/usr/bin/ls", "/opt/podnet/commands/x", "/proc/sys/net/ipv4/ip_forward"):
        done = lab.pod("shell", "sh", "-c", f"echo x > {path}")
        assert done.code != 0 and "Read-only file system" in done.error, path
    remount = "import ctypes; raise SystemExit(ctypes.CDLL(None).mount(b'', b'/usr', None, 32, None) == 0)"  # 32: MS_REMOUNT, read-write
    assert lab.pod("shell", "python3", "-c", remount).code == 0
    assert lab.pod("shell", "mknod", "/tmp/disk", "b", "254", "0").code != 0


def test_a_pod_sees_neither_homes_nor_sockets_nor_the_lab_folder(lab):
    seen = lab.pod("plain", "sh", "-c", "ls -A /home /root /run /tmp /mnt /srv /var/lib /var/log").output
    assert [line for line in seen.split() if not line.endswith(":")] == []
    for path in (str(lab.scratch / "kubeconfig"), "/etc/shadow", "/var/run/docker.sock", "/dev/vda", "/dev/sda", "/dev/mem"):
        assert lab.pod("shell", "test", "-e", path).code == 1, path


@pytest.mark.parametrize("pod", ["shell", "entry"])
def test_nothing_of_the_launchers_environment_is_seen_not_even_through_process_one(lab, pod):
    done = lab.pod(pod, "sh", "-c", "env; cat /proc/[0-9]*/environ; cat /proc/1/root/etc/hostname; ls -l /proc/1/fd /proc/1/cwd")
    assert SECRET not in done.output and "SSH_AUTH_SOCK" not in done.output
    env = dict(line.split("=", 1) for line in lab.pod(pod, "env").output.splitlines())
    assert set(env) <= {"PATH", "HOME", "HOSTNAME", "PWD", "PODNET_IMAGE", "HTTP_PORT", "HTTPS_PORT"}


def test_a_pod_has_its_own_name_processes_and_few_capabilities(lab):
    assert lab.pod("shell", "hostname").output == "shell\n"
    assert lab.pod("shell", "cat", "/proc/1/comm").output == "sleep\n"
    bounding = int(re.search(r"CapBnd:\s+(\w+)", lab.pod("shell", "cat", "/proc/self/status").output)[1], 16)
    names = {12: "NET_ADMIN", 16: "SYS_MODULE", 19: "SYS_PTRACE", 21: "SYS_ADMIN", 22: "SYS_BOOT", 27: "MKNOD"}
    assert [name for bit, name in names.items() if bounding >> bit & 1] == []
    assert lab.pod("shell", "ip", "link", "set", "eth0", "down").code != 0


def test_calico_node_is_the_node_and_may_set_its_network(lab):
    assert lab.node(WORKER, "hostname").output == f"{WORKER}\n"
    assert lab.node(WORKER, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/calishell/rp_filter").code == 0
    assert lab.node(WORKER, "cat", "/proc/sys/net/ipv4/conf/calishell/rp_filter").output == "1\n"
    assert lab.node(WORKER, "sh", "-c", "echo 1 > /proc/sys/kernel/sysrq").code != 0


def test_an_unknown_image_is_refused_before_anything_is_wired(lab):
    with pytest.raises(ImageUnknown, match=r"example\.org/none:1"):
        add(lab, "unknown", "192.168.93.200", image="example.org/none:1")
    assert "caliunknown" not in lab.node(WORKER, "ip", "link").output


def test_a_container_that_cannot_start_leaves_no_pod(lab):
    with pytest.raises(WorkloadError, match=re.escape('exec: "/no/such": stat /no/such: no such file or directory')):
        add(lab, "broken", "192.168.93.201", command=("/no/such",))
    assert "calibroken" not in lab.node(WORKER, "ip", "link").output


def test_a_container_that_ends_is_reported_and_can_be_started_again(lab):
    add(lab, "ends", "192.168.93.202", command=("sh", "-c", "echo run; sleep 0.2; exit 3"))
    assert until(lambda: ("ends", "main", 3) in lab.call("exits"))
    lab.call("start_container", "default", "ends", ContainerSpec("main", MULTITOOL, command=("sh", "-c", "exit 3")))
    assert until(lambda: lab.call("exits").count(("ends", "main", 3)) == 2)
    assert lab.call("read_logs", "default", "ends", "main", previous=True) == [b"run\n"]
    lab.call("remove_pod", "default", "ends")


@pytest.mark.parametrize(
    ("reference", "known"),
    [
        ("wbitt/network-multitool", True),
        ("docker.io/praqma/network-multitool:extra", True),
        ("wbitt/network-multitool@sha256:" + "d" * 64, True),
        ("quay.io/calico/node:v3.30.7", True),
        ("busybox", True),
        ("registry.example/wbitt/network-multitool", False),
        ("wbitt/network-multitool-x", False),
    ],
)
def test_images_are_known_by_repository_whatever_the_tag(reference, known):
    assert (images.find(reference) is not None) == known


def test_an_images_command_stands_over_the_hosts_of_that_name(monkeypatch, tmp_path):
    """The bird2 of Debian 13 brings a birdcl of its own, in a folder that PATH has ahead of Calico's."""
    folders = [tmp_path / "sbin", tmp_path / "bin"]
    for folder in folders:
        folder.mkdir()
    (folders[0] / "birdcl").touch()
    monkeypatch.setattr(table, "PATH", ":".join(map(str, folders)))
    table._table.cache_clear()
    try:
        scripts = images.find("quay.io/calico/node:v3.30.7").scripts
    finally:
        table._table.cache_clear()
    assert set(scripts) == {f"{folders[0]}/birdcl", "/usr/bin/birdcl", "/usr/bin/calico-node"}


def test_nobody_of_the_host_sees_the_labs_devices(lab):
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert "br-podnet" not in links and "calishell" not in links


def test_a_link_in_a_pod_leads_nowhere_on_the_host(lab, tmp_path):
    """`/var/run` is a link to /run: a pod's files below it are the pod's."""
    network = PodNetwork("default", "files", "192.168.93.203", "califiles", 1450)
    name = f"podnet-test-{os.getpid()}"
    files = {f"/var/run/{name}/token": b"secret"}
    container = ContainerSpec("main", MULTITOOL, command=("sleep", "1000"))
    lab.call("add_pod", WORKER, network, PodProcessSpec("default", "files", (container,), files=files))
    assert lab.pod("files", "cat", f"/run/{name}/token").output == "secret"
    assert not os.path.exists(f"/run/{name}")
    lab.call("remove_pod", "default", "files")


def test_a_link_made_on_a_node_is_not_followed_by_what_writes_there(lab, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    lab.node(WORKER, "sh", "-c", f"mv /run/calico /run/aside && ln -s {target} /run/calico")
    with pytest.raises(OSError, match="calico"):
        lab.call("set_felix_ready", WORKER, True)
    assert list(target.iterdir()) == []
    lab.node(WORKER, "sh", "-c", "rm /run/calico && mv /run/aside /run/calico")


@pytest.mark.parametrize("turns", [1, 2, 3, 4])
def test_a_pod_that_is_taken_away_while_it_is_wired_leaves_no_device(lab, turns):
    name = f"brief{turns}"
    spec = PodProcessSpec("default", name, (ContainerSpec("main", MULTITOOL),))
    assert lab.call("cancelled_add", turns, WORKER, PodNetwork("default", name, "192.168.93.201", f"cali{name}", 1450), spec)
    assert f"cali{name}" not in lab.node(WORKER, "ip", "link").output
