# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the verifier is wrong on clusters made by chance: findings on healthy ones, and faults of which it says nothing.

The clusters and the operators are those of the unit tests (tests/unit/plugins/module_utils), which judge a few of each.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from measure import timed

ROOT = Path(__file__).resolve().parent.parent
HEALTHY, MUTANTS = 10_000, 200
#: In a process of its own: the tests are a part of the collection and are found as one.
PROGRAM = f"""
import json, sys
from concurrent.futures import ProcessPoolExecutor
from random import Random
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.mutations import MUTATIONS, mutants, speaks_of

def healthy(seed):
    chance = Random(seed)
    plans = (Plan.random(chance) for _number in range(100))
    return sum(bool(judge(plan.snapshot()).findings) for plan in plans)

def survivors(name):
    return [[name, plan.mode, plan.version] for plan, node, mutant in mutants(name, {MUTANTS}) if not speaks_of(judge(mutant), node)]

with ProcessPoolExecutor() as pool:
    if sys.argv[1] == "healthy":
        print(json.dumps(sum(pool.map(healthy, range({HEALTHY} // 100)))))
    else:
        print(json.dumps([len(MUTATIONS), sum(pool.map(survivors, MUTATIONS), [])]))
"""


def report(env: dict[str, str], runs: int) -> None:
    """Prints the counts, and each survivor. The same clusters at each run, so one run is enough."""
    env = {**env, "PYTHONPATH": str(ROOT / ".ansible" / "collections")}
    said: dict[str, str] = {}

    def run(what: str) -> None:
        said[what] = subprocess.run([sys.executable, "-c", PROGRAM, what], env=env, text=True, capture_output=True, check=True).stdout

    took = timed(lambda: run("healthy"), 1)
    print(f"{HEALTHY} healthy clusters by chance           {took}, {json.loads(said['healthy'])} with a finding")
    took = timed(lambda: run("mutants"), 1)
    operators, survived = json.loads(said["mutants"])
    print(f"{operators} ways to break one, {MUTANTS} clusters each     {took}, {len(survived)} survivors")
    for survivor in survived:
        print("    survived:", *survivor)
