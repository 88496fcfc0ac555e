# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine is said to be is what its files and its Docker socket say."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import socketserver
import tempfile
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._host import docker, kernel, machine

RELEASE = os.uname().release


@pytest.fixture
def root(tmp_path):
    """An empty machine. ``root("proc/modules", "…")`` gives it a file."""

    def write(path: str, text: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(text.encode())) if path.endswith(".gz") else file.write_text(text)

    write.path = str(tmp_path)
    return write


def state(root, name: str, attempt=None) -> str:
    return kernel.module_states([name], root.path, attempt)[name]


def test_a_module_of_a_modular_kernel_is_loaded_loadable_built_in_or_absent(root):
    root(f"lib/modules/{RELEASE}/modules.dep", "kernel/drivers/net/vxlan/vxlan.ko.xz: kernel/net/ipv4/udp_tunnel.ko.xz\n")
    root(f"lib/modules/{RELEASE}/modules.builtin", "kernel/fs/overlayfs/overlay.ko\nkernel/net/nf-tables.ko\n")
    root("proc/modules", "bridge 421888 0 - Live 0x0000000000000000\n")
    assert kernel.module_states(["vxlan", "overlay", "nf_tables", "bridge", "xt_set"], root.path) == {
        "vxlan": "loadable",
        "overlay": "built in",
        "nf_tables": "built in",
        "bridge": "loaded",
        "xt_set": "absent",
    }
    assert kernel.is_modular(root.path)


def test_a_kernel_without_modules_is_known_by_its_configuration(root):
    root("proc/config.gz", "CONFIG_NETFILTER_XT_SET=y\nCONFIG_VXLAN=y\n# CONFIG_NET_IPIP is not set\n")
    assert [state(root, name) for name in ("xt_set", "vxlan", "ipip")] == ["built in", "built in", "absent"]
    assert not kernel.is_modular(root.path)


def test_the_configuration_may_lie_beside_the_kernel(root):
    root(f"boot/config-{RELEASE}", "CONFIG_IP_SET=y\n")
    assert state(root, "ip_set") == "built in"


def test_a_module_of_the_hosts_kernel_that_a_container_cannot_see_is_unknown(root):
    root("proc/config.gz", "CONFIG_IP_SET=m\n")
    assert state(root, "ip_set") == "unknown"


def test_a_silent_kernel_is_tried_in_a_namespace_of_its_own(root):
    tried = []

    def attempt(words):
        tried.append(" ".join(words))
        return "vxlan" not in tried[-1]

    assert state(root, "bridge", attempt) == "built in"
    assert state(root, "vxlan", attempt) == "absent"
    assert all(command.startswith("unshare --net ip link") for command in tried)


def test_what_cannot_be_tried_is_unknown(root):
    assert state(root, "vxlan", lambda words: False) == "unknown"
    assert state(root, "ip_set", lambda words: True) == "unknown"
    assert state(root, "overlay") == "unknown"


def test_overlay_of_a_silent_kernel_is_known_by_the_mountable_filesystems(root):
    root("proc/filesystems", "nodev\tproc\nnodev\toverlay\n")
    assert state(root, "overlay") == "built in"


