# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""API objects → model (private, pure). Only the fields that the snapshot's schema lists survive.

Understands crd.projectcalico.org/v1 and projectcalico.org/v3. Objects are other people's: a missing or null field is its
default, and what cannot be an object of its kind raises ValueError.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Dict, List, Mapping, Optional, Tuple

from ansible_collections.podnet.calico.plugins.module_utils._model import (
    Affinity,
    Allocation,
    Block,
    Handle,
    Node,
    Pod,
    Pool,
    Workload,
)

CALICO_NODE_LABEL, CALICO_NODE_CONTAINER = "calico-node", "calico-node"
_NODE, _CNI = "projectcalico.org/", "cni.projectcalico.org/"
_ROLE_LABEL = "node-role.kubernetes.io/"
CONTROL_PLANE, WORKER = "control-plane", "worker"


def _part(source: Dict[str, Any], *path: str) -> Dict[str, Any]:
    """The mapping at ``path``, empty when anything on the way is absent or null."""
    for key in path:
        source = source.get(key) or {}
    return source


def node(item: Dict[str, Any]) -> Node:
    """A core/v1 Node with what Calico keeps in its annotations (Calico has no Node resource of its own)."""
    metadata, status = _part(item, "metadata"), _part(item, "status")
    annotations = _part(metadata, "annotations")
    labels = dict(_part(metadata, "labels"))
    ready, reason = _ready(status)
    addresses = [a.get("address") for a in status.get("addresses") or () if a.get("type") == "InternalIP"]
    v4 = [address for address in addresses if address and ":" not in address]
    return Node(
        name=metadata["name"],
        internal_ip=(v4 or addresses or [None])[0],
        ready=ready,
        not_ready_reason=reason,
        os=labels.get("kubernetes.io/os") or _part(status, "nodeInfo").get("operatingSystem") or "linux",
        labels=labels,
        calico_address=annotations.get(_NODE + "IPv4Address"),
        vxlan_tunnel_address=annotations.get(_NODE + "IPv4VXLANTunnelAddr"),
        vxlan_tunnel_mac=annotations.get(_NODE + "VXLANTunnelMACAddr"),
        ipip_tunnel_address=annotations.get(_NODE + "IPv4IPIPTunnelAddr"),
        wireguard_address=annotations.get(_NODE + "IPv4WireguardInterfaceAddr"),
        as_number=annotations.get(_NODE + "ASNumber"),
        route_reflector_cluster_id=annotations.get(_NODE + "RouteReflectorClusterID"),
        kubelet_version=_part(status, "nodeInfo").get("kubeletVersion"),
    )


def _ready(status: Dict[str, Any]) -> Tuple[bool, Optional[str]]:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            if condition.get("status") == "True":
                return True, None
            # Unknown: the kubelet no longer reports, so nothing can be run there either.
            state = "Unknown " if condition.get("status") == "Unknown" else ""
            return False, "%s%s: %s" % (state, condition.get("reason") or "NotReady", condition.get("message") or "")
    return False, "no Ready condition"


def node_roles(labels: Mapping[str, str]) -> List[str]:
    """The roles that labels give a node, as kubectl shows them; ``worker`` where they give none, ``master`` by its later name."""
    named = {label[len(_ROLE_LABEL) :] for label in labels if label.startswith(_ROLE_LABEL)}
    return sorted({CONTROL_PLANE if name == "master" else name for name in named} - {""}) or [WORKER]


def pod(item: Dict[str, Any]) -> Pod:
    """A core/v1 Pod. ``container`` is where kubectl exec would go: the annotated default, else the first."""
    metadata, spec, status = _part(item, "metadata"), _part(item, "spec"), _part(item, "status")
    annotations = _part(metadata, "annotations")
    addresses = tuple(entry["ip"] for entry in status.get("podIPs") or () if entry.get("ip"))
    owners = [o for o in metadata.get("ownerReferences") or () if o.get("controller")]
    containers = [c["name"] for c in spec.get("containers") or ()]
    return Pod(
        namespace=metadata["namespace"],
        name=metadata["name"],
        node=spec.get("nodeName") or None,
        phase=status.get("phase") or "Unknown",
        address=status.get("podIP") or None,
        addresses=addresses or ((status["podIP"],) if status.get("podIP") else ()),
        host_network=bool(spec.get("hostNetwork")),
        ready=any(c.get("type") == "Ready" and c.get("status") == "True" for c in status.get("conditions") or ()),
        terminating=bool(metadata.get("deletionTimestamp")),
        owner="%s/%s" % (owners[0]["kind"], owners[0]["name"]) if owners else None,
        labels=dict(_part(metadata, "labels")),
        calico_address=(annotations.get(_CNI + "podIP") or "").partition("/")[0] or None,
        container_id=annotations.get(_CNI + "containerID"),
        container=annotations.get("kubectl.kubernetes.io/default-container") or (containers or [None])[0],
        pools=_names(annotations.get(_CNI + "ipv4pools")),
    )


