# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPPools: what is filled in, and what Calico's client refuses (libcalico-go/lib/clientv3/ippool.go, lib/validator/v3)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from .rules import Lister, Object, Problem, Rules, cannot_delete, invalid

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CIDR, _BLOCK_SIZE, _USES = "IPPool.Spec.CIDR", "IPPool.Spec.BlockSize", "IPPool.Spec.AllowedUses"
_NEVER, _LOAD_BALANCER = "Never", "LoadBalancer"
_MODES = ("", _NEVER, "Always", "CrossSubnet")
_DEFAULT_SIZE = {4: 26, 6: 122}
_SIZES = {4: (20, 32), 6: (116, 128)}
_LINK_LOCAL = {4: ipaddress.ip_network("169.254.0.0/16"), 6: ipaddress.ip_network("fe80::/10")}
_DEFAULTS: Mapping[str, Any] = {
    "allowedUses": ["Workload", "Tunnel"],
    "assignmentMode": "Automatic",
    "ipipMode": _NEVER,
    "nodeSelector": "all()",
    "vxlanMode": _NEVER,
}


class IpPools(Rules):
    """Read pools are completed too; what is read is what is used."""

    def show(self, obj: Object) -> None:
        self.complete(obj)

    def complete(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        network = _network(spec.get("cidr"))
        for field, value in _DEFAULTS.items():
            if not spec.get(field):
                spec[field] = list(value) if isinstance(value, list) else value
        if network is not None and not spec.get("blockSize"):
            spec["blockSize"] = _DEFAULT_SIZE[network.version]

    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        spec, name = obj["spec"], obj["metadata"]["name"]
        cidr = spec.get("cidr")
        network = _network(cidr)
        if network is None:
            yield Problem(_CIDR, cidr or None, "IPPool CIDR must be a valid subnet" if cidr else "IPPool CIDR must be specified")
            return
        found = [*_changes(spec, before["spec"] if before else None), *_sizes(spec, network)]
        if before is None:
            found += _overlaps(name, spec, network, objects("ippools"))
        found += _encapsulation(spec, network)
        if ipaddress.ip_interface(cidr).ip != network.network_address:
            found.append(Problem(_CIDR, str(network), "IPPool CIDR is not strictly masked"))
        if network.overlaps(_LINK_LOCAL[network.version]):
            why = f"IPPool CIDR overlaps with IPv{network.version} Link Local range {_LINK_LOCAL[network.version]}"
            found.append(Problem(_CIDR, str(network), why))
        found = found or list(_fields(spec))
        yield from found
        if before is None and not found:
            yield from _other_blocks(spec, network, objects("blockaffinities"))

    def check_deletion(self, obj: Mapping[str, Any], objects: Lister) -> None:
        """A pool is disabled before it is deleted, which is a write like others."""
        problems = list(self.check(obj, obj, objects))
        if problems:
            raise cannot_delete(problems)


def network_of(pool: Mapping[str, Any]) -> str:
    """The pool's network as it is written. Raises `ApiError` where it has none."""
    network = _network(pool["spec"].get("cidr"))
    if network is None:
        raise invalid(pool["metadata"]["name"], [Problem(_CIDR, pool["spec"].get("cidr"), "IPPool CIDR must be a valid subnet")])
    return str(network)


def _network(cidr: Any) -> Network | None:
    if not isinstance(cidr, str) or "/" not in cidr:
        return None
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def _changes(spec: Mapping[str, Any], before: Mapping[str, Any] | None) -> Iterator[Problem]:
    """What cannot be changed."""
    if before is None:
        return
    network = _network(spec["cidr"])
    if before.get("cidr") != str(network):
        yield Problem(_CIDR, str(network), "IPPool CIDR cannot be modified")
    if _LOAD_BALANCER in before["allowedUses"] and any(use != _LOAD_BALANCER for use in spec["allowedUses"]):
        why = "IPPool allowed use cannot be changed from LoadBalacer to Workload or Tunnel"
        yield Problem(_USES, spec["allowedUses"], why)
    if before["blockSize"] != spec["blockSize"]:
        yield Problem(_BLOCK_SIZE, spec["blockSize"], "IPPool BlockSize cannot be modified")


def _sizes(spec: Mapping[str, Any], network: Network) -> Iterator[Problem]:
    least, most = _SIZES[network.version]
    if not least <= spec["blockSize"] <= most:
        yield Problem(_BLOCK_SIZE, spec["blockSize"], f"IPv{network.version} block size must be between {least} and {most}")
    if not spec.get("disabled") and network.prefixlen > spec["blockSize"]:
        why = "IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block size."
        yield Problem(_CIDR, str(network), why)


def _overlaps(name: str, spec: Mapping[str, Any], network: Network, pools: Any) -> Iterator[Problem]:
    for pool in pools:
        other, its_name = _network(pool["spec"].get("cidr")), pool["metadata"]["name"]
        if its_name != name and other is not None and other.version == network.version and other.overlaps(network):
            why = f"IPPool({name}) CIDR overlaps with IPPool({its_name}) CIDR {pool['spec']['cidr']}"
            yield Problem(_CIDR, str(network), why)


def _encapsulation(spec: Mapping[str, Any], network: Network) -> Iterator[Problem]:
    if _NEVER not in (spec["vxlanMode"], spec["ipipMode"]):
        yield Problem("IPPool.Spec.VXLANMode", spec["vxlanMode"], "Cannot enable both VXLAN and IPIP on the same IPPool")
    if network.version == 6 and spec["ipipMode"] != _NEVER:
        yield Problem("IPPool.Spec.IPIPMode", spec["ipipMode"], "IPIP is not supported on an IPv6 IP pool")


def _fields(spec: Mapping[str, Any]) -> Iterator[Problem]:
    """Words that are none of those a field may have."""
    for field, name, tag, allowed in (
        ("vxlanMode", "VXLANMode", "vxlanMode", _MODES),
        ("ipipMode", "IPIPMode", "ipIpMode", _MODES),
        ("assignmentMode", "AssignmentMode", "assignmentMode", ("Automatic", "Manual")),
    ):
        if spec[field] not in allowed:
            yield Problem(name, spec[field], f"Reason: failed to validate Field: {name} because of Tag: {tag} ")
    if _LOAD_BALANCER in spec["allowedUses"] and {spec["vxlanMode"], spec["ipipMode"]} != {_NEVER}:
        why = "Neither IPIPMode nor VXLANMode can be enabled on AllowedUses LoadBalancer IP pool"
        yield Problem("IPpool.IPIPMode", spec["ipipMode"], why)


def _other_blocks(spec: Mapping[str, Any], network: Network, affinities: Any) -> Iterator[Problem]:
    """Blocks that another pool of another block size has left there."""
    for affinity in affinities:
        block = _network(affinity["spec"].get("cidr"))
        if block and block.version == network.version and block.prefixlen != spec["blockSize"] and block.overlaps(network):
            why = "IPPool blocksSize conflicts with existing allocations that use a different blockSize"
            yield Problem(_BLOCK_SIZE, spec["blockSize"], why)
            return
