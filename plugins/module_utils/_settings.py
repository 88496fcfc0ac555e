# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's configuration objects → Settings (private, pure).

The object named ``default`` is the cluster's; those named ``node.<name>`` are overrides of one node and are not read.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional, Sequence

from ansible_collections.podnet.calico.plugins.module_utils._model import Settings

Objects = Mapping[str, Sequence[Dict[str, Any]]]


def settings(objects: Objects, kubeadm: Optional[str] = None) -> Settings:
    """``objects``: raw items by plural (bgpconfigurations, bgppeers, felixconfigurations, ipamconfigs, installations).

    ``kubeadm`` is the text of ClusterConfiguration in ConfigMap kube-system/kubeadm-config: the service range is known
    there and nowhere else in the API of Kubernetes before 1.33.
    """
    bgp, felix, ipam = (
        _default(objects, plural) for plural in ("bgpconfigurations", "felixconfigurations", "ipamconfigs")
    )
    installation = _installation(objects)
    network = installation.get("calicoNetwork") or {}
    cni = installation.get("cni") or {}
    mesh = bgp.get("nodeToNodeMeshEnabled")
    route_source = felix.get("routeSource") or "CalicoIPAM"
    return Settings(
        bgp_enabled=None if network.get("bgp") is None else network["bgp"] == "Enabled",
        mesh_enabled=True if mesh is None else bool(mesh),
        bgp_peers=tuple(sorted(item["metadata"]["name"] for item in objects.get("bgppeers") or ())),
        as_number=str(bgp.get("asNumber") or "64512"),
        linux_dataplane=network.get("linuxDataplane"),
        bpf_enabled=bool(felix.get("bpfEnabled")),
        route_source=route_source,
        route_sync_disabled=bool(felix.get("routeSyncDisabled")),
        wireguard_enabled=bool(felix.get("wireguardEnabled")),
        program_cluster_routes=felix.get("programClusterRoutes"),
        bgp_program_cluster_routes=bgp.get("programClusterRoutes"),
        device_route_protocol=felix.get("deviceRouteProtocol"),
        interface_prefix=(felix.get("interfacePrefix") or "cali").partition(",")[0],
        mtu=_status(objects).get("mtu"),
        ipam_type=(cni.get("ipam") or {}).get("type"),
        cni_type=cni.get("type"),
        strict_affinity=ipam.get("strictAffinity"),
        max_blocks_per_host=ipam.get("maxBlocksPerHost"),
        service_cidr=_service_cidr(kubeadm),
        nftables_mode=felix.get("nftablesMode"),
    )


def calico_version(objects: Objects) -> Optional[str]:
    """What calico-node wrote to ClusterInformation: the version that runs, not the one that was asked for."""
    return _default(objects, "clusterinformations").get("calicoVersion")


def cluster_id(objects: Objects) -> Optional[str]:
    """The GUID that Calico gave the cluster."""
    return _default(objects, "clusterinformations").get("clusterGUID")


def _default(objects: Objects, plural: str) -> Dict[str, Any]:
    for item in objects.get(plural) or ():
        if item["metadata"]["name"] == "default":
            return item.get("spec") or {}
    return {}


def _installation(objects: Objects) -> Dict[str, Any]:
    """The Installation as the operator computed it, defaults filled in; else as it was written."""
    items: List[Dict[str, Any]] = list(objects.get("installations") or ())
    computed = _status(objects).get("computed")
    return computed or (items[0].get("spec") if items else None) or {}


def _status(objects: Objects) -> Dict[str, Any]:
    items = list(objects.get("installations") or ())
    return (items[0].get("status") if items else None) or {}


def _service_cidr(kubeadm: Optional[str]) -> Optional[str]:
    found = re.search(r"^\s*serviceSubnet:\s*[\"']?([0-9A-Fa-f.:/,]+)", kubeadm or "", re.MULTILINE)
    return found.group(1) if found else None