def _names(text: Any) -> Tuple[str, ...]:
    """A JSON list of strings in an annotation, which anybody may have written; nothing where it is none."""
    try:
        found = json.loads(text or "[]")
    except (TypeError, ValueError):
        return ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def is_calico_node(candidate: Pod) -> bool:
    """Whether the pod is a running calico-node: the door to its node's own network namespace."""
    return (
        candidate.labels.get("k8s-app") == CALICO_NODE_LABEL
        and candidate.host_network
        and candidate.node is not None
        and candidate.phase == "Running"
    )


def daemonset(item: Dict[str, Any]) -> Workload:
    """A DaemonSet as its status counts."""
    status = _part(item, "status")
    return _workload(
        item, "DaemonSet", status.get("desiredNumberScheduled"), status.get("numberReady"), "updatedNumberScheduled"
    )


def deployment(item: Dict[str, Any]) -> Workload:
    """A Deployment; replicas default to 1."""
    replicas = _part(item, "spec").get("replicas")
    ready = _part(item, "status").get("readyReplicas")
    return _workload(item, "Deployment", 1 if replicas is None else replicas, ready, "updatedReplicas")


def _workload(item: Dict[str, Any], kind: str, desired: Any, ready: Any, updated_field: str) -> Workload:
    metadata, status = _part(item, "metadata"), _part(item, "status")
    return Workload(
        kind=kind,
        namespace=metadata["namespace"],
        name=metadata["name"],
        desired=int(desired or 0),
        ready=int(ready or 0),
        updated=int(status.get(updated_field) or 0),
        observed=int(status.get("observedGeneration") or 0) >= int(metadata.get("generation") or 0),
    )


def pool(item: Dict[str, Any]) -> Pool:
    """An IPPool of either group. Fields that are false or default are simply absent in both."""
    spec = _part(item, "spec")
    family = ipaddress.ip_network(spec["cidr"], strict=False).version
    size = spec.get("blockSize") or (122 if family == 6 else 26)
    return Pool(
        name=_part(item, "metadata")["name"],
        cidr=spec["cidr"],
        block_size=int(size),
        vxlan_mode=spec.get("vxlanMode") or "Never",
        ipip_mode=spec.get("ipipMode") or "Never",
        nat_outgoing=bool(spec.get("natOutgoing")),
        disabled=bool(spec.get("disabled")),
        disable_bgp_export=bool(spec.get("disableBGPExport")),
        node_selector=spec.get("nodeSelector") or "all()",
        allowed_uses=tuple(spec.get("allowedUses") or ("Workload", "Tunnel")),
        assignment_mode=spec.get("assignmentMode") or "Automatic",
    )


def block(item: Dict[str, Any]) -> Block:
    """An IPAMBlock: ``allocations[i]`` is the index into ``attributes`` for the i-th address of the block, or null.

    An attribute that a block refers to and does not have yields an allocation without a holder.
    """
    spec = _part(item, "spec")
    base = ipaddress.ip_network(spec["cidr"], strict=False).network_address
    attributes = spec.get("attributes") or []
    allocations = []
    for ordinal, index in enumerate(spec.get("allocations") or ()):
        if index is not None:
            attribute = attributes[index] if 0 <= index < len(attributes) else {}
            allocations.append(_allocation(str(base + ordinal), attribute))
    return Block(
        cidr=spec["cidr"],
        affinity=spec.get("affinity") or None,
        deleted=_truth(spec.get("deleted")),
        allocations=tuple(allocations),
    )


def _allocation(address: str, attribute: Dict[str, Any]) -> Allocation:
    secondary = _part(attribute, "secondary")
    return Allocation(
        address=address,
        handle=attribute.get("handle_id"),
        node=secondary.get("node"),
        namespace=secondary.get("namespace"),
        pod=secondary.get("pod"),
        use=secondary.get("type") or "",
    )


def affinity(item: Dict[str, Any]) -> Affinity:
    """A BlockAffinity. ``deleted`` is a string in crd.projectcalico.org/v1 and a bool in projectcalico.org/v3."""
    spec = _part(item, "spec")
    ipaddress.ip_network(spec["cidr"], strict=False)
    return Affinity(
        name=_part(item, "metadata")["name"],
        cidr=spec["cidr"],
        node=spec.get("node") or "",
        state=spec.get("state") or "confirmed",
        type=spec.get("type") or "host",
        deleted=_truth(spec.get("deleted")),
    )


def handle(item: Dict[str, Any]) -> Handle:
    """An IPAMHandle; its object name is the id in lower case, so the id is read from the spec."""
    spec = _part(item, "spec")
    return Handle(
        id=spec.get("handleID") or _part(item, "metadata")["name"],
        blocks={cidr: int(count) for cidr, count in _part(spec, "block").items()},
        deleted=_truth(spec.get("deleted")),
    )


def _truth(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")
