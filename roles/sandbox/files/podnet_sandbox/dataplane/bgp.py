# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What BIRD on a node is configured with: the calculation that confd's templates do in Calico. Pure.

Source: calico-facts 10, FINDINGS D (metric of v3.32). With whom it speaks: `peerings.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..config import release_of
from ..ipam.pools import encapsulates_vxlan, tunnels_ipip
from .bgp_filters import filters_of
from .bgp_passwords import usable_password
from .desired import Bgp, BgpPool
from .duration import seconds
from .peerings import Mesh, peers_of

if TYPE_CHECKING:
    from .felix import Datastore, Host


def bgp_of(local: Host, data: Datastore) -> Bgp:
    """BIRD of ``local``. Raises `FilterError`: with such a BGPFilter confd renders nothing, and BIRD goes on with what it has."""
    speaker = next(each for each in data.speakers if each.name == local.name)
    common = next((item.get("spec") or {} for item in data.bgp_configurations if item["metadata"]["name"] == "default"), {})
    later = release_of(data.calico_version) >= (3, 32)
    return Bgp(
        router_id=local.address,
        as_number=speaker.as_number,
        blocks=tuple(sorted(_own_blocks(local.name, data))),
        pools=tuple(sorted(_pool(pool, owned=not later or common.get("programClusterRoutes") != "Disabled") for pool in data.pools)),
        peers=peers_of(speaker, data.speakers, data.bgp_peers, _mesh(common, data.secrets), data.secrets),
        metric=1024 if later else 0,
        listen_port=speaker.port,
        subnet=str(local.interface.network),
        filters=filters_of(data.bgp_filters, later=later),
    )


def _mesh(common: Mapping[str, Any], secrets: Iterable[Mapping[str, Any]]) -> Mesh | None:
    """What the sessions of the node-to-node mesh have in common; None: there is none."""
    if common.get("nodeToNodeMeshEnabled") is False:
        return None
    return Mesh(usable_password(common.get("nodeMeshPassword"), secrets), int(seconds(common.get("nodeMeshMaxRestartTime"), 0)))


def _pool(pool: Mapping[str, Any], *, owned: bool) -> BgpPool:
    """``owned``: routes of pools without VXLAN are BIRD's, as from v3.32 on the BGPConfiguration's programClusterRoutes may deny."""
    spec = pool["spec"]
    export = not spec.get("disableBGPExport")
    return BgpPool(spec["cidr"], program=owned and not encapsulates_vxlan(pool), export=export, ipip=tunnels_ipip(pool))


def _own_blocks(node: str, data: Datastore) -> Iterator[str]:
    """From BlockAffinities, not from blocks; pending ones do not count (calico-facts 0.7, 10)."""
    for affinity in data.affinities:
        spec = affinity["spec"]
        valid = spec.get("state") != "pending" and spec.get("deleted") not in (True, "true")
        own = spec["node"] == node and spec.get("type", "host") == "host"
        if valid and own and not spec["cidr"].endswith("/32"):
            yield spec["cidr"]