def test_the_distribution_is_what_os_release_says(root):
    root("etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n')
    assert machine.distribution(root.path) == {"id": "debian", "version": "13", "name": "Debian GNU/Linux 13 (trixie)"}


def test_a_machine_without_os_release_has_an_unknown_distribution(root):
    assert machine.distribution(root.path)["name"] == "an unknown distribution"


def test_the_hybrid_hierarchy_is_control_groups_1(root):
    root("sys/fs/cgroup/unified/cgroup.controllers", "")
    assert machine.cgroup_version(root.path) == 1
    root("sys/fs/cgroup/cgroup.controllers", "cpu memory\n")
    assert machine.cgroup_version(root.path) == 2


def test_memory_is_in_mebibytes(root):
    root("proc/meminfo", "MemTotal:       24683988 kB\nMemFree:         2112340 kB\n")
    assert machine.memory_mb(root.path) == 24105


def test_the_disk_of_a_folder_that_does_not_exist_is_that_of_the_folder_above(tmp_path):
    assert machine.free_mb(str(tmp_path / "not/yet")) == shutil.disk_usage(tmp_path).free // 2**20


def test_systemd_is_booted_where_its_folder_is(root):
    root("proc/1/comm", "systemd\n")
    assert machine.first_process(root.path) == {"name": "systemd", "systemd": False}
    root("run/systemd/system/x", "")
    assert machine.first_process(root.path)["systemd"] is True


def test_a_parameter_has_its_value_or_none(root):
    root("proc/sys/net/ipv4/ip_forward", "1\n")
    found = machine.sysctls(["net.ipv4.ip_forward", "fs.inotify.max_user_watches"], root.path)
    assert {name: one["value"] for name, one in found.items()} == {"net.ipv4.ip_forward": 1, "fs.inotify.max_user_watches": None}


def test_routes_are_read_and_the_default_route_is_left_out(root):
    root(
        "proc/net/route",
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
        "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
        "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n",
    )
    assert machine.routes(root.path) == [{"destination": "172.17.0.0/16", "device": "docker0"}]


def test_what_is_missing_is_named_by_its_package(tmp_path):
    needed = {
        "a": "command:sh",
        "b": "command:no-such-command",
        "c": "module:json",
        "d": "module:no_such_module",
        "e": f"file:{tmp_path}",
        "f": f"file:{tmp_path}/none",
    }
    assert machine.missing(needed) == ["b", "d", "f"]


def test_a_user_is_known_by_name():
    assert machine.is_user(machine.user_name())
    assert not machine.is_user("no-such-user")


class Answers(BaseHTTPRequestHandler):
    """Docker's answers, cut to what is read."""

    said = {
        "/info": {"ServerVersion": "26.1.5", "DockerRootDir": "/data/docker"},
        "/networks": [
            {
                "Name": "bridge",
                "Id": "f" * 64,
                "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]},
                "Options": {"com.docker.network.bridge.name": "docker0"},
            },
            {
                "Name": "kind",
                "Id": "0123456789abcdef",
                "IPAM": {"Config": [{"Subnet": "172.18.0.0/16"}, {"Subnet": "fc00::/64"}]},
                "Options": {},
            },
            {"Name": "none", "Id": "a" * 64, "IPAM": {"Config": None}, "Options": None},
        ],
    }

    def do_GET(self):
        body = json.dumps(self.said[self.path]).encode()
        self.send_response(200 if self.path in self.said else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def socket_path():
    # Not below tmp_path: the path of a Unix socket has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="d-") as folder:
        path = str(Path(folder) / "docker.sock")
        with socketserver.ThreadingUnixStreamServer(path, Answers) as server:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield path
            server.shutdown()


def test_an_engine_that_answers_tells_version_root_and_networks(socket_path):
    found = docker.engine(socket_path, "/no/such/file")
    assert (found["running"], found["version"], found["root"], found["problem"]) == (True, "26.1.5", "/data/docker", "")
    assert found["networks"] == [
        {"name": "bridge", "subnets": ["172.17.0.0/16"], "device": "docker0"},
        {"name": "kind", "subnets": ["172.18.0.0/16", "fc00::/64"], "device": "br-0123456789ab"},
        {"name": "none", "subnets": [], "device": "br-aaaaaaaaaaaa"},
    ]


def test_no_engine_is_a_problem_that_names_the_socket(tmp_path):
    found = docker.engine(str(tmp_path / "docker.sock"), "/no/such/file")
    assert found["running"] is False and found["problem"].startswith(f"{tmp_path}/docker.sock: ")
    assert found["root"] == "/var/lib/docker"


def test_the_configuration_tells_of_init_and_data_root(tmp_path):
    file = tmp_path / "daemon.json"
    file.write_text('{"init": true, "data-root": "/srv/docker"}')
    found = docker.engine(str(tmp_path / "none"), str(file))
    assert (found["init"], found["root"], found["configuration_fault"]) == (True, "/srv/docker", "")


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_configuration_that_is_none_is_a_fault(tmp_path, text):
    file = tmp_path / "daemon.json"
    file.write_text(text)
    assert docker.engine(str(tmp_path / "none"), str(file))["configuration_fault"].startswith(str(file))
