# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do, as commands that can be pasted (private, pure), and what heals by itself.

Who repairs what, and how fast, was recorded of Calico v3.30.7 and v3.32.1: BIRD within 3 s, Felix at its next resync, which
is up to 100 s away.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from typing import List, Optional

from .._iproute import route_text
from .._model import Affinity, Block, Node, Route
from .._shape import ExpectedRoute, describe

_FELIX = "Felix puts it back within 100 s"
_BIRD = "BIRD puts it back within 3 s"


def on_node(node: Node, *command: str) -> str:
    """A command in the network of the node: by its calico-node pod, which is where Calico's own commands are."""
    text = " ".join(shlex.quote(word) for word in command)
    if not node.calico_node_pod:
        return "on %s, %s" % (node.name, text)
    namespace, _slash, pod = node.calico_node_pod.partition("/")
    return "kubectl exec -n %s %s -c calico-node -- %s" % (shlex.quote(namespace), shlex.quote(pod), text)


def restart(node: Node) -> str:
    """The command that starts calico-node anew; the kernel's routes stay meanwhile."""
    if not node.calico_node_pod:
        return "restart calico-node on %s" % node.name
    return delete_pod(*node.calico_node_pod.split("/", 1))


def delete_pod(namespace: str, name: str) -> str:
    """The command that makes the pod's owner start another in its place."""
    return "kubectl delete pod -n %s %s" % (shlex.quote(namespace), shlex.quote(name))


def switch_on(node: Node, path: str) -> str:
    """The command that writes 1 to a file of /proc/sys: calico-node's image has no sysctl."""
    return on_node(node, "sh", "-c", "echo 1 > %s" % path)


def delete_route(node: Node, route: Route) -> str:
    """The command that deletes this route and no other."""
    return on_node(node, "ip", "route", "del", *route_text(route._replace(flags=())).split())


def restore_route(node: Node, expected: ExpectedRoute, found: Optional[Route] = None, wrong: Optional[List[str]] = None) -> str:
    """What becomes of a route that is missing, or differs as ``wrong`` says, and the command that puts it right at once."""
    heals = _heals(expected, found, wrong or [])
    if found is not None and "metric" in (wrong or ()):
        return "%s. At once: %s" % (heals, delete_route(node, found))
    text = describe(expected)
    if "<" in text or "|" in text:  # more than one form is right
        return "%s; else: %s" % (heals, restart(node))
    return "%s. At once: %s" % (heals, on_node(node, "ip", "route", "replace", *text.split()))


def _heals(expected: ExpectedRoute, found: Optional[Route], wrong: List[str]) -> str:
    by_bird = "bird" in expected.shapes[0].protocols
    if found is None:
        return _BIRD + ", if it has it from a peer" if by_bird and expected.role != "own-blackhole" else _BIRD if by_bird else _FELIX
    if by_bird:
        return "Nobody repairs it: to BIRD it is another program's route" if "proto" in wrong else _BIRD
    if "proto" in wrong:
        return _FELIX
    return "Nobody repairs it before Calico v3.31.7 and v3.32.1; from them on Felix does within 100 s"


def nodes_in(block: Optional[Block]) -> "Counter[str]":
    """How many addresses of the block each node has in use."""
    return Counter(one.node for one in block.allocations if one.node) if block else Counter()


def restore_affinity(block: Optional[Block], affinities: List[Affinity]) -> str:
    """Of the nodes named, the one that has the addresses is right; empty if none is. Nobody repairs it (recorded)."""
    settled = [one for one in affinities if one.state == "confirmed"]
    owner = block.owner if block else None
    named = [owner] + [one.node for one in settled]
    user = next((node for node, _number in nodes_in(block).most_common() if node in named), owner)
    others = [one for one in settled if one.node != user]
    if others and (block is None or len(others) < len(settled)):
        return "Nobody repairs it. Delete what names a node without addresses in it: %s" % "; ".join(
            "kubectl delete blockaffinities.crd.projectcalico.org %s" % shlex.quote(one.name) for one in others
        )
    if block is not None and user is not None and user != owner:
        return (
            "Nobody repairs it. Give the block back to the node that uses it: kubectl patch ipamblocks.crd.projectcalico.org %s "
            "--type merge -p %s" % (_object_name(block.cidr), shlex.quote(json.dumps({"spec": {"affinity": "host:" + user}})))
        )
    return ""


def _object_name(cidr: str) -> str:
    """The IPAMBlock of a CIDR: 192.168.93.192/26 is 192-168-93-192-26."""
    return cidr.replace(".", "-").replace(":", "-").replace("/", "-")
