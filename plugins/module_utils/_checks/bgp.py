# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""BGP: BIRD runs where it is meant to, every session is Established, and what it chose is in the kernel."""

from __future__ import annotations

from typing import List, Optional, Set

from .._expected import owns_block_routes
from .._model import Bird, Evidence, Node, Subject
from .._peering import Peering
from .case import Case
from .record import Check, Recorder, node_evidence, node_subject
from .remedies import on_node

_PROTOCOLS = "birdcl -s /var/run/calico/bird.ctl show protocols"
_DETAILS = tuple((_PROTOCOLS + " all").split())
_ROUTES = "birdcl -s /var/run/calico/bird.ctl show route"


def _bird(case: Case, record: Recorder, node: Node) -> Optional[Bird]:
    facts = record.facts(node, "bird")
    return facts.bird if facts is not None else None


def _disabled(case: Case, record: Recorder) -> bool:
    if case.bgp_runs is False:
        record.skipped(None, "BGP is disabled in this cluster")
        return True
    if case.bgp_runs is None:
        record.skipped(None, "no BIRD was asked")
        return True
    return False


def _needed(case: Case) -> bool:
    """Whether routes between nodes come from BGP."""
    return any(owns_block_routes(pool) == "bird" for pool in case.snapshot.pools)


def _depends(case: Case) -> str:
    """What BGP is needed for here, as the end of a sentence."""
    if _needed(case):
        return "routes between nodes come from BGP here"
    return "pod routes do not depend on it here (Felix programs VXLAN pools)"


def _running(case: Case, record: Recorder) -> None:
    if _disabled(case, record):
        return
    for node in case.snapshot.nodes:
        bird = _bird(case, record, node)
        if bird is None:
            continue
        if bird.running:
            record.passed(node.name)
            continue
        record.failed(
            node.name, node_subject(node), "BIRD running", bird.message or "not running",
            "%s: BIRD does not run (%s); %s" % (node.name, bird.message, _depends(case)),
            node_evidence(node, _PROTOCOLS, [bird.message or ""]),
            "A BIRD that died is back within 3 s, one that was stopped is not: %s" % on_node(node, "sv", "up", "/etc/service/enabled/bird"),
        )  # fmt: skip


def _sessions(case: Case, record: Recorder) -> None:
    if _disabled(case, record):
        return
    peering = Peering(case.expectation)
    for node in case.snapshot.nodes:
        bird = _bird(case, record, node)
        if bird is None:
            continue
        if not bird.running:
            record.skipped(node.name, "BIRD does not run")
            continue
        if _peers_with_nobody(case, bird):
            _report_none(case, record, node)
        for session in bird.sessions:
            if session.info.startswith("Established"):
                record.passed(node.name)
                continue
            peer = session.peer or session.name
            _report(case, record, node, peer, peering.whose(peer), "%s %s" % (session.state, session.info), bird)
        lacking = _mesh(case, node) - {session.peer for session in bird.sessions}
        for peer in sorted(lacking) if lacking and record.lists("bgpconfigurations") else ():
            _report(case, record, node, peer, peering.whose(peer), "no session", bird)


def _report(case: Case, record: Recorder, node: Node, peer: str, other: Optional[str], actual: str, bird: Bird) -> None:
    record.failed(
        node.name, Subject("BGPSession", name=other, ip=peer), "Established", actual.strip(),
        "%s: the BGP session to %s is %s; %s"
        % (node.name, "%s (%s)" % (other, peer) if other else peer, actual.strip() + _alone(bird), _depends(case)),
        node_evidence(node, _PROTOCOLS, ["%s BGP %s %s" % (one.name, one.state, one.info) for one in bird.sessions]),
        "Let TCP 179 pass between the two; compare AS numbers, passwords and addresses: %s" % on_node(node, *_DETAILS),
    )  # fmt: skip


def _peers_with_nobody(case: Case, bird: Bird) -> bool:
    """Whether the node has no session where others have and routes need them; of a mesh it is known which ones lack."""
    if bird.sessions or case.settings.mesh_enabled or not _needed(case):
        return False
    return any(node.facts.bird.sessions for node in case.snapshot.nodes if node.facts and node.facts.bird)


def _report_none(case: Case, record: Recorder, node: Node) -> None:
    record.failed(
        node.name, Subject("BGPSession"), "a BGP session", "none",
        "%s: BIRD has no BGP session with anybody; %s" % (node.name, _depends(case)), node_evidence(node, _PROTOCOLS, []),
        "A BGPPeer must select it (kubectl get bgppeers.crd.projectcalico.org -o yaml) by its labels"
        " (kubectl get node %s --show-labels)." % node.name,
    )  # fmt: skip


