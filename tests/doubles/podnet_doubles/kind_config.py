# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""kind's cluster configuration, v1alpha4: read, completed, checked.

Facts (kind source, v0.31.0: pkg/apis/config/v1alpha4, pkg/internal/apis/config): the fields below; the kind command reads them
strictly, containerlab's library call does not (containerlab source, v0.79: nodes/k8s_kind); defaults; the checks and their words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from podnet_doubles import strict_yaml
from podnet_doubles.errors import ToolError
from podnet_doubles.releases import default_image

_STRUCTS: strict_yaml.Structs = {
    "typeMeta": {"kind": "string", "apiVersion": "string"},
    "Cluster": {
        "kind": "string",
        "apiVersion": "string",
        "name": "string",
        "nodes": ["Node"],
        "networking": "Networking",
        "featureGates": {"of": "bool"},
        "runtimeConfig": {"of": "string"},
        "kubeadmConfigPatches": ["string"],
        "kubeadmConfigPatchesJSON6902": ["PatchJSON6902"],
        "containerdConfigPatches": ["string"],
        "containerdConfigPatchesJSON6902": ["string"],
    },
    "Node": {
        "role": "string",
        "image": "string",
        "labels": {"of": "string"},
        "extraMounts": ["Mount"],
        "extraPortMappings": ["PortMapping"],
        "kubeadmConfigPatches": ["string"],
        "kubeadmConfigPatchesJSON6902": ["PatchJSON6902"],
    },
    "Networking": {
        "ipFamily": "string",
        "apiServerPort": "int",
        "apiServerAddress": "string",
        "podSubnet": "string",
        "serviceSubnet": "string",
        "disableDefaultCNI": "bool",
        "kubeProxyMode": "string",
        "dnsSearch": ["string"],
    },
    "PatchJSON6902": {"group": "string", "version": "string", "kind": "string", "patch": "string"},
    "Mount": {
        "containerPath": "string",
        "hostPath": "string",
        "readOnly": "bool",
        "selinuxRelabel": "bool",
        "propagation": "string",
    },
    "PortMapping": {"containerPort": "int", "hostPort": "int", "listenAddress": "string", "protocol": "string"},
}
_SUBNETS = {
    "ipv4": ("127.0.0.1", "10.244.0.0/16", "10.96.0.0/16"),
    "ipv6": ("::1", "fd00:10:244::/56", "fd00:10:96::/112"),
    "dual": ("127.0.0.1", "10.244.0.0/16,fd00:10:244::/56", "10.96.0.0/16,fd00:10:96::/112"),
}
_NAME = "^[a-z0-9.-]+$"


def read_strictly(text: str) -> dict[str, Any]:
    """As the kind command reads a file. Raises `ToolError`."""
    try:
        head = strict_yaml.load(text, "typeMeta", _STRUCTS, package="encoding", strict=False)
    except ToolError as error:
        raise ToolError(f"could not determine kind / apiVersion for config: {error}") from error
    version = head.get("apiVersion") or ""
    if version != "kind.x-k8s.io/v1alpha4":
        raise ToolError(f"unknown apiVersion: {version}")
    if head.get("kind") != "Cluster":
        raise ToolError(f"unknown kind {head.get('kind') or ''} for apiVersion: {version}")
    try:
        return strict_yaml.load(text, "Cluster", _STRUCTS, package="v1alpha4")
    except ToolError as error:
        raise ToolError(f"unable to decode config: {error}") from error


def read_leniently(text: str) -> dict[str, Any]:
    """As containerlab reads a startup-config: unknown fields are passed over without a word. Raises `ToolError`.

    A wrong type is refused by both; containerlab's words for it are others (it goes by way of JSON).
    """
    return strict_yaml.load(text, "Cluster", _STRUCTS, package="v1alpha4", strict=False)


