# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed between two looks at the API (private, pure): a route is right or wrong only beside the objects of its own moment.

Compared is what Felix and BIRD follow. What moves by itself and moves no route (readiness, a pod's labels, the counts of
a rollout) is no change.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, List, Mapping, Optional, Sequence, Set, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._model import Block, Changed, Node, Pod, Settings

#: What can change, as ``Changed`` calls it.
KINDS = ("Settings", "IPPool", "Node", "Pod", "Block", "Address", "BlockAffinity", "IPAMHandle")
#: Lists by plural, of model objects; nodes know their calico-node pod.
Objects = Mapping[str, Sequence[Any]]


def changes(before: Objects, after: Objects, settings: Tuple[Settings, Settings]) -> Tuple[Changed, ...]:
    """Every subject that is not in ``after`` as it is in ``before``, in order."""
    found: List[Changed] = []
    if settings[0] != settings[1]:
        found.append(Changed("Settings"))
    found += [Changed("IPPool", name=name) for name, _old, _new in _differing(before, after, "ippools", "name")]
    owners = {(block.owner, block.cidr) for block in (*before["ipamblocks"], *after["ipamblocks"]) if block.owner}
    for name, _old, _new in _differing(before, after, "nodes", "name", _node):
        # Its address is in everybody's routes, and its calico-node has sessions with the others'.
        found.append(Changed("Node", name=name, prefixes=tuple(sorted(cidr for owner, cidr in owners if owner == name))))
    for _key, old, new in _differing(before, after, "pods", ("namespace", "name"), _pod):
        found += _of_pod([pod for pod in (old, new) if pod is not None and pod.node and not pod.host_network])
    for cidr, old, new in _differing(before, after, "ipamblocks", "cidr"):
        found += _of_block(cidr, old, new)
    for name, old, new in _differing(before, after, "blockaffinities", "name"):
        found.append(Changed("BlockAffinity", name=name, prefixes=((new or old).cidr,)))
    for name, old, new in _differing(before, after, "ipamhandles", "id"):
        nodes = {owner for owner, cidr in owners if cidr in (new or old).blocks}
        found.append(Changed("IPAMHandle", name=name, nodes=tuple(sorted(nodes))))
    return in_order(found)


def in_order(changed: Iterable[Changed]) -> Tuple[Changed, ...]:
    """Each once, in an order that does not depend on who saw it first."""

    def order(one: Changed) -> Tuple[Any, ...]:
        return KINDS.index(one.kind), one.namespace or "", one.name or "", one.nodes or (), one.prefixes

    return tuple(sorted(set(changed), key=order))


def touched(changed: Iterable[Changed], nodes: Iterable[str]) -> Set[str]:
    """Those of ``nodes`` whose evidence the changes make old."""
    every, own = set(nodes), set()
    for change in changed:
        own |= every if change.nodes is None else every & set(change.nodes)
    return own


def _node(node: Node) -> Node:
    return node._replace(ready=True, not_ready_reason=None, calico_node_ready=None, kubelet_version=None, facts=None, skipped=None)


def _pod(pod: Pod) -> Pod:
    return pod._replace(ready=True, labels={}, owner=None, facts=None, skipped=None)


def _differing(
    before: Objects, after: Objects, plural: str, key: Any, essence: Any = lambda item: item
) -> Iterator[Tuple[Any, Optional[Any], Optional[Any]]]:
    """(key, before, after) of each object that was made, removed or changed; None where there is none."""
    old, new = ({_key(item, key): item for item in objects[plural]} for objects in (before, after))
    moved = [one for one in old.keys() | new.keys() if old.get(one) != new.get(one)]
    for one in sorted(moved):
        then, now = (essence(item) if item is not None else None for item in (old.get(one), new.get(one)))
        if then != now:
            yield one, then, now


def _key(item: Any, key: Any) -> Any:
    return getattr(item, key) if isinstance(key, str) else tuple(getattr(item, part) for part in key)


def _of_block(cidr: str, old: Optional[Block], new: Optional[Block]) -> List[Changed]:
    """Of a block that stays whose it is only the addresses that were taken or released, each an affair of its node."""
    if old is None or new is None or old._replace(allocations=()) != new._replace(allocations=()):
        return [Changed("Block", name=cidr, prefixes=(cidr,))]
    return [
        Changed("Address", name=entry.address, nodes=(entry.node,) if entry.node else (), prefixes=(entry.address + "/32",))
        for entry in sorted(set(old.allocations) ^ set(new.allocations))
    ]


def _of_pod(seen: Sequence[Pod]) -> List[Changed]:
    """A pod that no node has, or that is on its node's own network, is routed by nobody."""
    if not seen:
        return []
    addresses = {address + "/32" for pod in seen for address in (pod.address, pod.calico_address) if address}
    nodes = {pod.node for pod in seen if pod.node}
    return [Changed("Pod", seen[0].namespace, seen[0].name, tuple(sorted(nodes)), tuple(sorted(addresses)))]
