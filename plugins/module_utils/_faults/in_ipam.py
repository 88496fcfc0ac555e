# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Calico's IPAM objects: blocks, affinities, allocations, handles. Sources as in ``on_nodes``."""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any, Dict, List

from .._errors import PodnetError
from .entry import Change, Fault
from .objects import as_created, holder
from .scene import Scene, block_of, nothing_here, object_name

NOBODY = "podnet-fault-nobody"


def _block_path(scene: Scene, cidr: str) -> str:
    return "%s/ipamblocks/%s" % (scene.api, object_name(cidr))


def _handle_path(scene: Scene, handle: str) -> str:
    return "%s/ipamhandles/%s" % (scene.api, handle.lower())


def _raw(scene: Scene, path: str) -> Dict[str, Any]:
    item = scene.raw(path)
    if item is None:
        raise PodnetError(
            "There is no object at %s, which the fault is made in. Nothing was changed" % path, "Run again: it was there a moment ago."
        )
    return item


def _two_affinities(scene: Scene) -> List[Change]:
    block = scene.remote_block()
    true = next((one for one in scene.snapshot.affinities if one.cidr == block.cidr and one.node == block.owner and not one.deleted), None)
    if true is None:
        raise nothing_here("block %s has no affinity" % block.cidr)
    body = as_created(_raw(scene, "%s/blockaffinities/%s" % (scene.api, true.name)))
    name = "%s-%s" % (scene.node.name, object_name(block.cidr))
    body["metadata"] = {"name": name}
    body["spec"] = dict(body["spec"], node=scene.node.name, state="confirmed")
    return [Change("object", "%s/blockaffinities/%s" % (scene.api, name), "", body)]


def _foreign_owner(scene: Scene) -> List[Change]:
    return [Change("field", _block_path(scene, scene.remote_block().cidr), "affinity", "host:%s" % scene.node.name)]


def _held_by_nobody(scene: Scene) -> List[Change]:
    block = scene.own_block()
    path = _block_path(scene, block.cidr)
    spec = _raw(scene, path)["spec"]
    if not spec["unallocated"]:
        raise nothing_here("block %s has no free address" % block.cidr)
    # As the CNI plugin names it: the network and the container, which is 64 hex digits.
    handle = "k8s-pod-network." + hashlib.sha256(("%s %s" % (NOBODY, block.cidr)).encode()).hexdigest()
    secondary = {"namespace": "default", "node": scene.node.name, "pod": NOBODY}
    kinds = _raw(scene, path)
    body = {
        "apiVersion": kinds["apiVersion"],
        "kind": "IPAMHandle",
        "metadata": {"name": handle},
        "spec": {"block": {block.cidr: 1}, "deleted": False, "handleID": handle},
    }
    # The last of the queue: given back, it is in its old place.
    held = Change("held-address", path, str(spec["unallocated"][-1]), {"handle_id": handle, "secondary": secondary})
    return [held, Change("object", _handle_path(scene, handle), "", body)]


def _released(scene: Scene) -> List[Change]:
    block = block_of(scene, scene.pod.address or "")
    path = _block_path(scene, block.cidr)
    base = ipaddress.ip_network(block.cidr, strict=False).network_address
    ordinal = int(ipaddress.ip_address(scene.pod.address)) - int(base)
    held = holder(_raw(scene, path)["spec"], ordinal)
    if held is None:
        raise nothing_here("%s is not allocated in block %s" % (scene.pod.address, block.cidr))
    changes = [Change("held-address", path, str(ordinal), None)]
    if scene.raw(_handle_path(scene, held.get("handle_id") or "")) is not None:
        changes.append(Change("object", _handle_path(scene, held["handle_id"]), "", None))
    return changes


FAULTS = (
    Fault(
        "duplicate-affinity", "Two nodes claim one block",
        "Creates a second, confirmed BlockAffinity for another node's block, in this node's name.", "ipam.affinity",
        "No. VXLAN pools: the kernels' routes stay. Other pools: the third nodes get two next hops, this node a blackhole, within 0.3 s.",
        "measured on Calico v3.30.7: 100 s", _two_affinities,
    ),
    Fault(
        "block-affinity-foreign", "A block that names another node than its affinity",
        "Edits spec.affinity of another node's IPAMBlock to this node. VXLAN pools: the block's route moves on all nodes within a "
        "second, and its pods live on as borrowed addresses. Other pools: no route changes.", "ipam.affinity",
        "No.", "measured on Calico v3.30.7: 100 s", _foreign_owner,
    ),
    Fault(
        "allocation-without-pod", "An address is held for a pod that does not exist",
        "Allocates a free address of the node's block, and a handle, to the pod default/%s." % NOBODY, "ipam.allocation",
        "kube-controllers frees it after its grace period of 15 minutes.",
        "not measured; leakGracePeriod of KubeControllersConfiguration v3.30", _held_by_nobody,
    ),
    Fault(
        "pod-address-released", "A running pod's address is free in IPAM",
        "Releases the pod's address and its handle, as `calicoctl ipam release` would: the next pod may get the same address.",
        "pods.allocation", "No.", "not measured", _released, True,
    ),
)  # fmt: skip