def complete(config: dict[str, Any], *, name: str, image: str, kind_release: str) -> dict[str, Any]:
    """The configuration with everything in it: ``name`` and ``image`` win where they are given."""
    nodes = [dict(node or {}) for node in config.get("nodes") or [{}]]
    for node in nodes:
        node["image"] = image or node.get("image") or default_image(kind_release)
        node["role"] = node.get("role") or "control-plane"
    networking = dict(config.get("networking") or {})
    networking.setdefault("ipFamily", "ipv4")
    address, pods, services = _SUBNETS.get(networking["ipFamily"], _SUBNETS["ipv4"])
    for field, value in (("apiServerAddress", address), ("podSubnet", pods), ("serviceSubnet", services)):
        networking[field] = networking.get(field) or value
    networking["apiServerPort"] = networking.get("apiServerPort") or 0
    networking["kubeProxyMode"] = networking.get("kubeProxyMode") or "iptables"
    return {**config, "name": name or config.get("name") or "kind", "nodes": nodes, "networking": networking}


def check(config: dict[str, Any]) -> None:
    """Raises `ToolError` with everything that is wrong, as kind's Validate collects it."""
    faults = list(_faults(config))
    if faults:
        raise ToolError(aggregate(faults))


def aggregate(faults: list[str]) -> str:
    """Several errors as Kubernetes' NewAggregate prints them."""
    return faults[0] if len(faults) == 1 else f"[{', '.join(faults)}]"


def _faults(config: dict[str, Any]) -> Iterator[str]:
    networking, family = config["networking"], config["networking"]["ipFamily"]
    if not re.fullmatch(_NAME, config["name"]):
        yield f"'{config['name']}' is not a valid cluster name, cluster names must match `{_NAME}`"
    if not _is_port(networking["apiServerPort"]):
        yield f"invalid apiServerPort: invalid port number: {networking['apiServerPort']}"
    if family not in _SUBNETS:
        yield f"invalid ipFamily: {family}"
    for field, label in (("podSubnet", "pod"), ("serviceSubnet", "service")):
        fault = _subnet_fault(networking[field], family)
        if fault:
            yield f"invalid {label} subnet {fault}"
    if networking["kubeProxyMode"] not in ("iptables", "ipvs", "nftables", "none"):
        yield f"invalid kubeProxyMode: {networking['kubeProxyMode']}"
    for index, node in enumerate(config["nodes"]):
        found = list(_node_faults(node))
        if found:
            yield f"invalid configuration for node {index}: {aggregate(found)}"
    if not any(node["role"] == "control-plane" for node in config["nodes"]):
        yield "must have at least one control-plane node"


def _node_faults(node: dict[str, Any]) -> Iterator[str]:
    if node["role"] not in ("control-plane", "worker"):
        yield f'"{node["role"]}" is not a valid node role'
    for mapping in node.get("extraPortMappings") or []:
        for field in ("hostPort", "containerPort"):
            if not _is_port(mapping.get(field, 0)):
                yield f"invalid {field}: invalid port number: {mapping[field]}"


def _is_port(number: int) -> bool:
    return -1 <= number <= 65535


def _subnet_fault(text: str, family: str) -> str:
    subnets = []
    for part in text.split(","):
        try:
            if "/" not in part:
                raise ValueError
            subnets.append(ipaddress.ip_interface(part).network)
        except ValueError:
            return f'failed to parse cidr value:"{part}" with error: invalid CIDR address: {part}'
    versions = [subnet.version for subnet in subnets]
    if family == "dual":
        mixed = len(subnets) == 1 or sorted(versions) == [4, 6]
        return "" if mixed else "expected one (IPv4 or IPv6) CIDR or two CIDRs from each family for dual-stack networking"
    if len(subnets) > 1:
        return "only one CIDR allowed for single-stack networking"
    if family in ("ipv4", "ipv6") and versions[0] != int(family[-1]):
        return f"expected IPv{family[-1]} CIDR for IPv{family[-1]} family"
    return ""
