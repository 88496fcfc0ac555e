# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/fidelity.md, from comparisons. Pure: what went in alike comes out alike, on any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from comparing import Comparison, Difference
from facts import NOT_COMPARED
from reasons import Reason, explained
from scenario import KINDS, SCENARIOS

_GROUPS = (
    ("nodes", "On nodes", "by exec into calico-node"),
    ("pods", "In pods", "by exec into each multitool"),
    ("probes", "Probes", "the recorded commands, said in the sandbox's names, and tables of kubectl"),
    ("api", "Objects", "`kubectl get … -o json`"),
    ("happening", "Before and after", "routes, BIRD's sessions and IPAM's objects around something that is done to the cluster"),
)


def page(comparisons: Sequence[Comparison], api_section: Sequence[str]) -> str:
    """The whole page. ``api_section``: lines about the Kubernetes API, which is held against recordings of its own."""
    by, _rest = explained(each for comparison in comparisons for each in comparison.differences)
    lines = [*_opening(comparisons), "", *_outputs(comparisons)]
    for about in dict.fromkeys(reason.about for reason in by):
        lines += ["", f"## {about}", "", "| output | values | where | recorded → sandbox, one of them | why |", "|---|---|---|---|---|"]
        lines += [_row(reason, differences) for reason, differences in by.items() if reason.about == about]
    lines += ["", "## Not compared", "", *(f"- {text}" for text in NOT_COMPARED), *_set_aside(comparisons)]
    return "\n".join([*lines, "", *api_section]) + "\n"


def _opening(comparisons: Sequence[Comparison]) -> list[str]:
    alike = sum(sum(each.alike.values()) for each in comparisons)
    different = sum(len(each.differences) for each in comparisons)
    return [
        "# How the sandbox differs from a real Calico",
        "",
        "For each recorded scenario (tests/fixtures/real) a sandbox is brought up with its nodes, pools, pods and version, and asked the "
        "recording's questions. Pods' names and what follows from them (`cali…` devices, addresses, container ids), made-up MACs and "
        "tunnel addresses are renamed to the recording's. Where something was done to the recorded cluster while somebody watched (a pod or a "
        "Node deleted, another encapsulation), the same is done to the sandbox, and both are held together before and after. Everything else has "
        "to be the same, or to be listed here with a reason. Written by the comparison (`make fidelity`); a difference that is not "
        "listed, or a listed one that is no more, fails its test.",
        "",
        f"**{len(comparisons)} scenarios, {alike + different} values: {alike} alike, {different} different, all of them below.**",
        "",
        "| scenario | values alike | different |",
        "|---|---|---|",
        *(f"| {each.scenario} | {sum(each.alike.values())} | {len(each.differences)} |" for each in comparisons),
        "",
        *(f"- *{kind}*: {', '.join(name.removeprefix('calico-') for name in names)}" for kind, names in KINDS.items()),
    ]


def _outputs(comparisons: Sequence[Comparison]) -> list[str]:
    alike: Counter[str] = Counter()
    for each in comparisons:
        alike.update(each.alike)
    different = Counter(item.output for each in comparisons for item in each.differences)
    lines = ["| output | values alike | different |", "|---|---|---|"]
    for group, title, how in _GROUPS:
        names = sorted(name for name in alike.keys() | different.keys() if name.startswith(f"{group}/"))
        lines.append(f"| **{title}** ({how}) | **{sum(alike[name] for name in names)}** | **{sum(different[name] for name in names)}** |")
        lines += [f"| {name.rpartition('/')[2]} | {alike[name]} | {different[name]} |" for name in names]
    return lines


def _row(reason: Reason, differences: Sequence[Difference]) -> str:
    outputs = "<br>".join(sorted({item.output.rpartition("/")[2] for item in differences}))
    example = differences[0] if differences else Difference("", "", "", "", "")
    key = example.key.partition(": ")[2] if example.output.startswith(("nodes/", "pods/")) else example.key
    sides = "" if {example.recorded, example.sandbox} == {"", "there"} else f": {_value(example.recorded)} → {_value(example.sandbox)}"
    only = " (recorded only)" if not example.sandbox else " (sandbox only)" if not example.recorded else ""
    return f"| {outputs} | {len(differences)} | {_where(differences)} | `{_cell(key)}`{only or sides} | {reason.reason} |"


def _where(differences: Iterable[Difference]) -> str:
    """Kinds of scenario as a whole, else the scenarios."""
    names = {item.scenario for item in differences}
    if names >= set(SCENARIOS):
        return "everywhere"
    parts = []
    for kind, members in KINDS.items():
        some = [name for name in members if name in names]
        parts += [kind] if len(some) == len(members) else [name.removeprefix("calico-") for name in some]
    others = sorted(names - set(SCENARIOS))
    return ", ".join([*parts, *(name.removeprefix("calico-") for name in others)])


def _set_aside(comparisons: Sequence[Comparison]) -> list[str]:
    """Pods without a counterpart: those of controllers that may run anywhere, and what one side alone has."""
    pods = dict.fromkeys(name for each in comparisons for name in each.set_aside)
    where = {name: [each.scenario.removeprefix("calico-") for each in comparisons if name in each.set_aside] for name in pods}
    said = (f"{name} ({'everywhere' if len(names) == len(comparisons) else ', '.join(names)})" for name, names in sorted(where.items()))
    return [f"- Pods that have no counterpart on the same node of the other side, and what follows from them: {'; '.join(said)}."]


def _value(text: str) -> str:
    return f"`{_cell(text)}`" if text else "nothing"


def _cell(text: str) -> str:
    text = text if len(text) <= 100 else f"{text[:97]}…"
    return text.replace("|", "\\|").replace("\n", " ")
