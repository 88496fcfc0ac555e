# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind double over a real engine: what of a cluster Docker shows, and what stands behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time

import pytest
import yaml
from conftest import NETWORK, SMALL


@pytest.fixture
def made(engine, cluster, config, tmp_path):
    """A cluster of the test's own: its name, and its kubeconfig."""
    return create(engine, cluster, config, tmp_path / "kubeconfig")


@pytest.fixture(scope="module")
def standing(engine, tmp_path_factory):
    """A cluster for the tests that only look at one: its name, and its kubeconfig."""
    folder = tmp_path_factory.mktemp("standing")
    (folder / "config").write_text(SMALL)
    name = f"pd-{os.getpid()}-standing"
    yield create(engine, name, folder / "config", folder / "kubeconfig")
    assert engine.kind("delete", "cluster", "--name", name).code == 0


def create(engine, name, config, kubeconfig):
    ended = engine.kind("create", "cluster", "--name", name, "--config", config, "--kubeconfig", kubeconfig)
    assert ended.code == 0, ended.err
    return name, kubeconfig


def containers(engine, cluster):
    ids = engine.docker("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={cluster}").split()
    return {one["Name"].lstrip("/"): one for one in json.loads(engine.docker("inspect", *ids))} if ids else {}


def alive(pid):
    """Whether the process runs; one that has ended and that nobody has asked about yet does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def eventually(condition):
    """Whether ``condition`` comes true; how soon is not asked."""
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


def test_the_nodes_are_containers_with_kinds_labels_and_no_others(engine, standing):
    cluster, _kubeconfig = standing
    labels = {name: one["Config"]["Labels"] for name, one in containers(engine, cluster).items()}
    mine = {"io.x-k8s.kind.cluster": cluster}
    assert labels == {
        f"{cluster}-control-plane": {**mine, "io.x-k8s.kind.role": "control-plane"},
        f"{cluster}-worker": {**mine, "io.x-k8s.kind.role": "worker"},
    }


def test_kubernetes_knows_the_nodes_by_the_containers_names_and_addresses(engine, standing):
    cluster, kubeconfig = standing
    template = r'{range .items[*]}{.metadata.name} {.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}'
    known = dict(line.split() for line in engine.kubectl(kubeconfig, "get", "nodes", "-o", f"jsonpath={template}").splitlines())
    assert known == {
        name: one["NetworkSettings"]["Networks"][NETWORK]["IPAddress"] for name, one in containers(engine, cluster).items()
    }


def test_a_cluster_without_cni_is_not_ready_and_has_the_labels_of_its_configuration(engine, standing):
    cluster, kubeconfig = standing
    node = json.loads(engine.kubectl(kubeconfig, "get", "node", f"{cluster}-worker", "-o", "json"))
    assert node["metadata"]["labels"]["zone"] == "a"
    assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "False"


def test_results_alone_are_on_stdout(engine, standing):
    cluster, _kubeconfig = standing
    assert cluster in engine.kind("get", "clusters").out.split()
    assert sorted(engine.kind("get", "nodes", "--name", cluster).out.split()) == [f"{cluster}-control-plane", f"{cluster}-worker"]


def test_the_network_is_made_as_kind_makes_it_and_stays(engine, made):
    network = json.loads(engine.docker("network", "inspect", NETWORK))[0]
    assert network["Driver"] == "bridge"
    assert network["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "true"
    assert [":" in one["Subnet"] for one in network["IPAM"]["Config"]] in ([False], [False, True])
    engine.kind("delete", "cluster", "--name", made[0])
    assert engine.docker("network", "ls", "--format", "{{.Name}}", "--filter", f"name=^{NETWORK}$") == NETWORK


def test_the_kubeconfig_has_kinds_names_and_a_loopback_port(engine, standing):
    cluster, _kubeconfig = standing
    external = yaml.safe_load(engine.kind("get", "kubeconfig", "--name", cluster).out)
    names = {external["current-context"], *(external[part][0]["name"] for part in ("clusters", "users", "contexts"))}
    assert names == {f"kind-{cluster}"}
    assert external["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    internal = yaml.safe_load(engine.kind("get", "kubeconfig", "--name", cluster, "--internal").out)
    assert internal["clusters"][0]["cluster"]["server"] == f"https://{cluster}-control-plane:6443"


def test_the_kubeconfig_is_merged_and_taken_out_again(engine, made, tmp_path):
    cluster, kubeconfig = made
    other = {"name": "other", "cluster": {"server": "https://other"}}
    file = tmp_path / "merged"
    file.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "clusters": [other], "current-context": "other"}))
    assert engine.kind("export", "kubeconfig", "--name", cluster, KUBECONFIG=f"{tmp_path}/none:{file}").code == 0
    merged = yaml.safe_load(file.read_text())
    assert [one["name"] for one in merged["clusters"]] == ["other", f"kind-{cluster}"]
    assert merged["current-context"] == f"kind-{cluster}"
    assert not (tmp_path / "none").exists()
    assert engine.kind("delete", "cluster", "--name", cluster, KUBECONFIG=str(file)).code == 0
    left = yaml.safe_load(file.read_text())
    assert left["clusters"] == [other]
    assert "current-context" not in left
    assert kubeconfig.stat().st_mode & 0o777 == 0o600


def test_a_locked_kubeconfig_fails_the_create_and_leaves_the_nodes(engine, cluster, config, tmp_path):
    (tmp_path / "config.lock").touch()
    ended = engine.kind("create", "cluster", "--name", cluster, "--config", config, "--kubeconfig", tmp_path / "config")
    assert ended.code == 1
    assert f"failed to lock config file: open {tmp_path}/config.lock: file exists" in ended.err


def test_an_existing_name_is_refused_and_the_cluster_unharmed(engine, standing):
    cluster, kubeconfig = standing
    ended = engine.kind("create", "cluster", "--name", cluster)
    message = f'node(s) already exist for a cluster with the name "{cluster}"'
    assert (ended.code, ended.out, ended.err) == (1, "", f"ERROR: failed to create cluster: {message}\n")
    assert engine.kubectl(kubeconfig, "get", "nodes", "-o", "name").count("node/") == 2


def test_a_name_that_kind_refuses_makes_nothing(engine):
    ended = engine.kind("create", "cluster", "--name", "Pod_Routing")
    message = "'Pod_Routing' is not a valid cluster name, cluster names must match `^[a-z0-9.-]+$`"
    assert (ended.code, ended.err) == (1, f"ERROR: failed to create cluster: {message}\n")


def test_an_api_port_that_is_asked_for_is_had(engine, cluster, config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace("podSubnet", f"apiServerPort: {port}, podSubnet"))
        ended = engine.kind("create", "cluster", "--name", cluster, "--config", config)
        assert ended.code == 1
        assert f"Bind for 127.0.0.1:{port} failed: port is already allocated." in ended.err
        assert containers(engine, cluster) == {}
    assert engine.kind("create", "cluster", "--name", cluster, "--config", config).code == 0
    server = yaml.safe_load(engine.kind("get", "kubeconfig", "--name", cluster).out)["clusters"][0]["cluster"]["server"]
    assert server == f"https://127.0.0.1:{port}"


def test_waiting_for_nodes_without_a_network_ends_with_a_warning_and_success(engine, cluster, config):
    ended = engine.kind("create", "cluster", "--name", cluster, "--config", config, "--wait", "5m")
    assert ended.code == 0
    assert " • Waiting ≤ 5m0s for control-plane = Ready ⏳  ...\n" in ended.err
    assert " • WARNING: Timed out waiting for Ready ⚠️\n" in ended.err
    assert "the real one would have waited 5m0s" in ended.err


def test_deleting_what_is_not_there_is_done_already(engine):
    ended = engine.kind("delete", "cluster", "--name", "nobody")
    assert (ended.code, ended.out, ended.err) == (0, "", 'Deleting cluster "nobody" ...\n')


def test_a_removed_cluster_leaves_no_container_process_or_file(engine, made):
    cluster, kubeconfig = made
    (folder,) = engine.state.glob(f"*/{cluster}")
    holder = json.loads((folder / "state.json").read_text())["pid"]
    ended = engine.kind("delete", "cluster", "--name", cluster, "--kubeconfig", kubeconfig)
    assert ended.code == 0
    assert ended.err.splitlines()[1].startswith('Deleted nodes: ["')
    assert containers(engine, cluster) == {}
    assert not folder.exists()
    assert eventually(lambda: not alive(holder))


def test_a_cluster_that_is_stopped_and_started_has_what_it_had(engine, made):
    cluster, kubeconfig = made
    engine.kubectl(kubeconfig, "create", "configmap", "kept")
    nodes = list(containers(engine, cluster))
    engine.docker("stop", *nodes)
    engine.docker("start", *nodes)
    assert engine.kubectl(kubeconfig, "get", "configmap", "kept", "-o", "name") == "configmap/kept"


def test_the_api_goes_with_its_container_however_that_went(engine, made):
    cluster, _kubeconfig = made
    (folder,) = engine.state.glob(f"*/{cluster}")
    engine.docker("rm", "-f", f"{cluster}-control-plane")
    assert eventually(lambda: not folder.exists())


def test_a_create_that_is_killed_leaves_what_the_next_delete_removes(engine, cluster, config):
    argv = [str(engine.tool("kind", "0.31.0")), "create", "cluster", "--name", cluster, "--config", str(config)]
    running = subprocess.Popen(argv, env=engine.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert eventually(lambda: containers(engine, cluster))
    running.send_signal(signal.SIGKILL)
    running.wait()
    again = engine.kind("create", "cluster", "--name", cluster, "--config", config)
    assert "node(s) already exist" in again.err
    assert engine.kind("delete", "cluster", "--name", cluster).code == 0
    assert containers(engine, cluster) == {}
    assert not list(engine.state.glob(f"*/{cluster}"))


def test_images_are_loaded_where_they_are_not_yet(engine, standing):
    cluster, _kubeconfig = standing
    first = engine.kind("load", "docker-image", "podnet.doubles/node:idle", "--name", cluster)
    assert first.code == 0
    assert first.err.count("not yet present on node") == 2
    again = engine.kind("load", "docker-image", "podnet.doubles/node:idle", "--name", cluster)
    assert "found to be already present on all nodes." in again.err
    missing = engine.kind("load", "docker-image", "nobody/nothing:1", "--name", cluster)
    assert (missing.code, missing.err) == (1, 'ERROR: image: "nobody/nothing:1" not present locally\n')
    nowhere = engine.kind("load", "docker-image", "podnet.doubles/node:idle", "--name", "nobody")
    assert (nowhere.code, nowhere.err) == (1, 'ERROR: no nodes found for cluster "nobody"\n')


def test_logs_are_exported_into_the_folder_on_stdout(engine, standing, tmp_path):
    cluster, _kubeconfig = standing
    ended = engine.kind("export", "logs", tmp_path / "logs", "--name", cluster)
    assert (ended.code, ended.out) == (0, f"{tmp_path}/logs\n")
    assert json.loads((tmp_path / "logs" / f"{cluster}-worker" / "inspect.json").read_text())[0]["Name"] == f"/{cluster}-worker"
    unknown = engine.kind("export", "logs", tmp_path / "none", "--name", "nobody")
    assert (unknown.code, unknown.err) == (1, 'ERROR: unknown cluster "nobody"\n')


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("networking: {ipFamily: dual}", "ipFamily dual: the sandbox behind it is IPv4 only"),
        ("networking: {apiServerAddress: 0.0.0.0}", "apiServerAddress 0.0.0.0"),
        ("nodes: [{role: control-plane}, {role: control-plane}]", "several control planes"),
    ],
)
def test_what_is_not_imitated_is_said_by_the_double_and_not_by_kind(engine, cluster, tmp_path, line, words):
    file = tmp_path / "config.yaml"
    file.write_text(f"kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n{line}\n")
    ended = engine.kind("create", "cluster", "--name", cluster, "--config", file)
    assert ended.code == 1
    assert ended.err.startswith("podnet double of kind: ")
    assert words in ended.err
