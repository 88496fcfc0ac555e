# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Folding (private, pure): each rule is a join of findings by the places that they are about, so the work grows with their
number and not with its square.

Nothing is dropped: folding sets ``cause`` on the one and ``consequences`` on the other. A consequence may itself explain
something (a lost session takes routes, their lack loses packets); what is told in the end is the first of the chain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Dict, Hashable, List, Optional, Sequence, Tuple

from .._model import FAILED, INCONCLUSIVE, WARNING, Finding
from .places import Places
from .rules import POD_IS_CUT_OFF, RULES, Rule, node_is_cut_off

if TYPE_CHECKING:
    from .._checks.case import Case


def _keys(findings: Sequence[Finding]) -> List[str]:
    """What names each finding: check, node, subject, and what was not observed; numbered where several have all that alike."""
    times: Dict[str, int] = {}
    keys: List[str] = []
    for finding in findings:
        subject = finding.subject
        what = "/".join(part for part in (subject.namespace, subject.name) if part) or subject.ip or subject.kind
        unseen = finding.expected if finding.outcome == INCONCLUSIVE else None
        name = " ".join(part for part in (finding.id, finding.node, what, subject.prefix, unseen) if part)
        times[name] = times.get(name, 0) + 1
        keys.append(name if times[name] == 1 else "%s #%d" % (name, times[name]))
    return keys


def diagnose(case: "Case", findings: Sequence[Finding]) -> List[Finding]:
    """The same findings, each consequence naming its cause and each cause its consequences."""
    if not findings:
        return []
    folding = _Folding(case, findings)
    for rule in RULES:
        folding.apply(rule)
    folding.workloads()
    return folding.folded()


class _Folding:
    """The findings by their index, and what has been found to explain what."""

    def __init__(self, case: "Case", findings: Sequence[Finding]) -> None:
        self.case = case
        self.findings = findings
        self.places = Places(case)
        self.cause_of: Dict[int, int] = {}
        self.by_id: Dict[str, List[int]] = {}
        for index, finding in enumerate(findings):
            self.by_id.setdefault(finding.id, []).append(index)

    def apply(self, rule: Rule) -> None:
        """Explain what the rule explains, of that which nothing has explained yet."""
        causes = self._by_place(rule)
        if not causes:
            return
        for index in self._of(rule.effects):
            finding = self.findings[index]
            # A warning is explained only by a rule that names its check: a family stands for the family's failures.
            if index in self.cause_of or (finding.outcome == WARNING and finding.id not in rule.effects):
                continue
            for place in rule.met(self.places, finding):
                cause = causes.get(place)
                if cause is not None and self._root(cause) != index and self._may_explain(cause, index):
                    self.cause_of[index] = cause
                    break

    def _by_place(self, rule: Rule) -> Dict[Hashable, int]:
        """The first of the rule's causes at each place, failures before what was not seen."""
        found: Dict[Hashable, int] = {}
        for index in sorted(self._of(rule.causes), key=lambda one: self.findings[one].outcome != FAILED):
            if self.findings[index].outcome != WARNING:
                for place in rule.at(self.places, self.findings[index]):
                    found.setdefault(place, index)
        return found

    def _may_explain(self, cause: int, effect: int) -> bool:
        """What was not seen explains no failure: that one was seen."""
        return self.findings[cause].outcome == FAILED or self.findings[effect].outcome != FAILED

    def _of(self, patterns: Tuple[str, ...]) -> List[int]:
        found: List[int] = []
        for name, indexes in self.by_id.items():
            if any(name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])) for pattern in patterns):
                found.extend(indexes)
        return sorted(found)

    def _root(self, index: int) -> int:
        while index in self.cause_of:
            index = self.cause_of[index]
        return index

    # -- workloads ----------------------------------------------------------------------------------------------

    def workloads(self) -> None:
        """A workload lacks ready pods because its pods are cut off: only if that is so of each pod that it lacks."""
        by_pod, by_node = self._by_place(POD_IS_CUT_OFF), self._by_place(node_is_cut_off(host_network=False))
        by_host = self._by_place(node_is_cut_off(host_network=True))
        doors = {self.findings[index].node: index for index in self._of(("nodes.calico-node",))}
        for index in self._of(("intent.workloads", "workloads.rolled-out")):
            finding = self.findings[index]
            reasons: List[Optional[int]] = []
            for pod in self.case.lacking(finding.subject, finding.node):
                node = (by_host if pod.host_network else by_node).get(pod.node)
                if node is None and pod.labels.get("k8s-app") == "calico-node":
                    node = doors.get(pod.node)  # the same said twice: of the node, and of the DaemonSet
                # A pod without an address has never been reachable: it waits for something else.
                reasons.append(by_pod.get((pod.namespace, pod.name), node) if pod.address else None)
            if reasons and reasons[0] is not None and None not in reasons:
                self.cause_of[index] = reasons[0]

    # -- result -------------------------------------------------------------------------------------------------

    def folded(self) -> List[Finding]:
        """The findings with their causes and consequences."""
        keys = _keys(self.findings)
        consequences: Dict[int, List[str]] = {}
        for index in sorted(self.cause_of):
            consequences.setdefault(self._root(index), []).append(keys[index])
        return [
            finding._replace(
                cause=keys[self._root(index)] if index in self.cause_of else None,
                consequences=tuple(consequences.get(index, ())),
                key=keys[index],
            )
            for index, finding in enumerate(self.findings)
        ]
