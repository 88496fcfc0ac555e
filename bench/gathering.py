# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathering everything of a cluster in one pass, against kubernetes.core.k8s_exec in a loop.

A fact is what one exec of the loop would bring: the output of one command in one calico-node or one pod. The loop is timed on
a sample of ten; both are whole `ansible-playbook` processes on the same cluster in the same run, so start-up counts for both.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from life import ROOT
from measure import command, timed

SAMPLE = 10
#: Commands whose outputs one pass brings (plugins/module_utils/_evidence.py): per node and per pod.
NODE_COMMANDS, POD_COMMANDS = 13, 4


class Lab:
    """A lab that the deploy playbook built, with some more pods where asked. Used as a context, it is gone afterwards."""

    def __init__(self, env: dict[str, str], folder: Path, workers: int, replicas: int) -> None:
        self.env, self.folder, self.replicas = env, folder, replicas
        self.extra = ["-e", f"podnet_lab_name=bench-{workers + 1}", "-e", f"podnet_lab_dir={folder}", "-e", f"podnet_workers={workers}"]

    def __enter__(self) -> Lab:
        self._play("playbooks/deploy.yml")
        if self.replicas:
            self._more_pods()
        return self

    def __exit__(self, *_: object) -> None:
        self._play("playbooks/destroy.yml")

    def kubectl(self, *arguments: str, text: str | None = None) -> str:
        """Output of kubectl on this lab."""
        argv = ["kubectl", "--kubeconfig", str(self.folder / "kubeconfig"), *arguments]
        return subprocess.run(argv, env=self.env, input=text, text=True, check=True, capture_output=True).stdout

    def pods(self) -> list[dict[str, Any]]:
        """Running pods on the pod network, in the default namespace."""
        return json.loads(self.kubectl("get", "pods", "-o", "json"))["items"]

    def _more_pods(self) -> None:
        labels = {"app": "more"}
        pod = {"containers": [{"name": "multitool", "image": "wbitt/network-multitool:latest"}]}
        deployment = {
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "more", "namespace": "default"},
            "spec": {"replicas": self.replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": pod}},
        }
        self.kubectl("apply", "-f", "-", text=json.dumps(deployment))
        self.kubectl("rollout", "status", "deployment/more", "--timeout=600s")

    def _play(self, name: str) -> None:
        command(["ansible-playbook", "-i", str(ROOT / "inventories/sandbox"), *self.extra, str(ROOT / name)], env=self.env)


def playbook(folder: Path, name: str, task: dict[str, Any]) -> Path:
    """A play of one task on this machine."""
    path = folder / f"{name}.yml"
    variables = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    path.write_text(yaml.safe_dump(
        [{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": variables, "tasks": [task]}]))
    return path


def compare(lab: Lab, work: Path, runs: int) -> None:
    """Prints both ways' seconds, an exec's and a fact's share, and the ratios: one exec of ours reads all facts of its node or pod."""
    kubeconfig = str(lab.folder / "kubeconfig")
    pods = lab.pods()
    nodes = lab.kubectl("get", "nodes", "-o", "name").split()
    facts, execs = len(nodes) * NODE_COMMANDS + len(pods) * POD_COMMANDS, len(nodes) + len(pods)
    once = playbook(work, "once", {"podnet.calico.routing_snapshot": {
        "kubeconfig": kubeconfig, "path": str(work / "snapshot.jsonl.gz"), "evidence": ["api", "nodes", "pods"]}})
    loop = playbook(work, "loop", {
        "kubernetes.core.k8s_exec": {"kubeconfig": kubeconfig, "namespace": "default", "pod": "{{ item }}", "command": "ip -j route"},
        "loop": [pod["metadata"]["name"] for pod in pods[:SAMPLE]]})
    play = ["ansible-playbook", "-i", "localhost,"]
    gathered = timed(lambda: command([*play, str(once)], env=lab.env), runs)
    looped = timed(lambda: command([*play, str(loop)], env=lab.env), max(1, runs // 2))
    sample = min(SAMPLE, len(pods))
    each = looped.median / sample
    print(f"{len(nodes)} nodes, {len(pods)} pods, {execs} execs, {facts} facts")
    for way, timing, count in (("routing_snapshot, everything", gathered, execs), (f"k8s_exec in a loop, {sample} times", looped, sample)):
        print(f"    {way:32} {timing}   {1000 * timing.median / count:.1f} ms an exec")
    print(f"    ratio of an exec                 {each / (gathered.median / execs):.0f} x")
    print(f"    ratio of a fact                  {each / (gathered.median / facts):.0f} x")


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures of the lab, of 20 nodes with 200 pods and of 100 with 1,000; leaves nothing up."""
    for workers, replicas in ((2, 0), (19, 159), (99, 799)):
        with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
            work = Path(folder)
            with Lab(env, work / "lab", workers, replicas) as lab:
                compare(lab, work, runs)