def _alone(bird: Bird) -> str:
    """Said where the node itself is the likely place to look."""
    if len(bird.sessions) < 2 or any(session.info.startswith("Established") for session in bird.sessions):
        return ""
    return " and none of its %d sessions is Established" % len(bird.sessions)


def _mesh(case: Case, node: Node) -> Set[str]:
    """Addresses this node must peer with: all others, but for route reflectors, which are left out of the mesh."""
    if not case.settings.mesh_enabled or node.route_reflector_cluster_id:
        return set()
    peers: List[Optional[str]] = [
        case.expectation.host_address(other)
        for other in case.snapshot.nodes
        if other.name != node.name and not other.route_reflector_cluster_id and other.calico_address
    ]
    return {peer for peer in peers if peer}


def _synced(case: Case, record: Recorder) -> None:
    if _disabled(case, record):
        return
    for node in case.snapshot.nodes:
        facts = record.facts(node, "bird", "bird.routes")
        if facts is None or facts.bird is None:
            continue
        held_back = [route for route in facts.bird.routes if route.mark == "!"]
        for route in held_back:
            record.failed(
                node.name, Subject("Route", prefix=route.dst), "in the kernel", "held back (!)",
                "%s: BIRD's best route to %s (via %s) is not in the kernel: another program's route is in its place"
                % (node.name, route.dst, route.via),
                node_evidence(node, _ROUTES, ["%s via %s on %s [%s] !" % (route.dst, route.via, route.dev, route.protocol)]),
            )  # fmt: skip
        if not held_back:
            record.passed(node.name)


def _programmer(case: Case, record: Recorder) -> None:
    if not record.lists("ippools", "felixconfigurations", "bgpconfigurations"):
        return
    if not any(owns_block_routes(pool) == "bird" for pool in case.snapshot.pools):
        record.skipped(None, "Felix programs the routes of VXLAN pools, and there are no others")
        return
    if not case.expectation.release.names_both_programmers:
        record.skipped(None, "only v3.32 is known to tell both, Felix and BIRD, who programs the routes of pools without VXLAN")
        return
    told = {"Felix": case.settings.program_cluster_routes or "Disabled", "BIRD": case.settings.bgp_program_cluster_routes or "Enabled"}
    who = [name for name, setting in told.items() if setting == "Enabled"]
    if len(who) == 1 or any(setting not in ("Enabled", "Disabled") for setting in told.values()):
        record.passed(None)
        return
    actual = ", ".join("%s %s" % pair for pair in told.items())
    record.failed(
        None, Subject("Settings", name="programClusterRoutes"), "one of the two Enabled", actual,
        "%s of Felix and BIRD programs the routes of pools without VXLAN (programClusterRoutes: %s): %s"
        % ("Each" if who else "Neither", actual, "they take them from each other" if who else "no node learns the way to another's pods"),
        Evidence("cluster", "kubectl get felixconfigurations,bgpconfigurations default -o yaml", actual),
    )  # fmt: skip


CHECKS = (
    Check(
        "bgp.running", "BIRD runs on every node", "BIRD tells the other nodes which blocks are here.",
        "kubectl logs of the calico-node pod; confd and bird must both be up.", _running,
    ),
    Check(
        "bgp.sessions", "Every BGP session is Established",
        "Where BIRD owns the routes, a lost session takes them away when its hold time (up to 240 s) is over.",
        "Check TCP 179 between the two nodes, their AS numbers and passwords, and the nodes' Calico addresses.", _sessions,
    ),
    Check(
        "bgp.synced", "What BIRD chose is in the kernel",
        "BIRD marks a best route ! when another program's route of the same prefix keeps it out, and never repairs that.",
        "Delete the other route (ip -d route show PREFIX); BIRD installs its own within 2 s.", _synced, aspects=("routes",),
    ),
    Check(
        "bgp.programmer", "One of Felix and BIRD programs the routes of pools without VXLAN",
        "v3.32 asks each by a field of its own: with both there are two writers of one route, with neither there is none.",
        "Set clusterRoutingMode in the Installation, which sets both; else programClusterRoutes in FelixConfiguration or "
        "BGPConfiguration.", _programmer, "critical", ("routes",),
    ),
)  # fmt: skip
