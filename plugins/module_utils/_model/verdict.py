# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out: findings, results, the whole judgement (private)."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

from .snapshot import Header

PASSED, FAILED, WARNING, SKIPPED, INCONCLUSIVE = "passed", "failed", "warning", "skipped", "inconclusive"


class Subject(NamedTuple):
    """What a finding is about; only what applies is set."""

    kind: str
    namespace: Optional[str] = None
    name: Optional[str] = None
    ip: Optional[str] = None
    prefix: Optional[str] = None


class Evidence(NamedTuple):
    """Where a fact was read, by which command, and what it said (bounded)."""

    where: str
    command: str
    output: str


class Finding(NamedTuple):
    """One thing that did not pass. ``key`` names it within its verdict; ``cause`` is the key of the finding that explains it, if
    any, and ``consequences`` are the keys of those that it explains."""

    id: str
    outcome: str
    severity: str
    node: Optional[str]
    subject: Subject
    expected: str
    actual: str
    message: str
    remedy: str
    evidence: Evidence
    cause: Optional[str] = None
    consequences: Tuple[str, ...] = ()
    doc: str = ""
    key: str = ""


class CheckResult(NamedTuple):
    """One check on one node (or on the cluster: ``node`` None), with its subjects counted by outcome."""

    id: str
    title: str
    node: Optional[str]
    outcome: str
    checked: int = 0
    passed: int = 0
    failed: int = 0
    warning: int = 0
    skipped: int = 0
    inconclusive: int = 0
    reason: Optional[str] = None


class Verdict(NamedTuple):
    """The whole judgement. ``summary`` counts *check results*, one per check and node, by outcome."""

    schema_version: int
    failed: bool
    msg: str
    summary: Dict[str, int]
    results: Tuple[CheckResult, ...]
    findings: Tuple[Finding, ...]
    header: Optional[Header] = None
