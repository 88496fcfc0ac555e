# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Installation: its defaults, what is wrong with it, and the IP pools it asks for. Pure.

Source: calico-facts 7.1 and 7.2, and the Installation and IPPool of recording vxlancrosssubnet-operator.
"""

from __future__ import annotations

import copy
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Spec = dict[str, Any]

DEFAULT_POOL_CIDR, DEFAULT_POOL_NAME = "192.168.0.0/16", "default-ipv4-ippool"
#: Operator's words -> (ipipMode, vxlanMode) of the IPPool.
ENCAPSULATIONS = {
    "IPIPCrossSubnet": ("CrossSubnet", "Never"),
    "IPIP": ("Always", "Never"),
    "VXLAN": ("Never", "Always"),
    "VXLANCrossSubnet": ("Never", "CrossSubnet"),
    "None": ("Never", "Never"),
}
_POOL_DEFAULTS: Spec = {
    "allowedUses": ["Workload", "Tunnel"],
    "assignmentMode": "Automatic",
    "blockSize": 26,
    "disableBGPExport": False,
    "disableNewAllocations": False,
    "encapsulation": "IPIP",
    "natOutgoing": "Enabled",
    "nodeSelector": "all()",
}
_NETWORK_DEFAULTS: Spec = {
    "bgp": "Enabled",
    "hostPorts": "Enabled",
    "linuxDataplane": "Iptables",
    "linuxPolicySetupTimeoutSeconds": 0,
    "multiInterfaceMode": "None",
    "nodeAddressAutodetectionV4": {"firstFound": True},
    "windowsDataplane": "Disabled",
}
_DEFAULTS: Spec = {
    "cni": {"ipam": {"type": "Calico"}, "type": "Calico"},
    "controlPlaneReplicas": 2,
    "flexVolumePath": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
    "kubeletVolumePluginPath": "/var/lib/kubelet",
    "logging": {
        "cni": {"logFileMaxAgeDays": 30, "logFileMaxCount": 10, "logFileMaxSize": "100Mi", "logSeverity": "Info"}
    },
    "nodeUpdateStrategy": {"rollingUpdate": {"maxUnavailable": 1}, "type": "RollingUpdate"},
    "variant": "Calico",
}
MIN_BLOCK_SIZE, MAX_BLOCK_SIZE = 20, 32
MANAGED_BY = {"app.kubernetes.io/managed-by": "tigera-operator"}


def with_defaults(spec: Mapping[str, Any], pod_subnet: str = "") -> Spec:
    """The spec as the operator completes it. ``pod_subnet`` is kubeadm's; no ipPools at all means one pool of it."""
    filled = {**copy.deepcopy(_DEFAULTS), **copy.deepcopy(dict(spec))}
    network = filled["calicoNetwork"] = {**copy.deepcopy(_NETWORK_DEFAULTS), **(filled.get("calicoNetwork") or {})}
    if "ipPools" not in network:
        network["ipPools"] = [{"cidr": pod_subnet or DEFAULT_POOL_CIDR}]
    pools = []
    for number, pool in enumerate(network["ipPools"]):
        named = {"name": DEFAULT_POOL_NAME if number == 0 else _pool_name(pool.get("cidr", ""))}
        pools.append({**copy.deepcopy(_POOL_DEFAULTS), **named, **pool})
    network["ipPools"] = pools
    return filled


def problems(spec: Mapping[str, Any], node_subnet: str, no_ipip: str = "") -> list[str]:
    """Why the completed spec cannot be installed, one sentence each; empty when it can. ``no_ipip``: why no pool can have IPIP."""
    network = spec["calicoNetwork"]
    found = [problem for pool in network["ipPools"] for problem in _pool_problems(pool, network, node_subnet, no_ipip)]
    found += _overlaps(network["ipPools"])
    if network["linuxDataplane"] not in ("Iptables", "Nftables"):
        found.append(f"linuxDataplane {network['linuxDataplane']} is not modelled by the sandbox; use Iptables")
    return found


