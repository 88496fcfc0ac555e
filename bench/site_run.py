# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the main job takes, first and second time, phase by phase, beside what Ansible itself needs for as many tasks."""

from __future__ import annotations

import json
import re
import statistics
import tempfile
from pathlib import Path

import yaml
from measure import Timing, command, timed

ROOT = Path(__file__).resolve().parent.parent
PROFILE = re.compile(r"^(?P<name>\S.*?) -+ +(?P<seconds>[0-9.]+)s$")
RECAP = re.compile(r"ok=(\d+) +changed=(\d+)")


class Runs:
    """Repeated runs of one playbook with its own lab of a provider, each run's output kept for the phases."""

    def __init__(self, env: dict[str, str], provider: str, variables: dict[str, object]) -> None:
        self.env = {
            **env,
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_roles",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        self.options = ["-i", str(ROOT / "inventories" / provider), "-e", json.dumps(variables)]
        self.outputs: list[str] = []

    def play(self, name: str) -> None:
        """One run; raises with the output when it fails."""
        argv = ["ansible-playbook", *self.options, str(ROOT / name)]
        self.outputs.append(command(argv, env=self.env))

    def actions(self) -> list[str]:
        """The short name of each task's action in one more run; skipped tasks are left out, as in the recap."""
        env = {**self.env, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"}
        del env["ANSIBLE_CALLBACKS_ENABLED"]
        argv = ["ansible-playbook", *self.options, str(ROOT / "site.yml")]
        plays = json.loads(command(argv, env=env))["plays"]
        results = [result for play in plays for task in play["tasks"] for result in task["hosts"].values()]
        return [result["action"].rpartition(".")[2] for result in results if not result.get("skipped")]

    def phases(self) -> dict[str, float]:
        """Median seconds of each role over the runs so far."""
        seen: dict[str, list[float]] = {}
        for output in self.outputs:
            for line in output.splitlines():
                found = PROFILE.match(line.strip())
                if found:
                    seen.setdefault(found["name"], []).append(float(found["seconds"]))
        return {name: statistics.median(values) for name, values in seen.items()}

    def recap(self) -> tuple[int, int]:
        """Tasks that ran and tasks that changed something, in the last run."""
        counts = [tuple(map(int, pair)) for pair in RECAP.findall(self.outputs[-1])]
        return sum(ok for ok, _ in counts), sum(changed for _, changed in counts)


#: Actions that run inside ansible-playbook and start no Python of their own.
CONTROLLER_ONLY = {"assert", "debug", "fail", "include_role", "include_tasks", "set_fact", "set_stats", "validate_argument_spec"}


def floor(actions: list[str], env: dict[str, str], runs: int) -> Timing:
    """As many tasks that do nothing: the smallest module for each task that starts one, `debug` for every other."""
    task, module = {"ansible.builtin.debug": {"msg": "nothing"}}, {"ansible.builtin.ping": {}}
    idle = [dict(task if action in CONTROLLER_ONLY else module) for action in actions]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False,
             "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}, "tasks": idle}]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "floor.yml"
        path.write_text(yaml.safe_dump(play))
        return timed(lambda: command(["ansible-playbook", "-i", "localhost,", str(path)], env=env), runs)


def report(env: dict[str, str], runs: int) -> None:
    """Prints the figures of the sandbox; leaves no lab behind."""
    measure_site(env, runs, "sandbox", {})


def measure_site(env: dict[str, str], runs: int, provider: str, variables: dict[str, object]) -> None:
    """Prints the figures of a provider; leaves no lab behind."""
    with tempfile.TemporaryDirectory(prefix="podnet-bench-") as folder:
        lab = {"podnet_lab_name": "podnet-bench", "podnet_lab_dir": str(Path(folder) / "lab")}
        first, second, destroy = (Runs(env, provider, {**variables, **lab}) for _ in range(3))
        try:
            built = timed(lambda: first.play("site.yml"), runs, before=lambda: destroy.play("playbooks/destroy.yml"))
            destroy.play("playbooks/destroy.yml")
            actions = first.actions()
            again = timed(lambda: second.play("site.yml"), runs)
            actions_again = second.actions()
        finally:
            destroy.play("playbooks/destroy.yml")
    _print("site, environment ready, nothing built", built, first, floor(actions, env, runs), actions)
    _print("site again", again, second, floor(actions_again, env, runs), actions_again)


def _print(title: str, took: Timing, runs: Runs, least: Timing, actions: list[str]) -> None:
    tasks, changed = runs.recap()
    print(f"{title:<40} {took}   {tasks} tasks, {changed} changed")
    _print_phases(runs)
    modules = sum(action not in CONTROLLER_ONLY for action in actions)
    share = f"{least.median / took.median:.0%} is Ansible itself"
    print(f"    {len(actions)} tasks that do nothing, {modules} of them a module   {least}: {share}")


def _print_phases(runs: Runs) -> None:
    for name, seconds in sorted(runs.phases().items(), key=lambda item: -item[1]):
        print(f"    {name:<40} {seconds:6.2f} s")
