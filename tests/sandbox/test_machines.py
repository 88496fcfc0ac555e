# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node whose first process is killed: everything on it dies with it, and it comes back as a machine that was switched on again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from api_server import kubectl_path
from test_life import answers, as_root, command, descendants, folder, host_view, pid_of, until, up
from test_robustness import namespaces, nothing_left

__all__ = ["folder"]  # the fixture
MULTITOOL = "wbitt/network-multitool"


class Sandbox:
    """One of two nodes, a (control plane) and b; its first processes are found from outside, as by who kills them."""

    def __init__(self, folder, **settings):
        self.folder = folder
        code, _, error = up(folder, encapsulation="VXLANCrossSubnet", **settings)
        assert code == 0, error
        self("wait", "--for=condition=Available", "tigerastatus/calico", "--timeout=60s")

    def __call__(self, *arguments, check=True, **given):
        argv = [kubectl_path(), "--kubeconfig", str(self.folder / "kubeconfig"), *arguments]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=90, **given)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + ("" if check else done.stderr)

    def get(self, *what):
        return json.loads(self("get", *what, "-o", "json"))

    def apply(self, *pods):
        self("apply", "-f", "-", input="\n---\n".join(map(json.dumps, pods)))

    def kill(self, node):
        """The oldest process with the node's host name, whose parent is process 1."""
        one = descendants(pid_of(self.folder))[1]
        children = sorted(map(int, Path(f"/proc/{one}/task/{one}/children").read_text().split()))
        victim = next(pid for pid in children if _host_name(pid) == node)
        os.kill(victim, signal.SIGKILL)
        return victim

    def events(self, name):
        return [(each["reason"], each["message"]) for each in self.get("events", "-A")["items"] if each["involvedObject"]["name"] == name]

    def status(self, name, namespace="default"):
        return self.get("pod", name, "-n", namespace)["status"]

    def container(self, name):
        return self.status(name)["containerStatuses"][0]

    def all_ready(self):
        pods = self.get("pods", "-A", "--field-selector=status.phase!=Succeeded,status.phase!=Failed")["items"]
        return all(each["ready"] for pod in pods for each in pod["status"].get("containerStatuses") or [{"ready": False}])

    def calico_node(self, node, *argv):
        name = next(
            pod["metadata"]["name"]
            for pod in self.get("pods", "-n", "calico-system", "-l", "k8s-app=calico-node")["items"]
            if pod["spec"]["nodeName"] == node
        )
        return self("exec", "-n", "calico-system", name, "-c", "calico-node", "--", *argv, check=False)


def _host_name(pid):
    done = subprocess.run(["nsenter", "--target", str(pid), "--uts", "hostname"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def pod(name, node="b", policy="Always", command=None, **spec):
    container = {"name": "c", "image": MULTITOOL, **({"command": command} if command else {})}
    metadata = {"name": name, "namespace": "default"}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"containers": [container], "nodeName": node, "restartPolicy": policy, "terminationGracePeriodSeconds": 0, **spec},
    }  # fmt: skip


