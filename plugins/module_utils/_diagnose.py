# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, its consequences folded under it (private, pure).

Each rule below is a cause and what follows from it, in the order in which causes are believed: a finding that an
earlier rule explained is not explained again, and a consequence never explains another. Nothing is dropped: folding
sets ``cause`` on the one and ``consequences`` on the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ._model import FAILED, INCONCLUSIVE, WARNING, Finding
from ._prefix import prefix

if TYPE_CHECKING:
    from ._checks.case import Case


def key(finding: Finding) -> str:
    """What names a finding within its verdict: check, node and subject."""
    subject = finding.subject
    what = "/".join(part for part in (subject.namespace, subject.name) if part) or subject.ip or subject.kind
    return " ".join(part for part in (finding.id, finding.node, what, subject.prefix) if part)


class Rule(NamedTuple):
    """``explains(cause, other, case)`` is asked for findings of these check ids (a trailing ``*`` is any of a family)."""

    causes: Tuple[str, ...]
    effects: Tuple[str, ...]
    explains: Callable[[Finding, Finding, "Case"], bool]


def _same_node(cause: Finding, other: Finding, case: "Case") -> bool:
    return cause.node == other.node


def _gap(cause: Finding, other: Finding, case: "Case") -> bool:
    """What was not seen on a node makes every judgement on it inconclusive."""
    return other.outcome == INCONCLUSIVE and (cause.node == other.node or (cause.node or "?") in other.message)


def _concerns_node(cause: Finding, other: Finding, case: "Case") -> bool:
    """Whether the other finding is on the cause's node, or on another node about it."""
    return cause.node == other.node or cause.node == other.subject.name or _reaches(cause.node, other, case)


def _reaches(node: Optional[str], other: Finding, case: "Case") -> bool:
    """Whether ``other`` is a path or probe that ends on ``node``."""
    if other.subject.kind not in ("Path", "Probe") or not other.subject.ip:
        return False
    return any(pod.node == node for pod in case.pods_by_address.get(other.subject.ip, ()))


def _same_pod(cause: Finding, other: Finding, case: "Case") -> bool:
    address = cause.subject.ip
    if cause.subject.name and cause.subject[1:3] == other.subject[1:3]:
        return True
    return bool(address) and (other.subject.ip == address or other.subject.prefix == "%s/32" % address or _mentions(cause, other))


def _mentions(cause: Finding, other: Finding) -> bool:
    """Whether a path starts at the cause's pod."""
    pod = "%s/%s" % (cause.subject.namespace, cause.subject.name)
    return other.subject.kind in ("Path", "Probe") and pod in (other.subject.name or "").split(" → ")


def _same_device(cause: Finding, other: Finding, case: "Case") -> bool:
    device = cause.subject.name or "?"
    return cause.node == other.node and device in other.actual + other.expected + other.message


def _same_prefix(cause: Finding, other: Finding, case: "Case") -> bool:
    """Whether the other concerns the cause's prefix: a route of it, or an address within it."""
    own = cause.subject.prefix
    theirs = other.subject.prefix or other.subject.ip
    if not own or not theirs:
        return False
    try:
        return prefix(own).overlaps(prefix(theirs))
    except ValueError:
        return False


def _on_the_way(cause: Finding, other: Finding, case: "Case") -> bool:
    """Whether the walk or probe met the cause's route: it starts, passes or ends where the route is, towards its prefix."""
    if not _same_prefix(cause, other, case):
        return False
    return other.subject.kind == "Probe" or (cause.node or "?") in other.evidence.output


def _stray_spread(cause: Finding, other: Finding, case: "Case") -> bool:
    """A foreign route in a BGP pool is announced: the copies that BIRD installed elsewhere are its consequences."""
    return cause.subject.prefix == other.subject.prefix and "proto bird" not in cause.actual and "proto bird" in other.actual


