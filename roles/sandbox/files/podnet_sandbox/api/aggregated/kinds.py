# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of Calico's aggregated API, as its discovery describes them (recorded: kubectl api-resources), and what each is kept as."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..copying import clone
from ..registry import Resource, Subresource
from . import fields, metadata
from .ip_pools import IpPools
from .policies import Policies, Tiers
from .rules import Rules
from .settings import BgpConfigurations, BgpPeers, BlockAffinities, FelixConfigurations, IpamConfigurations, KubeControllers, Single

GROUP, VERSION = "projectcalico.org", "v3"
#: The kind that is kept nowhere.
PROFILE = "Profile"
_CRD_GROUP = "crd.projectcalico.org"
_NAMESPACED = ("networkpolicies", "networksets", "stagedkubernetesnetworkpolicies", "stagednetworkpolicies")
_PLAIN = Rules()
_V3_32 = (3, 32)


@dataclass(frozen=True)
class Kind:
    """A kind of the v3 API and the kind that is kept in its place: ``plural`` and ``kind`` in crd.projectcalico.org/v1."""

    resource: Resource
    plural: str
    kind: str
    rules: Rules = _PLAIN

    @property
    def kept(self) -> str:
        """What the Store calls the kind that is kept."""
        return f"{self.plural}.{_CRD_GROUP}"

    def shown(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """The v3 object that a v1 object is."""
        found = {**clone(dict(obj)), "metadata": metadata.shown(obj["metadata"])}
        found |= {"apiVersion": self.resource.api_version, "kind": self.resource.kind}
        self.rules.show(found)
        return self.shaped(found)

    def stored(self, obj: Mapping[str, Any]) -> dict[str, Any]:
        """The v1 object that a v3 object is kept as."""
        found = self.shaped(clone(dict(obj)))
        found |= {"apiVersion": metadata.V1, "kind": self.kind}
        name = self.rules.stored_name(obj["metadata"]["name"])
        found["metadata"] = metadata.stored(obj["metadata"], name, keeps_name=self.rules.keeps_name)
        self.rules.keep(found)
        return found

    def shaped(self, obj: dict[str, Any]) -> dict[str, Any]:
        """A v3 object as Calico's API server writes it."""
        described = self.resource.fields
        return {**fields.shaped(described, obj), "metadata": obj["metadata"]} if described else obj


def kinds(release: fields.Release) -> Iterator[Kind]:
    """All of them, as ``release`` of Calico has them."""
    since_v332 = release >= _V3_32
    policies = Policies(by_tier=not since_v332)
    special: Mapping[str, Rules] = {
        "BGPConfiguration": BgpConfigurations(),
        "BGPPeer": BgpPeers(),
        "BlockAffinity": BlockAffinities(),
        "ClusterInformation": Single("Cluster Information"),
        "FelixConfiguration": FelixConfigurations(),
        "GlobalNetworkPolicy": policies,
        "IPAMConfiguration": IpamConfigurations(says=since_v332),
        "IPPool": IpPools(),
        "KubeControllersConfiguration": KubeControllers(),
        "NetworkPolicy": policies,
        "StagedGlobalNetworkPolicy": policies,
        "StagedNetworkPolicy": policies,
        "Tier": Tiers(),
    }
    for kind, plural, short in _KINDS:
        kept = ("ipamconfigs", "IPAMConfig") if kind == "IPAMConfiguration" else (plural, kind)
        yield Kind(_resource(kind, plural, short, release), *kept, special.get(kind, _PLAIN))


def _resource(kind: str, plural: str, short: str, release: fields.Release) -> Resource:
    """No singular name is told; the category is an empty one (apiserver/pkg/registry/projectcalico/*/storage.go)."""
    below = (Subresource("status", kind, group=GROUP, version=VERSION),) if kind == "KubeControllersConfiguration" else ()
    return Resource(
        GROUP, VERSION, kind, plural,
        namespaced=plural in _NAMESPACED,
        short_names=tuple(short.split()),
        categories=("",),
        subresources=below,
        aggregated=True,
        described=lambda: fields.described(release).find(f"{GROUP}/{VERSION}", kind),
    )  # fmt: skip


_KINDS = (
    ("BGPConfiguration", "bgpconfigurations", "bgpconfig bgpconfigs"),
    ("BGPFilter", "bgpfilters", ""),
    ("BGPPeer", "bgppeers", ""),
    ("BlockAffinity", "blockaffinities", "blockaffinity affinity affinities"),
    ("CalicoNodeStatus", "caliconodestatuses", "caliconodestatus"),
    ("ClusterInformation", "clusterinformations", "clusterinfo"),
    ("FelixConfiguration", "felixconfigurations", "felixconfig felixconfigs"),
    ("GlobalNetworkPolicy", "globalnetworkpolicies", "gnp cgnp calicoglobalnetworkpolicies"),
    ("GlobalNetworkSet", "globalnetworksets", ""),
    ("HostEndpoint", "hostendpoints", "hep heps"),
    ("IPAMConfiguration", "ipamconfigurations", "ipamconfig"),
    ("IPPool", "ippools", ""),
    ("IPReservation", "ipreservations", ""),
    ("KubeControllersConfiguration", "kubecontrollersconfigurations", "kcconfig"),
    ("NetworkPolicy", "networkpolicies", "cnp caliconetworkpolicy caliconetworkpolicies"),
    ("NetworkSet", "networksets", "netsets"),
    (PROFILE, "profiles", ""),
    ("StagedGlobalNetworkPolicy", "stagedglobalnetworkpolicies", "sgnp"),
    ("StagedKubernetesNetworkPolicy", "stagedkubernetesnetworkpolicies", "sknp"),
    ("StagedNetworkPolicy", "stagednetworkpolicies", "snp"),
    ("Tier", "tiers", ""),
)