def ip_pools(spec: Mapping[str, Any]) -> Iterator[Spec]:
    """The IPPool.spec of every pool, as ``{name: …, spec: …}``; fields that are false are left out (FINDINGS A11)."""
    for pool in spec["calicoNetwork"]["ipPools"]:
        ipip, vxlan = ENCAPSULATIONS[pool["encapsulation"]]
        wanted: Spec = {
            "allowedUses": list(pool["allowedUses"]),
            "assignmentMode": pool["assignmentMode"],
            "blockSize": pool["blockSize"],
            "cidr": pool["cidr"],
            "ipipMode": ipip,
            "nodeSelector": pool["nodeSelector"],
            "vxlanMode": vxlan,
        }
        if pool["natOutgoing"] == "Enabled":
            wanted["natOutgoing"] = True
        if pool["disableBGPExport"]:
            wanted["disableBGPExport"] = True
        if pool["disableNewAllocations"]:
            wanted["disabled"] = True
        yield {"name": pool["name"], "spec": wanted}


def pool_metadata(name: str, created: str) -> Spec:
    """metadata of an operator's IPPool: the label is in the annotation only (FINDINGS A11)."""
    kept = {"generation": 1, "creationTimestamp": created, "labels": MANAGED_BY}
    return {"name": name, "annotations": {"projectcalico.org/metadata": json.dumps(kept, separators=(",", ":"))}}


def is_managed(pool: Mapping[str, Any]) -> bool:
    """Whether the operator made the IPPool."""
    text = (pool["metadata"].get("annotations") or {}).get("projectcalico.org/metadata") or "{}"
    return (json.loads(text).get("labels") or {}).get("app.kubernetes.io/managed-by") == "tigera-operator"


def _pool_name(cidr: str) -> str:
    return cidr.replace(".", "-").replace("/", "-") + "-ippool"


def _pool_problems(pool: Mapping[str, Any], network: Mapping[str, Any], node_subnet: str, no_ipip: str) -> Iterator[str]:
    where = f"ipPool {pool.get('name')} ({pool.get('cidr')})"
    try:
        cidr = ipaddress.IPv4Network(pool.get("cidr"))
    except (ValueError, TypeError) as error:
        yield f"{where}: cidr is not an IPv4 network: {error}"
        return
    encapsulation = pool["encapsulation"]
    if encapsulation not in ENCAPSULATIONS:
        yield f"{where}: {encapsulation} is invalid for ipPool.encapsulation, should be one of {', '.join(ENCAPSULATIONS)}"
    elif encapsulation.startswith("IPIP") and no_ipip:
        yield f"{where}: encapsulation {encapsulation} is not to be had in this sandbox: {no_ipip}; or use VXLAN, VXLANCrossSubnet or None"
    elif encapsulation == "None" and network["bgp"] != "Enabled":
        yield f"{where}: encapsulation None requires calicoNetwork.bgp Enabled: without BGP nobody carries its routes"
    if not MIN_BLOCK_SIZE <= pool["blockSize"] <= MAX_BLOCK_SIZE or pool["blockSize"] < cidr.prefixlen:
        yield f"{where}: blockSize {pool['blockSize']} must be from {MIN_BLOCK_SIZE} to {MAX_BLOCK_SIZE} and not larger than the pool"
    if cidr.overlaps(ipaddress.IPv4Network(node_subnet)):
        yield f"{where}: overlaps the node network {node_subnet}"


def _overlaps(pools: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    networks = []
    for pool in pools:
        try:
            network = ipaddress.IPv4Network(pool.get("cidr"))
        except (ValueError, TypeError):
            continue
        for name, other in networks:
            if network.overlaps(other):
                yield f"ipPool {pool['name']} ({network}) overlaps ipPool {name} ({other})"
        networks.append((pool["name"], network))