RULES: Tuple[Rule, ...] = (
    Rule(("nodes.ready", "nodes.calico-node"), ("*",), _gap),
    Rule(("nodes.observed",), ("*",), _gap),
    Rule(("intent.pools",), ("blocks.*", "vxlan.*", "pods.mtu", "nat.*", "connectivity.encapsulation", "bgp.*"), lambda *_: True),
    Rule(("nodes.address",), ("blocks.*", "bgp.sessions", "vxlan.*", "paths.*", "connectivity.*"), _concerns_node),
    Rule(("ipam.affinity", "ipam.owner", "ipam.layout"), ("ipam.*", "blocks.*", "paths.*", "connectivity.*"), _same_prefix),
    Rule(("ipam.affinity", "ipam.layout"), ("pods.allocation",), _same_prefix),
    Rule(("vxlan.device",), ("vxlan.neighbours", "vxlan.fdb", "blocks.*", "paths.*", "connectivity.*"), _same_device),
    Rule(("vxlan.device",), ("vxlan.neighbours", "vxlan.fdb"), _same_node),
    Rule(("host.device",), ("host.route", "sysctls.pod-device", "pods.*", "paths.*", "connectivity.*"), _same_pod),
    Rule(("pods.allocation",), ("ipam.allocation", "pods.*", "host.*", "blocks.*", "paths.*"), _same_pod),
    Rule(("bgp.running",), ("bgp.sessions",), _concerns_node),
    Rule(("bgp.sessions", "bgp.running"), ("blocks.remote-route", "blocks.borrowed-route", "paths.*", "connectivity.*"), _concerns_node),
    Rule(("blocks.stray-route",), ("blocks.stray-route",), _stray_spread),
    Rule(("blocks.remote-route", "blocks.borrowed-route", "blocks.stray-route", "host.route", "host.stray"), ("bgp.synced",),
         lambda cause, other, case: cause.subject.prefix == other.subject.prefix),
    Rule(("blocks.route-owner",), ("bgp.synced",), _same_prefix),
    Rule(("host.gateway-route",), ("pods.gateway",), _same_node),
    Rule(("sysctls.pod-device",), ("pods.gateway", "connectivity.*"), _same_pod),
    Rule(("sysctls.forwarding", "host.gateway-route"), ("paths.*", "connectivity.*"), _concerns_node),
    Rule(("host.route",), ("blocks.stray-route",), _same_prefix),
    Rule(("blocks.*", "host.*", "vxlan.*", "sysctls.*", "pods.*"), ("paths.*", "connectivity.*"), _on_the_way),
    Rule(("vxlan.neighbours", "vxlan.fdb"), ("paths.*", "connectivity.*"), _same_node),
    Rule(("blocks.policy-rule",), ("paths.*", "connectivity.*"), _same_node),
    Rule(("connectivity.loss",), ("connectivity.*",), lambda cause, other, case: cause.subject == other.subject),
)  # fmt: skip


def diagnose(case: "Case", findings: Sequence[Finding]) -> List[Finding]:
    """The same findings, each consequence naming its cause and each cause its consequences."""
    cause_of: Dict[int, int] = {}
    causes = set()
    by_id: Dict[str, List[int]] = {}
    for index, finding in enumerate(findings):
        by_id.setdefault(finding.id, []).append(index)
    for rule in RULES:
        effects = _of(by_id, rule.effects)
        for cause in _of(by_id, rule.causes):
            if cause in cause_of or findings[cause].outcome == WARNING:
                continue
            for effect in effects:
                if effect == cause or effect in cause_of or effect in causes:
                    continue
                if findings[effect].outcome in (FAILED, INCONCLUSIVE) and rule.explains(findings[cause], findings[effect], case):
                    cause_of[effect] = cause
                    causes.add(cause)
    return _folded(findings, cause_of)


def _of(by_id: Dict[str, List[int]], patterns: Tuple[str, ...]) -> List[int]:
    found = []
    for name, indexes in by_id.items():
        if any(name == pattern or (pattern.endswith("*") and name.startswith(pattern[:-1])) for pattern in patterns):
            found.extend(indexes)
    return sorted(found)


def _folded(findings: Sequence[Finding], cause_of: Dict[int, int]) -> List[Finding]:
    consequences: Dict[int, List[str]] = {}
    for effect, cause in sorted(cause_of.items()):
        consequences.setdefault(cause, []).append(key(findings[effect]))
    return [
        finding._replace(
            cause=key(findings[cause_of[index]]) if index in cause_of else None, consequences=tuple(consequences.get(index, ()))
        )
        for index, finding in enumerate(findings)
    ]
