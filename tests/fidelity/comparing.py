# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario's recording against what its sandbox said: how many values are alike, and each that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bringing_up import brought_up
from cluster import Failed
from facts import Facts, facts
from gathering import gather, is_asked
from happenings import HAPPENINGS, Happening, watched
from renaming import Renaming, pods_only_in, words_of
from scenario import Scenario, stem
from states import state_facts

ABSENT = ""


class Difference(NamedTuple):
    """``output``: path with `*` for node and pod. Empty text on a side: it has no such fact."""

    scenario: str
    output: str
    key: str
    recorded: str
    sandbox: str


@dataclass
class Comparison:
    """``alike``: how many values are, by output. ``set_aside``: pods that one side has not."""

    scenario: str
    alike: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)

    def add(self, output: str, where: str, recorded: Facts, sandbox: Facts) -> None:
        """Fact by fact; ``where``: what goes before their keys."""
        for key in sorted(recorded.keys() | sandbox.keys()):
            one, two = recorded.get(key, ABSENT), sandbox.get(key, ABSENT)
            if one == two:
                self.alike[output] = self.alike.get(output, 0) + 1
            else:
                self.differences.append(Difference(self.scenario, output, f"{where}{key}", one, two))


def compare(name: str) -> list[Comparison]:
    """Bring the scenario's sandbox up, ask it everything, compare; then the same of each thing that was done to that cluster."""
    scenario = Scenario(name)
    try:
        with brought_up(scenario) as cluster:
            found = [of_outputs(scenario, *gather(cluster, scenario))]
            found += [of_happening(each, watched(cluster, each)) for each in HAPPENINGS.get(name, ())]
    except Failed as error:
        raise Failed(f"{name}: {error}") from error
    return found


def of_happening(happening: Happening, outputs: Mapping[str, str]) -> Comparison:
    """``outputs``: what the sandbox was before and after."""
    result = Comparison(happening.name)
    for name, text in happening.recorded.items():
        result.add(f"happening/{name}", "", state_facts(name, text), state_facts(name, outputs[name]))
    return result


def of_outputs(scenario: Scenario, outputs: Mapping[str, str], renaming: Renaming) -> Comparison:
    """``outputs`` are the sandbox's, in its own words. A pod that one side has not is set aside with all that follows from it."""
    result = Comparison(scenario.name)
    found = renaming.outputs(outputs)
    only_recorded, only_found = pods_only_in(scenario.outputs, outputs), pods_only_in(outputs, scenario.outputs)
    result.set_aside = sorted({f"{pod['metadata']['namespace']}/{stem(pod)}" for pod in only_recorded + only_found})
    aside = [word for pod in only_recorded for word in words_of(pod)]
    aside += [renaming.text(word) for pod in only_found for word in words_of(pod)]
    for path in sorted(scenario.outputs):
        output = general(path)
        if output is None or not (is_asked(path) and scenario.says(path)):
            continue
        theirs = _without(facts(path, scenario.outputs[path]), aside)
        ours = _without(facts(path, found.get(path, "null" if path.startswith("api/") else "")), aside)
        result.add(output, _where(path), theirs, ours)
    return result


def general(path: str) -> str | None:
    """The output's name in the page; None for what is no output (a README)."""
    group, _ignored, rest = path.partition("/")
    if group in ("nodes", "pods"):
        return f"{group}/*/{rest.rpartition('/')[2]}"
    return path if group in ("api", "probes") else None


def _where(path: str) -> str:
    group, _ignored, rest = path.partition("/")
    return f"{rest.partition('/')[0]}: " if group in ("nodes", "pods") else ""


def _without(found: Facts, aside: list[str]) -> Facts:
    return {key: value for key, value in found.items() if not any(word in key or word == value for word in aside)}
