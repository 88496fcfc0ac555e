# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block routes: each node knows the way to every other node's blocks, ends its own, and nothing else lies in a pool."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Set, Tuple

from .._expected import BORROWED, OWN, REMOTE, TUNNEL
from .._iproute import route_text
from .._model import Node, Route, Rule, Subject
from .._prefix import prefix
from .._shape import ExpectedRoute, describe
from .case import Case
from .record import NOT_MODELLED, Check, Recorder, node_evidence
from .remedies import delete_route, on_node, restore_route


def _of_role(role: str) -> Callable[[Case, Recorder], None]:
    """A check of the expected routes of a role; a difference in the protocol alone is route-owner's."""

    def run(case: Case, record: Recorder) -> None:
        if not record.lists("ippools", "ipamblocks", "blockaffinities", "nodes"):
            return
        for node in case.snapshot.nodes:
            if record.facts(node, "routes", "addresses") is None:
                continue
            good, others = case.compared(node)[role]
            for expected, found, wrong in others:
                if wrong == ["proto"]:
                    good += 1
                else:
                    _report(record, node, expected, found, wrong)
            record.passed(node.name, good)

    return run


def _remote(case: Case, record: Recorder) -> None:
    for pool in sorted(case.expectation.nobodys):
        reason = "%s (pool %s without BGP: its routes are the cloud's, or somebody's own)" % (NOT_MODELLED, pool)
        record.inconclusive(None, Subject("IPPool", name=pool), reason)
    _of_role(REMOTE)(case, record)


def _report(record: Recorder, node: Node, expected: ExpectedRoute, found: Sequence[Route], wrong: List[str]) -> None:
    what = {OWN: "own block " + expected.dst, REMOTE: "%s of %s" % (expected.dst, expected.owner)}
    if found:
        message = "%s: the route to %s differs in %s: «%s» instead of «%s»" % (
            node.name, what.get(expected.role, expected.dst), ", ".join(wrong), route_text(found[0]), describe(expected),
        )  # fmt: skip
    elif expected.role == OWN:
        message = "%s has no blackhole for its own block %s" % (node.name, expected.dst)
    else:
        message = "%s has no route to %s of %s" % (node.name, expected.dst, expected.owner)
    record.failed(
        node.name, Subject("Block" if expected.role != BORROWED else "Address", name=expected.owner, prefix=expected.dst),
        "%s (%s)" % (describe(expected), expected.why), "; ".join(map(route_text, found)) or "no route", message,
        node_evidence(node, "ip route show %s" % expected.dst, [route_text(route) for route in found]),
        restore_route(node, expected, found[0] if found else None, wrong),
    )  # fmt: skip


def _route_owner(case: Case, record: Recorder) -> None:
    for node in case.snapshot.nodes:
        if record.facts(node, "routes", "addresses") is None:
            continue
        compared = case.compared(node).values()
        for expected, found, wrong in (other for one in compared for other in one.others):
            if wrong != ["proto"]:
                continue
            wanted = "|".join(expected.shapes[0].protocols)
            record.failed(
                node.name, Subject("Block", name=expected.owner, prefix=expected.dst), "proto %s" % wanted,
                "proto %s" % found[0].protocol,
                "%s: the route to %s is of proto %s, not %s: not the program that owns pool %s made it"
                % (node.name, expected.dst, found[0].protocol, wanted, expected.pool),
                node_evidence(node, "ip -d route show %s" % expected.dst, [route_text(found[0])]),
                restore_route(node, expected, found[0], wrong),
            )  # fmt: skip
        record.passed(node.name, sum(one.right for one in compared))


def _stray(case: Case, record: Recorder) -> None:
    if not record.lists("ippools", "ipamblocks", "blockaffinities", "pods"):
        return
    for node in case.snapshot.nodes:
        if record.facts(node, "routes") is None:
            continue
        unsettled, is_explained = case.unsettled(node), case.explained(node)
        good = len(case.routes(node)) - len(unsettled)
        for dst, routes in unsettled.items():
            known = is_explained(dst)
            if not known and not (case.in_pool(dst) and case.expectation.is_modelled(dst)):
                continue
            extra = routes[1:] if known else routes
            good += known and not extra
            for route in extra:
                _report_stray(case, record, node, route, routes if known else [])
        record.passed(node.name, good)


def _report_stray(case: Case, record: Recorder, node: Node, route: Route, beside: List[Route]) -> None:
    if (route.dev or "").startswith(case.settings.interface_prefix):
        return  # a pod's device: host.stray and host.route speak of it
    block = case.expectation.blocks.longest(route.dst)
    if beside:
        what = "a second route to it beside «%s»" % route_text(beside[0])
    elif block is not None:
        what = "more specific than the route to %s's block %s: it takes that traffic" % (block.owner or "nobody", block.cidr)
    else:
        what = "a route inside a pool that no Calico object explains"
    record.failed(
        node.name, Subject("Route", prefix=route.dst, name=route.dev), "no such route", route_text(route),
        "%s has «%s», %s" % (node.name, route_text(route), what),
        node_evidence(node, "ip route show root %s" % route.dst, [route_text(one) for one in beside + [route]]),
        _delete_stray(node, route),
    )  # fmt: skip


