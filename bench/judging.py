# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long judging a file takes, and how much memory, for clusters of two sizes; beside it a parse of the same bytes as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from big_cluster import BigCluster
from measure import Timing

ROOT = Path(__file__).resolve().parent.parent
PODS = 30
SIZES = (500, 1000)
#: In a process of its own, so that its memory is its own: seconds and MiB.
_HEAD = "import gzip, json, resource, sys, time\npath = sys.argv[1]\n"
_TAIL = "print(json.dumps([time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *said]))\n"
JUDGE = f"""{_HEAD}
from ansible_collections.podnet.calico.plugins.module_utils import _checks, _snapshot
began = time.perf_counter()
verdict = _checks.judge(_snapshot.read(path))
said = [verdict.summary["passed"], len(verdict.findings)]
{_TAIL}"""
TOGETHER = f"""{_HEAD}
from ansible_collections.podnet.calico.plugins.module_utils import _checks, _shards, _source
began = time.perf_counter()
whole = _source.saved_snapshot(path.split(","), _shards.Expected(("shard-1", "shard-2", "shard-3", "shard-4")))
merged = time.perf_counter() - began
verdict = _checks.judge(whole)
said = [verdict.summary["passed"], len(verdict.findings), merged]
{_TAIL}"""
PARSE = f"""{_HEAD}
began = time.perf_counter()
said = [sum(1 for line in gzip.open(path, "rt") if json.loads(line))]
{_TAIL}"""


def _measured(program: str, path: Path | str, env: dict[str, str], runs: int) -> tuple[Timing, float, list]:
    """(seconds, most memory in MiB, what it said) of several runs."""
    told = []
    for _ in range(runs):
        ended = subprocess.run([sys.executable, "-c", program, str(path)], env=env, text=True, capture_output=True, check=True)
        told.append(json.loads(ended.stdout))
    return Timing(tuple(one[0] for one in told)), max(one[1] for one in told), told[-1][2:]


def _shards(folder: Path, nodes: int) -> list[Path]:
    """The files of four shards of the cluster."""
    names = [f"shard-{number}" for number in range(1, 5)]
    cluster = BigCluster(nodes, PODS)
    for name in names:
        cluster.write(folder / f"{name}.jsonl.gz", cluster.shard(name, names))
    return [folder / f"{name}.jsonl.gz" for name in names]


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures; raises where a healthy cluster has a finding."""
    env = {**env, "PYTHONPATH": str(ROOT / ".ansible" / "collections")}
    medians = []
    for nodes in SIZES:
        with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
            path = Path(folder) / "snapshot.jsonl.gz"
            routes = BigCluster(nodes, PODS).write(path)
            took, memory, (passed, findings) = _measured(JUDGE, path, env, runs)
            least, _memory, _said = _measured(PARSE, path, env, runs)
            shards = _shards(Path(folder), nodes)
            sharded, most, (same, none, merged) = _measured(TOGETHER, ",".join(map(str, shards)), env, runs)
            size = max(shard.stat().st_size for shard in shards)
        assert (same, none) == (passed, 0), f"{none} findings in shards, {same} of {passed} checks passed"
        assert findings == 0, f"{findings} findings on a healthy cluster"
        medians.append(took.median)
        print(f"judging {nodes} nodes, {nodes * PODS} pods, {routes} routes   {took}, {memory:.0f} MiB, {passed} checks passed")
        print(f"    the same bytes parsed as JSON              {least}")
        print(f"    the same in 4 shards of {size / 1e6:.1f} MB each    {sharded}, {most:.0f} MiB; read and merged after {merged:.2f} s")
    print(f"twice the nodes, four times the routes: {medians[1] / medians[0]:.1f} x")
