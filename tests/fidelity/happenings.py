# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to recorded clusters while somebody watched: the same is done to a sandbox, and before and after are held together."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bringing_up import calico_nodes, come_to_rest, condition, switch_encapsulation
from cluster import Cluster, Object, until
from scenario import RECORDINGS, owner

#: The machine that there is not, as somebody had written it (node-deleted/README of the recording): its name, address and block.
_GHOST, _GHOST_ADDRESS, _GHOST_BLOCK = "ghost-node", "172.18.0.9", "192.168.200.0/26"
_CRD = "crd.projectcalico.org/v1"
_OBJECTS = f"/apis/{_CRD}"

Outputs = dict[str, str]


@dataclass(frozen=True)
class Happening:
    """``act`` is done to the cluster of a scenario, after ``prepare``; ``name`` is the recording's path below `RECORDINGS`.

    ``silent``: peers that no machine answers for.
    """

    name: str
    act: Callable[[Cluster], None]
    prepare: Callable[[Cluster], None] = lambda cluster: None
    silent: tuple[str, ...] = ()

    @property
    def recorded(self) -> Outputs:
        """File → content."""
        return {path.name: path.read_text(encoding="utf-8") for path in sorted((RECORDINGS / self.name).rglob("*.txt"))}


def watched(cluster: Cluster, happening: Happening) -> Outputs:
    """Do it, and say in the recording's forms what was before and after."""
    happening.prepare(cluster)
    come_to_rest(cluster, happening.silent)
    before = {"before-nodes.txt": _nodes(cluster)}
    tables, objects = _tables(cluster, "before"), _objects(cluster)
    happening.act(cluster)
    come_to_rest(cluster, happening.silent)
    after = {"after-nodes.txt": _nodes(cluster)}
    return before | after | {"timeline.txt": tables + _tables(cluster, "changed"), "objects-timeline.txt": objects + _objects(cluster)}


def _tables(cluster: Cluster, when: str) -> str:
    """As `timeline.txt`."""
    shown = ((node, cluster.run("calico-system", pod, "ip route")) for node, pod in calico_nodes(cluster).items())
    return "".join(f"## 0 (+0.0s) {when} ip route on {node}\n{text}\n" for node, text in shown)


def _nodes(cluster: Cluster) -> str:
    """As `before-nodes.txt`."""
    asked = f"ip neigh | grep vxlan; birdcl show protocols; birdcl show route {_GHOST_BLOCK} all"
    shown = ((node, cluster.run("calico-system", pod, asked)) for node, pod in calico_nodes(cluster).items())
    return "".join(f"## {node}: {asked}\n{text}" for node, text in shown)


def _objects(cluster: Cluster) -> str:
    """As one look of `objects-timeline.txt`."""
    nodes = [(node["metadata"]["name"], node["metadata"].get("annotations") or {}) for node in cluster.get("/api/v1/nodes")["items"]]
    said = ";".join(f"{name} {annotations.get('projectcalico.org/IPv4Address', '<none>')} -" for name, annotations in nodes)
    blocks = [[item["spec"]["cidr"], item["spec"].get("affinity"), 0] for item in cluster.get(f"{_OBJECTS}/ipamblocks")["items"]]
    affinities = [[item["metadata"]["name"], item["spec"]["state"]] for item in cluster.get(f"{_OBJECTS}/blockaffinities")["items"]]
    return f"## 0 nodes: {said};\nblocks: {json.dumps(blocks)}\naffinities: {json.dumps(affinities)}\n"


def _delete_a_pod(cluster: Cluster) -> None:
    pods = cluster.get("/api/v1/namespaces/default/pods")["items"]
    on = ("multitool-1", "pod-routing-worker2")
    pod = next(pod["metadata"]["name"] for pod in pods if ((owner(pod) or {}).get("name"), pod["spec"]["nodeName"]) == on)
    cluster.kubectl("delete", "pod", pod)
    _all_ready(cluster)


def _create_a_pod(cluster: Cluster) -> None:
    place = json.dumps({"spec": {"nodeName": "pod-routing-worker"}})
    cluster.kubectl("run", "twin", "--image=wbitt/network-multitool:latest", "--image-pull-policy=IfNotPresent", f"--overrides={place}")
    _all_ready(cluster)


def _delete_a_living_node(cluster: Cluster) -> None:
    """And have it registered again: the recorded kubelet did so by itself, a real one does when it starts."""
    path, name = "/api/v1/nodes/pod-routing-worker", "pod-routing-worker"
    labels = cluster.get(path)["metadata"]["labels"]
    cluster.kubectl("delete", "node", name)
    cluster.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    until(lambda: _has_address(cluster.get(path)), f"calico-node has written the addresses of {name}")
    _all_ready(cluster)


