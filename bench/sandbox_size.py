# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long sandboxes of three sizes take to come up, to have all their pods, and to go; and their memory.

Memory is the proportional share (PSS) of all processes; processor time is that of all that live, the server's among them. On a machine
that others use, the latter is the one to compare.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from life import Sandbox
from measure import command

#: Nodes, pods on each beside Calico's own, the goal in seconds until all are there.
SIZES = ((3, 0, 1), (20, 10, 5), (100, 10, 15))
_PATIENCE = 600
_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for process in found:
        for task in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def memory(pids: list[int]) -> float:
    """MiB, what is shared counted once."""
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def processor(pids: list[int]) -> float:
    """Seconds."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def nodes(count: int) -> list[str]:
    """Their names."""
    return [f"node-{number}" for number in range(count)]


def daemonset(name: str) -> dict:
    """A pod on every node."""
    spec = {"tolerations": [{"operator": "Exists"}], "containers": [{"name": "c", "image": "wbitt/network-multitool"}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}  # fmt: skip


def fill(kubeconfig: str, count: int, pods: int) -> None:
    """Put ``pods`` on each of ``count`` nodes and wait until all are ready."""
    kubectl = ["kubectl", "--kubeconfig", kubeconfig]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write("\n---\n".join(json.dumps(daemonset(f"set-{number}")) for number in range(pods)))
        file.flush()
        command([*kubectl, "create", "--filename", file.name])
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        sets = json.loads(command([*kubectl, "get", "daemonsets", "--output", "json"]))["items"]
        if sum((each.get("status") or {}).get("numberReady", 0) for each in sets) == count * pods:
            return
        time.sleep(0.2)
    raise RuntimeError(f"{count} nodes with {pods} pods each were not ready in {_PATIENCE} s")


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures of each size; the largest is built once."""
    for count, pods, goal in SIZES:
        seen: dict[str, list[float]] = {}
        for _ in range(1 if count >= 100 else runs):
            for name, value in _once(env, count, pods).items():
                seen.setdefault(name, []).append(value)
        figures = {name: statistics.median(values) for name, values in seen.items()}
        title = f"{count} nodes x {pods} pods (median of {len(seen['up'])})"
        print(f"{title:<42} up {figures['up']:.2f} s, all there {figures['all']:.2f} s (goal {goal} s), down {figures['down']:.2f} s (1 s)")
        print(f"    processor {figures['processor']:.1f} s, memory {figures['memory']:.0f} MiB, {figures['processes']:.0f} processes")


def _once(env: dict[str, str], count: int, pods: int) -> dict[str, float]:
    config = {"name": f"size-{count}", "nodes": nodes(count), "encapsulation": "VXLANCrossSubnet" if pods else ""}
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
        sandbox = Sandbox(config["name"], Path(folder) / "lab", env, json.dumps(config))
        began = time.perf_counter()
        try:
            sandbox.up()
            up = time.perf_counter() - began
            if pods:
                fill(sandbox.kubeconfig, count, pods)
            there = time.perf_counter() - began
            processes = tree(json.loads((sandbox.folder / "state.json").read_text())["pid"])
            held = {"memory": memory(processes), "processor": processor(processes), "processes": float(len(processes))}
        finally:
            ending = time.perf_counter()
            sandbox.down()
        return {"up": up, "all": there, "down": time.perf_counter() - ending, **held}