def writes_and_sleeps():
    """A pod whose emptyDir remembers how often it has started."""
    made = pod("keeper", volumes=[{"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}}])
    made["spec"]["containers"][0] |= {
        "command": ["sh", "-c", "for f in /v /m /part; do echo start >>$f/starts; done; echo said so; exec sleep 1000"],
        "volumeMounts": [
            {"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/m"}, {"name": "m", "mountPath": "/part", "subPath": "part"},
        ],
    }  # fmt: skip
    made["spec"]["initContainers"] = [{"name": "first", "image": MULTITOOL, "command": ["true"]}]
    return made


@as_root
def test_a_killed_node_comes_back_with_new_sandboxes_for_its_pods(folder):
    before = host_view()
    lab = Sandbox(folder)
    lab.apply(
        writes_and_sleeps(), pod("web"), pod("far", "a"), pod("once", policy="Never", command=["sleep", "1000"]),
        pod("done", policy="OnFailure", command=["echo", "its work"]),
    )  # fmt: skip
    assert until(lab.all_ready, 30)
    assert until(lambda: lab.status("done")["phase"] == "Succeeded")
    first = {name: lab.status(name) for name in ("web", "keeper", "far")}
    processes = descendants(pid_of(folder))
    spaces = namespaces(processes)
    links = {kind: lab.calico_node("b", "ip", "-br", kind) for kind in ("link", "route")}

    victim = lab.kill("b")
    assert until(lambda: lab.container("web")["restartCount"] == 1 and lab.all_ready(), 30), lab("get", "pods", "-A")

    for name in ("web", "keeper"):
        now = lab.status(name)
        assert now["podIP"] != first[name]["podIP"]
        ended = now["containerStatuses"][0]["lastState"]["terminated"]
        assert (ended["exitCode"], ended["reason"]) == (255, "Unknown")
        assert ("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.") in lab.events(name)
    assert lab("exec", "keeper", "--", "cat", "/v/starts") == "start\nstart\n"
    assert lab("exec", "keeper", "--", "cat", "/m/starts", "/part/starts") == "start\nstart\n"  # once each: memory has lost the first
    assert lab("logs", "keeper", "--previous") == "said so\n"
    assert lab.status("keeper")["initContainerStatuses"][0]["restartCount"] == 1
    assert lab.status("once")["phase"] == "Failed"
    assert lab.container("once")["state"]["terminated"]["exitCode"] == 255
    assert lab("logs", "done") == "its work\n" and lab.container("done")["restartCount"] == 0
    assert lab.container("far")["restartCount"] == 0 and lab.status("far")["podIP"] == first["far"]["podIP"]
    assert ("Starting", "Starting kubelet.") in lab.events("b")
    assert {each["status"] for each in lab.get("node", "b")["status"]["conditions"] if each["type"] == "Ready"} == {"True"}

    # The network is what it was, but for the pods' addresses, and packets go through it.
    shown = lab.calico_node("b", "ip", "-br", "link")
    assert len(shown.splitlines()) == len(links["link"].splitlines()) - 1  # `once` has no device any more
    assert "vxlan.calico" in shown and "172.30.0.1" in lab.calico_node("b", "ip", "route")
    for source, target in (("far", "web"), ("web", "far")):
        lab("exec", source, "--", "ping", "-c1", "-W2", lab.status(target)["podIP"])
    assert until(lambda: "Established" in lab.calico_node("b", "birdcl", "-s", "/run/calico/bird.ctl", "show", "protocols"), 30)

    # Nothing is left of the old machine: no process, no namespace, no address.
    left = namespaces([int(path.name) for path in Path("/proc").glob("[0-9]*")]) & spaces
    assert not Path(f"/proc/{victim}").exists() and len(left) < len(spaces)
    addresses = [pod["status"].get("podIP") for pod in lab.get("pods", "-A")["items"]]
    blocks = lab.get("ipamblocks.crd.projectcalico.org")["items"]
    pods = [
        block["spec"]["attributes"][entry]["secondary"]["pod"]
        for block in blocks for entry in block["spec"]["allocations"]
        if entry is not None and "pod" in (block["spec"]["attributes"][entry].get("secondary") or {})
    ]  # fmt: skip
    assert len(pods) == len(set(pods)) and first["web"]["podIP"] not in addresses
    assert "Traceback" not in (folder / "sandbox.log").read_text()
    processes += descendants(pid_of(folder))
    assert command(folder, "down")[0] == 0
    assert until(lambda: nothing_left(processes, spaces, before), 20)


@as_root
def test_a_node_killed_again_and_again_leaves_nothing_of_its_former_lives(folder):
    lab = Sandbox(folder)
    lab.apply(pod("web"), pod("api", "a"))
    assert until(lab.all_ready, 30)
    server = descendants(pid_of(folder))[2]

    def left():
        everyone = descendants(pid_of(folder))
        kinds = [os.readlink(each).partition(":")[0] for each in Path(f"/proc/{server}/fd").iterdir() if each.is_symlink()]
        return {
            "processes": len(everyone),
            "namespaces": len(namespaces(everyone)),
            "descriptors": {kind: kinds.count(kind) for kind in ("net", "mnt", "/memfd", "pipe")},
            "sockets": kinds.count("socket") // 4,  # connections come and go
            "mounts": len(Path(f"/proc/{server}/mountinfo").read_text().splitlines()),
        }

    once = left()
    for round_ in range(1, 6):
        for node in ("a", "b"):
            lab.kill(node)
        assert until(lambda count=round_: lab.all_ready() and lab.container("web")["restartCount"] == count, 30), lab("get", "pods", "-A")
        assert until(lambda count=round_: lab.container("api")["restartCount"] == count and lab.all_ready(), 30)
    assert until(lambda: left() == once, 20), (left(), once)
    assert answers(folder / "kubeconfig")
    # Pods reach the API on the control plane's new network.
    for address in ("172.30.0.2:6443", lab.get("service", "kubernetes")["spec"]["clusterIP"]):
        said = lab("exec", "web", "--", "curl", "-sk", "--max-time", "5", f"https://{address}/version")
        assert "gitVersion" in said or "Forbidden" in said, said
    assert "Traceback" not in (folder / "sandbox.log").read_text()


@as_root
def test_pods_that_are_made_and_deleted_while_their_node_is_killed_live_and_go(folder):
    lab = Sandbox(folder)
    lab.apply(*(pod(f"old{number}") for number in range(6)))
    lab.apply(*(pod(f"new{number}") for number in range(6)))
    lab.kill("b")
    lab("delete", "pod", "--wait=false", *(f"old{number}" for number in range(6)))
    lab.apply(*(pod(f"late{number}") for number in range(3)))
    assert until(lambda: lab.all_ready() and len(lab.get("pods")["items"]) == 9, 40), lab("get", "pods", "-A")
    devices = lab.calico_node("b", "ip", "-o", "link").count(" cali")
    on_b = [each for each in lab.get("pods", "-A")["items"] if each["spec"]["nodeName"] == "b" and not each["spec"].get("hostNetwork")]
    assert devices == len(on_b)
    assert "Traceback" not in (folder / "sandbox.log").read_text()


@as_root
def test_killing_process_1_of_calico_node_from_inside_restarts_its_container_not_the_node(folder):
    lab = Sandbox(folder)
    lab.apply(pod("web"))
    assert until(lab.all_ready, 30)
    before = lab.status("web")
    lab.calico_node("b", "kill", "1")

    def restarts():
        pods = lab.get("pods", "-n", "calico-system", "-l", "k8s-app=calico-node")["items"]
        return {each["spec"]["nodeName"]: each["status"]["containerStatuses"][0]["restartCount"] for each in pods}

    assert until(lambda: restarts() == {"a": 0, "b": 1} and lab.all_ready(), 30), lab("get", "pods", "-A")
    assert lab.status("web") == before
    assert ("Starting", "Starting kubelet.") not in lab.events("b")


@as_root
def test_a_node_that_was_deleted_registers_when_its_machine_starts_again(folder):
    lab = Sandbox(folder)
    lab("delete", "node", "b")
    lab.kill("b")
    assert until(lambda: "b" in lab("get", "nodes", "-o", "name"), 20)
    assert until(lambda: lab.all_ready() and lab.calico_node("b", "ip", "route").count("default"), 40)