def _has_address(node: Object) -> bool:
    return "projectcalico.org/IPv4VXLANTunnelAddr" in (node["metadata"].get("annotations") or {})


def _all_ready(cluster: Cluster) -> None:
    def ready() -> bool:
        """Every DaemonSet has its pods; none is starting or ending."""
        sets = [item["status"] for item in cluster.get("/apis/apps/v1/daemonsets")["items"]]
        pods = cluster.get("/api/v1/pods")["items"]
        whole = all(each.get("numberReady", 0) == each["desiredNumberScheduled"] > 0 for each in sets)
        return whole and all(condition(pod, "Ready") and "deletionTimestamp" not in pod["metadata"] for pod in pods)

    until(ready, "all pods are ready")


def _make_a_ghost(cluster: Cluster) -> None:
    for obj in _ghost():
        cluster.create(obj)


def _ghost() -> Iterator[Object]:
    """A Node without a machine, its block with a tunnel's and a pod's address, and their handles."""
    tunnel, pod = f"vxlan-tunnel-addr-{_GHOST}", "k8s-pod-network.ghost"
    annotations = {"projectcalico.org/IPv4Address": f"{_GHOST_ADDRESS}/16", "projectcalico.org/IPv4VXLANTunnelAddr": "192.168.200.0"}
    yield {"apiVersion": "v1", "kind": "Node", "metadata": {"name": _GHOST, "annotations": annotations}}
    affinity = {"cidr": _GHOST_BLOCK, "node": _GHOST, "state": "confirmed", "deleted": "false"}
    yield {"apiVersion": _CRD, "kind": "BlockAffinity", "metadata": {"name": f"{_GHOST}-192-168-200-0-26"}, "spec": affinity}
    attributes = [
        {"handle_id": tunnel, "secondary": {"node": _GHOST, "type": "vxlanTunnelAddress"}},
        {"handle_id": pod, "secondary": {"node": _GHOST, "namespace": "default", "pod": "ghost-pod"}},
    ]
    block = {
        "cidr": _GHOST_BLOCK, "affinity": f"host:{_GHOST}", "strictAffinity": False, "deleted": False, "attributes": attributes,
        "allocations": [0, 1, *[None] * 62], "unallocated": list(range(2, 64)),
    }  # fmt: skip
    yield {"apiVersion": _CRD, "kind": "IPAMBlock", "metadata": {"name": "192-168-200-0-26"}, "spec": block}
    for handle in (tunnel, pod):
        spec = {"handleID": handle, "block": {_GHOST_BLOCK: 1}, "deleted": False}
        yield {"apiVersion": _CRD, "kind": "IPAMHandle", "metadata": {"name": handle}, "spec": spec}


def _delete_the_ghost(cluster: Cluster) -> None:
    cluster.kubectl("delete", "node", _GHOST, "--wait=false")
    until(lambda: cluster.get(f"{_OBJECTS}/ipamblocks/192-168-200-0-26") is None, f"the block of {_GHOST} is released")


def _switch(encapsulation: str) -> Callable[[Cluster], None]:
    return lambda cluster: switch_encapsulation(cluster, encapsulation)


_PEER = f"Mesh_{_GHOST_ADDRESS.replace('.', '_')} "
#: Scenario → what was done to its cluster, one after the other.
HAPPENINGS = {
    "calico-v3.30.7/vxlancrosssubnet-operator": (
        Happening("calico-v3.30.7/pod-deleted/transition", _delete_a_pod),
        Happening("calico-v3.30.7/none-operator/transition", _switch("None")),
        Happening("calico-v3.30.7/vxlancrosssubnet-operator/transition-from-none", _switch("VXLANCrossSubnet")),
        Happening("calico-v3.30.7/node-object-deleted-and-registered-again", _delete_a_living_node),
        Happening("calico-v3.30.7/node-deleted", _delete_the_ghost, _make_a_ghost, (_PEER,)),
    ),
    "calico-v3.30.7/vxlancrosssubnet": (Happening("calico-v3.30.7/none/transition-from-vxlancrosssubnet", _switch("None")),),
    "calico-v3.30.7/borrowed-none": (Happening("calico-v3.30.7/vxlan/transition-from-none", _switch("VXLAN")),),
    "calico-v3.32.1/vxlancrosssubnet": (
        Happening("calico-v3.32.1/vxlancrosssubnet/pod-created", _create_a_pod),
        Happening("calico-v3.32.1/none/transition-from-vxlancrosssubnet", _switch("None")),
    ),
}
