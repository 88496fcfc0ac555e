# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a check says what it saw (private): one Recorder per check collects its findings and counts its subjects.

Passing subjects are only counted. Evidence that is missing is recorded as inconclusive by the same call that asks for
it (``facts``, ``lists``), so a check cannot pass what it has not seen.
"""

from __future__ import annotations

from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from .._late import is_late
from .._model import (
    FAILED,
    INCONCLUSIVE,
    NOT_KNOWN,
    PASSED,
    SKIPPED,
    WARNING,
    CheckResult,
    Evidence,
    Finding,
    Node,
    NodeFacts,
    Pod,
    PodFacts,
    Snapshot,
    Subject,
    Unobserved,
)
from .doubt import CHANGED, Doubt

# The worst decides: a check that saw one failure and one gap has failed.
_WORST = (FAILED, INCONCLUSIVE, WARNING, PASSED, SKIPPED)
CLUSTER, DEADLINE = Subject("Cluster"), Subject("Deadline")
_NOTHING = Evidence("snapshot", "", "")
NOT_MODELLED, NOTHING_SELECTED = "not modelled", "nothing is selected"


class Check(NamedTuple):
    """One check. ``id`` is ``family.name`` and never changes its meaning; ``aspects`` name what must be modelled."""

    id: str
    title: str
    why: str
    remedy: str
    run: Callable
    severity: str = "major"  # critical: packets are lost; major: they will be, or go another way; minor: untidy
    aspects: Tuple[str, ...] = ()
    guard: bool = False  # made whatever was chosen, and without a result where it found nothing: it guards what all rest on

    @property
    def doc(self) -> str:
        """Where the check is described."""
        return "docs/checks/%s.md" % self.id


class Recorder:
    """Findings and counts of one check."""

    def __init__(self, check: Check, snapshot: Snapshot, doubt: Doubt) -> None:
        self.check = check
        self.snapshot = snapshot
        self._doubt = doubt
        self.findings: List[Finding] = []
        self._counts: Dict[Optional[str], Dict[str, int]] = {}
        self._reasons: Dict[Optional[str], str] = {}
        self._told: Set[str] = set()
        self._missing_lists = {entry.what: entry for entry in snapshot.header.unobserved}

    def _count(self, node: Optional[str], outcome: str, number: int = 1) -> None:
        counts = self._counts.setdefault(node, {})
        counts[outcome] = counts.get(outcome, 0) + number

    # -- outcomes -----------------------------------------------------------------------------------------------

    def passed(self, node: Optional[str], number: int = 1) -> None:
        """``number`` subjects are as they must be."""
        if number:
            self._count(node, PASSED, number)

    def skipped(self, node: Optional[str], reason: str) -> None:
        """The check does not apply, for this reason."""
        self._count(node, SKIPPED)
        self._reasons.setdefault(node, reason)

    def failed(
        self,
        node: Optional[str],
        subject: Subject,
        expected: str,
        actual: str,
        message: str,
        evidence: Evidence = _NOTHING,
        remedy: Optional[str] = None,
        severity: Optional[str] = None,
        outcome: str = FAILED,
    ) -> None:
        """A subject is not as it must be; inconclusive, if it would not keep still."""
        if outcome != INCONCLUSIVE and self._doubt.covers(node, subject):
            self.inconclusive(node, subject, self._doubt.reason, evidence=self._doubt.evidence)
            return
        self._count(node, outcome)
        check, evidence = self.check, evidence._replace(command=self._served(evidence.command))
        severity = severity or ("minor" if outcome == WARNING else check.severity)
        self.findings.append(
            Finding(
                check.id, outcome, severity, node, subject, expected, actual, message, self._served(remedy or check.remedy), evidence,
                doc=check.doc,
            )
        )

    def _served(self, command: str) -> str:
        """The command as it must be where Calico's data is in CRDs of projectcalico.org (v3.32 and later, where so chosen)."""
        group = self.snapshot.header.api_group
        return command.replace("crd.projectcalico.org", group) if group == "projectcalico.org" else command

    def warning(self, node: Optional[str], subject: Subject, expected: str, actual: str, message: str,
                evidence: Evidence = _NOTHING, remedy: Optional[str] = None) -> None:
        """Not as it should be, and packets still arrive."""
        self.failed(node, subject, expected, actual, message, evidence, remedy, outcome=WARNING)

    def inconclusive(self, node: Optional[str], subject: Subject, reason: str, command: str = "", what: str = "this",
                     evidence: Optional[Evidence] = None) -> None:
        """It cannot be said: the evidence is missing, or the engine does not model the configuration."""
        refusal, _stop, grant = reason.partition(". Grant verb")
        if grant:
            remedy = "Grant verb%s, as rbac/ does (docs/rbac.md), and run again." % grant
        elif subject.kind == "Pod" and ("executable file not found" in reason or reason.endswith(": not found")):
            remedy = "Leave pods without a shell or ip out, by pod_selector or namespaces: their routes are judged on their nodes, too."
        elif reason.startswith(CHANGED):
            remedy = "Run again when it has come to rest: nothing is known to be wrong with it."
        elif is_late(reason):
            remedy = "Give it longer (deadline, pod_routing_deadline) or less to do (node_selector, pod_selector); run again."
        elif reason.startswith(NOTHING_SELECTED):
            remedy = "Correct what is to be selected; the labels that there are: %s" % command
        elif reason.startswith(NOT_MODELLED):
            remedy = "Nothing is wrong by itself: podnet.calico cannot judge this configuration."
        else:
            remedy = "Make the evidence readable and run again: " + (command or "see the reason")
        self.failed(
            node, subject, what + " is observed", reason, "%s: %s" % (node or "cluster", refusal),
            evidence or Evidence(node or "cluster", command, reason), remedy, "minor", INCONCLUSIVE,
        )  # fmt: skip
        self._reasons.setdefault(node, reason)

    def assumed(self, gap: Unobserved) -> None:
        """Settings that could not be read were taken for Calico's defaults: that explains what failed, unless something passed.

        They are the cluster's settings: what passes somewhere shows that they are as assumed.
        """
        if any(counts.get(PASSED) for counts in self._counts.values()):
            return
        doubtful, self.findings = self.findings, []
        for finding in doubtful:
            if finding.outcome == INCONCLUSIVE:
                self.findings.append(finding)
                continue
            self._count(finding.node, finding.outcome, -1)
            reason = "%s: %s" % (gap.what, gap.reason)
            evidence = Evidence("cluster", gap.command, reason)
            self.inconclusive(finding.node, finding.subject, reason, gap.command, self.check.title, evidence)

    # -- evidence -----------------------------------------------------------------------------------------------

    def facts(self, node: Node, *whats: str) -> Optional[NodeFacts]:
        """The node's facts if all of ``whats`` were observed; else None, and it is recorded why not."""
        subject = Subject("Node", name=node.name, ip=node.internal_ip)
        if node.skipped is not None:
            if node.skipped.startswith((NOT_MODELLED, NOT_KNOWN)):
                self.inconclusive(node.name, subject, node.skipped)
            else:
                self.skipped(node.name, node.skipped)
            return None
        if node.facts is None:
            self.inconclusive(node.name, subject, "nothing was read on the node", what=" and ".join(whats))
            return None
        for entry in node.facts.unobserved:
            if entry.what in whats:
                self.inconclusive(node.name, subject, "%s: %s" % (entry.what, entry.reason), entry.command, entry.what)
                return None
        return node.facts

    def pod_facts(self, pod: Pod, *whats: str) -> Optional[PodFacts]:
        """The pod's facts if all of ``whats`` were observed; else None, and it is recorded why not."""
        subject = pod_subject(pod)
        if pod.skipped is not None:
            if pod.skipped.startswith(NOT_KNOWN):
                self.inconclusive(pod.node, subject, pod.skipped)
            else:
                self.skipped(pod.node, pod.skipped)
            return None
        if pod.facts is None:
            self.inconclusive(pod.node, subject, "nothing was read in %s" % subject.name, what=" and ".join(whats))
            return None
        for entry in pod.facts.unobserved:
            if entry.what in whats:
                reason = "%s in %s: %s" % (entry.what, subject.name, entry.reason)
                self.inconclusive(pod.node, subject, reason, entry.command, entry.what)
                return None
        return pod.facts

    def lists(self, *plurals: str) -> bool:
        """Whether these API lists were read; if not, it is recorded why, once."""
        for plural in plurals:
            entry = self._missing_lists.get(plural)
            if entry is not None:
                if plural not in self._told:
                    self._told.add(plural)
                    self.inconclusive(None, CLUSTER, "%s: %s" % (plural, entry.reason), entry.command, plural)
                return False
        return True

    # -- result -------------------------------------------------------------------------------------------------

    def results(self) -> Iterator[CheckResult]:
        """One result for each node (or the cluster) that the check spoke of."""
        for node in sorted(self._counts, key=lambda name: name or ""):
            counts = self._counts[node]
            outcome = min((one for one, number in counts.items() if number), key=_WORST.index)
            checked = sum(number for one, number in counts.items() if one != SKIPPED)
            yield CheckResult(
                self.check.id, self.check.title, node, outcome, checked,
                *(counts.get(one, 0) for one in (PASSED, FAILED, WARNING, SKIPPED, INCONCLUSIVE)),
                reason=self._reasons.get(node) if outcome in (SKIPPED, INCONCLUSIVE) else None,
            )  # fmt: skip
        if not self._counts and not self.check.guard:
            yield CheckResult(self.check.id, self.check.title, None, SKIPPED, skipped=1, reason="there is nothing to check")


def pod_subject(pod: Pod) -> Subject:
    """The pod as a subject of a finding."""
    return Subject("Pod", pod.namespace, pod.name, pod.address or pod.calico_address)


def node_subject(node: Node) -> Subject:
    """The node as a subject of a finding."""
    return Subject("Node", name=node.name, ip=node.internal_ip)


def node_evidence(node: Node, command: str, output: Sequence[str]) -> Evidence:
    """What a command on the node said; bounded, for a finding goes to screens and logs."""
    text = "\n".join(output) or "(nothing)"
    return Evidence("node %s" % node.name, command, text if len(text) <= 2000 else text[:2000] + " …")
