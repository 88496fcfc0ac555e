# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a fault is made (pure): which node, which pod, which block, chosen the same way every time."""

from __future__ import annotations

import ipaddress
from typing import Any, Callable, List, NamedTuple, Optional, Tuple

from .._errors import PodnetError
from .._model import Block, Node, Pod, Pool, Route, Snapshot
from .._names import VXLAN_DEVICE, pod_device

_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
# A pod of the cluster's own is broken only by its name: others may depend on it.
_SYSTEM = ("kube-", "calico-", "tigera-")


class Target(NamedTuple):
    """The node, and the pod where the fault is about one."""

    node: Node
    pod: Optional[Pod]


class Scene(NamedTuple):
    """What a plan is made from: the objects, the target, one field of a node's facts on demand, one raw object on demand."""

    snapshot: Snapshot
    target: Target
    field: Callable[[str], Any]
    raw: Callable[[str], Any]

    @property
    def node(self) -> Node:
        """The node that the fault is made on."""
        return self.target.node

    @property
    def pod(self) -> Pod:
        """The pod that the fault is about."""
        if self.target.pod is None:
            raise AssertionError("the fault was not declared to be about a pod")
        return self.target.pod

    @property
    def device(self) -> str:
        """The host's side of the pod."""
        return pod_device(self.pod.namespace, self.pod.name, self.snapshot.header.settings.interface_prefix)

    @property
    def api(self) -> str:
        """The path of Calico's objects."""
        group = self.snapshot.header.api_group
        return "/apis/%s/%s" % (group, "v1" if group == "crd.projectcalico.org" else "v3")

    def routes(self, dst: str) -> List[Route]:
        """The node's routes to exactly this network."""
        return [route for route in self.field("routes") if route.table == "main" and route.dst == dst]

    def route(self, dst: str, what: str) -> Route:
        """The one route to change."""
        found = self.routes(dst)
        if len(found) != 1:
            raise nothing_here("%s has %d routes to %s (%s), not one" % (self.node.name, len(found), dst, what))
        return found[0]

    def has_device(self, name: str) -> bool:
        """Whether the node has it."""
        return any(link.name == name for link in self.field("links"))

    def own_block(self) -> Block:
        """The node's first block."""
        found = [block for block in _blocks(self.snapshot) if block.owner == self.node.name]
        if not found:
            raise nothing_here("%s owns no block" % self.node.name)
        return found[0]

    def remote_block(self) -> Block:
        """The first block of the next node after this one, workers first."""
        for other in self.others():
            for block in _blocks(self.snapshot):
                if block.owner == other.name:
                    return block
        raise nothing_here("no other node owns a block")

    def others(self) -> List[Node]:
        """The other nodes, workers first."""
        return [node for node in in_order(self.snapshot) if node.name != self.node.name]

    def node_of(self, block: Block) -> Node:
        """The node that owns the block."""
        return next(node for node in self.snapshot.nodes if node.name == block.owner)

    def tunnel(self) -> str:
        """The VXLAN device, where there is one."""
        if not self.has_device(VXLAN_DEVICE):
            raise nothing_here("%s has no %s: no pool uses VXLAN" % (self.node.name, VXLAN_DEVICE))
        return VXLAN_DEVICE

    def masqueraded_pool(self) -> Pool:
        """The first pool whose pods leave with their node's address."""
        found = [pool for pool in self.snapshot.pools if pool.nat_outgoing and ":" not in pool.cidr]
        if not found:
            raise nothing_here("no pool has natOutgoing")
        return found[0]


def nothing_here(why: str) -> PodnetError:
    """This lab has nothing that the fault could break."""
    return PodnetError("The fault cannot be made here: %s. Nothing was changed" % why)


def choose(snapshot: Snapshot, about_pod: bool, node: Optional[str], pod: Optional[str]) -> Target:
    """The named node and pod, else the pod's node, else the first worker; its first pod that is not the cluster's own."""
    nodes = {one.name: one for one in in_order(snapshot)}
    if node is not None and node not in nodes:
        raise PodnetError("The cluster has no node %s" % node, "There are %s." % ", ".join(nodes))
    if not about_pod:
        if pod is not None:
            raise PodnetError("This fault is about a node, and pod is %s" % pod, "Leave pod out.")
        return Target(nodes[node] if node else _first(nodes, snapshot), None)
    found = _named_pod(snapshot, pod, node) if pod is not None else None
    if found is not None:
        return Target(nodes[found.node or ""], found)
    chosen = nodes[node] if node else _first(nodes, snapshot)
    return Target(chosen, _first_pod(snapshot, chosen))


def _first(nodes: Any, snapshot: Snapshot) -> Node:
    if not nodes:
        raise PodnetError("The cluster at %s has no nodes to break" % snapshot.header.server, "Check the kubeconfig and context.")
    return next(iter(nodes.values()))


def _named_pod(snapshot: Snapshot, name: str, node: Optional[str]) -> Pod:
    found = next((pod for pod in _wired(snapshot) if "%s/%s" % (pod.namespace, pod.name) == name), None)
    if found is None:
        raise PodnetError("No running pod with an address of its own is called %s" % name, "Give it as namespace/name.")
    if node is not None and found.node != node:
        raise PodnetError("Pod %s is on %s, and node is %s" % (name, found.node, node), "Leave one of the two out.")
    return found


def _first_pod(snapshot: Snapshot, node: Node) -> Pod:
    found = sorted((pod for pod in _wired(snapshot) if pod.node == node.name), key=_pod_order)
    if not found:
        raise nothing_here("%s runs no pod with an address of its own" % node.name)
    return found[0]


def _pod_order(pod: Pod) -> Tuple[bool, str, str]:
    return (pod.namespace.startswith(_SYSTEM), pod.namespace, pod.name)


def _wired(snapshot: Snapshot) -> List[Pod]:
    return [pod for pod in snapshot.pods if pod.phase == "Running" and pod.address and not pod.host_network and not pod.terminating]


def in_order(snapshot: Snapshot) -> List[Node]:
    """The nodes, workers first, by name."""
    return sorted(snapshot.nodes, key=lambda node: (any(label in node.labels for label in _CONTROL_PLANE), node.name))


def neighbours_of(scene: Scene) -> List[Pod]:
    """The other pods of the pod's node."""
    return sorted((pod for pod in _wired(scene.snapshot) if pod.node == scene.node.name and pod != scene.pod), key=_pod_order)


def _blocks(snapshot: Snapshot) -> List[Block]:
    found = [block for block in snapshot.blocks if not block.deleted and ":" not in block.cidr]
    return sorted(found, key=lambda block: ipaddress.ip_network(block.cidr, strict=False))


def block_of(scene: Scene, address: str) -> Block:
    """The block that an address lies in."""
    for block in _blocks(scene.snapshot):
        if ipaddress.ip_address(address) in ipaddress.ip_network(block.cidr, strict=False):
            return block
    raise nothing_here("%s lies in no block" % address)


def object_name(cidr: str) -> str:
    """The name of an IPAMBlock: 192.168.93.192/26 is 192-168-93-192-26."""
    return cidr.replace(".", "-").replace("/", "-")
