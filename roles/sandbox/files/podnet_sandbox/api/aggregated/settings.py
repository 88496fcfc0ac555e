# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration objects, BGP peers, IPAM's own objects: their defaults and what Calico's client refuses (libcalico-go/lib/clientv3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import plain_error
from .rules import Lister, Object, Problem, Rules

_ONLY_DEFAULT = "Cannot create a {} resource with a name other than \"default\""
_READ_ONLY = "Unable to {} block affinity. Block affinity resources are read-only."
#: Of BGPConfigurations, the one called default alone may say these: field, how Calico calls it, in the name and in the reason.
_OF_ALL_NODES = (
    ("nodeToNodeMeshEnabled", "NodeToNodeMeshEnabled", "nodeToNodeMeshEnabled"),
    ("asNumber", "ASNumber", "ASNumber"),
    ("serviceLoadBalancerIPs", "ServiceLoadBalancerIPs", "ServiceLoadBalancerIPs"),
    ("serviceExternalIPs", "ServiceExternalIPs", "ServiceExternalIPs"),
    ("serviceClusterIPs", "ServiceClusterIPs", "ServiceClusterIPs"),
    ("nodeMeshPassword", "NodeMeshPassword", "nodeMeshPassword"),
    ("nodeMeshMaxRestartTime", "NodeMeshMaxRestartTime", "nodeMeshMaxRestartTime"),
)


class Single(Rules):
    """A kind of which there is one object. ``called``: the kind in words."""

    def __init__(self, called: str) -> None:
        self._called = called

    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        if before is None and obj["metadata"]["name"] != "default":
            raise plain_error(_ONLY_DEFAULT.format(self._called))
        yield from ()


class IpamConfigurations(Single):
    """Until v3.32 the v3 object does not say whether blocks are made by themselves: they are. ``says``: whether it does."""

    def __init__(self, *, says: bool) -> None:
        super().__init__("IPAMConfiguration")
        self._says = says

    def keep(self, obj: Object) -> None:
        if not self._says:
            obj["spec"]["autoAllocateBlocks"] = True


class BlockAffinities(Rules):
    """IPAM's own: they are read here and not written. `deleted` is text in v1; the type is not told until v3.32."""

    def show(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        spec["deleted"] = spec.get("deleted") in (True, "true")

    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        raise plain_error(_READ_ONLY.format("create" if before is None else "update"))

    def check_deletion(self, obj: Mapping[str, Any], objects: Lister) -> None:
        raise plain_error(_READ_ONLY.format("delete"))


class KubeControllers(Single):
    def __init__(self) -> None:
        super().__init__("Kube Controllers Configuration")

    def complete(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        controllers = spec.get("controllers") or {}
        spec.setdefault("prometheusMetricsPort", 9094)
        if controllers.get("node") is not None:
            controllers["node"].setdefault("leakGracePeriod", "15m0s")
        if controllers.get("loadBalancer") is not None and not controllers["loadBalancer"].get("assignIPs"):
            controllers["loadBalancer"]["assignIPs"] = "AllServices"


class FelixConfigurations(Rules):
    def complete(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        spec.setdefault("floatingIPs", "Disabled")
        spec.setdefault("bpfConnectTimeLoadBalancing", "TCP")
        spec.setdefault("bpfHostNetworkedNATWithoutCTLB", "Enabled")
        old_switch = spec.get("bpfConnectTimeLoadBalancingEnabled")
        if old_switch is not None:
            spec["bpfHostNetworkedNATWithoutCTLB"] = "Disabled"
            spec["bpfConnectTimeLoadBalancing"] = "Enabled" if old_switch else "Disabled"


class BgpConfigurations(Rules):
    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        if obj["metadata"]["name"] == "default":
            return
        for field, name, said in _OF_ALL_NODES:
            if obj["spec"].get(field) not in (None, []):
                yield Problem(f"BGPConfiguration.Spec.{name}", None, f"Cannot set {said} on a non default BGP Configuration.")


class BgpPeers(Rules):
    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        known = {item["metadata"]["name"] for item in objects("bgpfilters")}
        missing = [name for name in obj["spec"].get("filters") or () if name not in known]
        if missing:
            yield Problem("BGPPeer.Spec.Filters", missing, "BGPFilter(s) not found")
