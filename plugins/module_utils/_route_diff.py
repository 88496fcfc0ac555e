# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``--diff`` shows of a snapshot (private, pure): per node, the routes inside the pools that are there against those that must be.

Only what differs, and bounded: a thousand nodes may differ in a thousand routes each. Texts are a cluster's, so each line is
made printable.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._checks.case import Case
from ansible_collections.podnet.calico.plugins.module_utils._iproute import route_text
from ansible_collections.podnet.calico.plugins.module_utils._model import Node, Snapshot
from ansible_collections.podnet.calico.plugins.module_utils._plain import count, printable
from ansible_collections.podnet.calico.plugins.module_utils._prefix import Prefix, prefix
from ansible_collections.podnet.calico.plugins.module_utils._shape import ExpectedRoute, describe, differences

# Lines of one node, and nodes, that are shown: what is left out is counted.
LINES, NODES = 40, 20
_WIDTH = 300
_INDENT = 13  # as the screen's labels
Line = Tuple[Prefix, str, str]  # where it belongs, «-» for observed or «+» for expected, the route


class RouteDiff:
    """The nodes of a snapshot whose routes differ, in order, and how many more there are than are shown."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.nodes: List[Tuple[str, List[Line]]] = []
        self.more = 0
        self.compared = 0
        case = Case(snapshot)
        if snapshot.header.unobserved or {"routes", "blocks", "ipam"} & set(case.not_modelled):
            return  # what is expected is not known
        for node in snapshot.nodes:
            if node.facts is None or any(gap.what in ("routes", "addresses") for gap in node.facts.unobserved):
                continue
            self.compared += 1
            lines = sorted(_differing(case, node), key=lambda line: (line[0], line[1] == "+"))
            if lines and len(self.nodes) < NODES:
                self.nodes.append((printable(node.name, _WIDTH), lines))
            elif lines:
                self.more += 1

    def for_ansible(self) -> List[Dict[str, str]]:
        """As modules return it: one for each node, what was observed ``before``, what is expected ``after``."""
        shown = [
            {
                "before_header": "%s: observed routes" % name,
                "after_header": "%s: expected routes" % name,
                "before": _text(lines, "-"),
                "after": _text(lines, "+"),
            }
            for name, lines in self.nodes
        ]
        return shown + ([{"prepared": self._rest() + "\n"}] if self.more else [])

    def for_screen(self) -> List[str]:
        """The same as lines for a terminal: Ansible shows no diff of a task that failed or changed nothing.

        Where nothing differs, a line that says so.
        """
        rows: List[str] = []
        if not self.compared:
            rows.append("not compared: of no node both the observed and the expected ones are known")
        elif not self.nodes:
            rows.append("inside the pools, those observed and those expected are the same on %s" % count(self.compared, "node"))
        for name, lines in self.nodes:
            rows.append("%s: - observed, + expected" % name)
            rows += ["  %s %s" % (sign, printable(text, _WIDTH)) for _where, sign, text in lines[:LINES]]
            rows += ["  " + one for one in _left_out(lines)]
        rows += [self._rest()] if self.more else []
        return [("" if number else "Routes").ljust(_INDENT) + row for number, row in enumerate(rows)]

    def _rest(self) -> str:
        return "… and the routes of %s" % count(self.more, "more node")


def _text(lines: List[Line], side: str) -> str:
    shown = [printable(text, _WIDTH) for _where, sign, text in lines[:LINES] if sign == side] + _left_out(lines)
    return "".join(line + "\n" for line in shown)


def _left_out(lines: List[Line]) -> List[str]:
    return ["… and %d lines more" % (len(lines) - LINES)] if len(lines) > LINES else []


def _differing(case: Case, node: Node) -> Iterator[Line]:
    """Each destination whose route is missing, wrong, doubled, or nobody's."""
    routes = case.routes(node)
    expected = {one.dst: one for of_role in case.expectation.routes_of(node).values() for one in of_role}
    for dst, one in expected.items():
        found = routes.to(dst)
        fitting = next((route for route in found if _fits(one, route)), None)
        if fitting is None and (found or one.required):
            yield prefix(dst), "+", describe(one)
        for route in found:
            if route is not fitting:
                yield prefix(dst), "-", route_text(route)
    for dst in routes:
        if dst not in expected and ":" not in dst and case.in_pool(dst) and case.expectation.is_modelled(dst):
            for route in routes.to(dst):
                yield prefix(dst), "-", route_text(route)


def _fits(expected: ExpectedRoute, route: Any) -> bool:
    return any(not differences(route, shape) for shape in expected.shapes)