def _delete_stray(node: Node, route: Route) -> str:
    if route.protocol == "bird":
        return "BGP brought it: delete it on the node where it is not of proto bird, and it is gone here within 3 s."
    return "Nobody removes it. Find who adds it, and: %s" % delete_route(node, route)


def _policy_rules(case: Case, record: Recorder) -> None:
    usual: Dict[int, Tuple[str, str]] = {
        0: ("from all", "lookup local"), 32766: ("from all", "lookup main"), 32767: ("from all", "lookup default"),
    }  # fmt: skip
    for node in case.snapshot.nodes:
        facts = record.facts(node, "rules", "routes")
        if facts is None:
            continue
        seen = {rule.priority: (rule.selector, rule.action) for rule in facts.rules}
        for priority, rule in usual.items():
            if seen.get(priority) == rule:
                record.passed(node.name)
            elif facts.rules and priority != 32767:
                record.failed(
                    node.name, Subject("Rule", name=str(priority)), "%d: %s %s" % ((priority,) + rule), "none",
                    "%s lacks the policy rule %d (%s %s): its table is not looked up" % ((node.name, priority) + rule),
                    node_evidence(node, "ip rule", ["%d: %s %s" % tuple(one) for one in facts.rules]),
                )  # fmt: skip
        unusual = [rule for rule in facts.rules if usual.get(rule.priority) != (rule.selector, rule.action)]
        tables = {route.table for route in facts.routes if _reaches_pool(case, route)} if unusual else set()
        for rule in unusual:
            _judge_rule(record, node, rule, tables)


def _reaches_pool(case: Case, route: Route) -> bool:
    if ":" in route.dst:
        return False
    return any(prefix(route.dst).overlaps(pool) for pool in case.pool_prefixes)


def _judge_rule(record: Recorder, node: Node, rule: Rule, tables: Set[str]) -> None:
    text = "%d: %s %s" % tuple(rule)
    action = rule.action.split()
    diverts = action[0] != "lookup" or (action[1] not in ("main", "local", "default") and action[1] in tables)
    before = rule.priority < 32766 and "oif" not in rule.selector
    report = record.failed if diverts and before else record.warning
    report(
        node.name, Subject("Rule", name=str(rule.priority)), "the kernel's three rules", text,
        "%s has the policy rule «%s»%s"
        % (node.name, text, " before the main table: it can take pod traffic elsewhere" if diverts and before else ""),
        node_evidence(node, "ip rule", [text]),
        "Nobody removes it. Find who adds it, and: %s" % on_node(node, "ip", "rule", "del", "priority", str(rule.priority)),
    )  # fmt: skip


CHECKS = (
    Check(
        "blocks.remote-route", "Each node has the route to every other node's blocks",
        "Blocks, not pods, are what nodes know of each other; the route's gateway is the node that owns the block.",
        "A deleted route comes back (Felix ≤ 100 s, BIRD ≤ 3 s). One that was changed in place may never be repaired before "
        "v3.31.7/v3.32.1: delete it, or restart calico-node on that node.",
        _remote, "critical", ("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.borrowed-route", "Each borrowed address has its own route on the other nodes",
        "An address used on another node than its block's owner needs a /32, else the owner's blackhole takes its packets.",
        "Restart calico-node on that node; calicoctl ipam show --show-borrowed.",
        _of_role(BORROWED), "critical", ("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.own-blackhole", "Each node ends its own blocks in a blackhole",
        "Without it a packet for an unused address follows the default route and may loop between node and router.",
        "It comes back by itself (Felix ≤ 100 s, BIRD ≤ 3 s); else restart calico-node on that node.",
        _of_role(OWN), aspects=("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.tunnel-address", "Routes to other nodes' tunnel addresses, where there are any, are right",
        "Calico v3.30 adds a /32 for most remote tunnel addresses, v3.32 none: allowed, not required.",
        "Restart calico-node on that node.", _of_role(TUNNEL), "minor", ("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.route-owner", "Each block route was made by the program that owns its pool's routes",
        "Felix (proto 80) programs VXLAN pools, BIRD (proto bird) the others; a route of another protocol is repaired by neither.",
        "Delete the foreign route; the owner puts its own in its place.", _route_owner, aspects=("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.stray-route", "No other route lies inside a pool",
        "A more specific or second route takes traffic from Calico's; in a BGP pool one spreads to every node within a second.",
        "Find who added it (ip -d route shows the protocol) and delete it there.", _stray, "critical", ("blocks", "routes", "ipam"),
    ),
    Check(
        "blocks.policy-rule", "No policy rule takes pod traffic away from the main table",
        "Rules are asked before tables: a rule in front of main overrides every route that Calico makes.",
        "Delete the rule, or limit it to what it is for (ip rule).", _policy_rules, "critical", ("rules",),
    ),
)  # fmt: skip
