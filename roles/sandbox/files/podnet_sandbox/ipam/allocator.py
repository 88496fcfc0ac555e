# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's IPAM over the datastore: claims blocks, assigns and releases addresses, keeps handles in step.

Source: calico-facts 4.1-4.3 and 5.2-5.4; object shapes from recordings of Calico v3.30.7.
Order of a request: the host's own blocks, then a new block, then (not strict) any other host's block.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..api.errors import ApiError
from ..config import release_of
from . import block as blocks
from .pools import IpamError, block_size, blocks_for, object_name, pool_of, usable
from .selector import selects

GROUP = "crd.projectcalico.org"
BLOCKS, AFFINITIES = f"ipamblocks.{GROUP}", f"blockaffinities.{GROUP}"
HANDLES, CONFIGS, POOLS = f"ipamhandles.{GROUP}", f"ipamconfigs.{GROUP}", f"ippools.{GROUP}"
RESERVATIONS = f"ipreservations.{GROUP}"
#: Blocks one host may own when IPAMConfig sets no limit (libcalico-go's default).
MAX_BLOCKS_PER_HOST = 20
#: Calico keeps the metadata of its v3 API in this annotation of the v1 object.
METADATA_ANNOTATION = "projectcalico.org/metadata"


class Ipam:
    """Addresses for pods and tunnels. ``nanoseconds`` is a clock (block sequence numbers start from it)."""

    def __init__(self, store: Any, nanoseconds: Callable[[], int] = time.time_ns, calico_version: str = "v3.30.7") -> None:
        self._store = store
        self._labels_affinities = release_of(calico_version) >= (3, 32)
        self._nanoseconds = nanoseconds

    def assign(
        self,
        node: str,
        use: str,
        handle: str,
        attributes: Mapping[str, str],
        requested: Sequence[str] = (),
    ) -> str:
        """One address for ``handle`` on ``node``. Raises `IpamError` with the message Calico's CNI plugin prints."""
        labels = self._labels(node)
        pools = usable(self._store.scan(POOLS), node, labels, use, requested)
        config = self._config()
        self._release_deselected(node, labels)
        owned = self._owned(node, pools)
        for candidate in owned:
            address = self._take(candidate, handle, attributes)
            if address:
                return address
        claimed = self._claim_new(node, pools, owned, config)
        if claimed:
            return self._take(claimed, handle, attributes) or _exhausted(pools)
        if config.get("strictAffinity"):
            raise _unfulfilled("No more free affine blocks and strict affinity enabled")
        return self._borrow(node, pools, handle, attributes)

    def assign_address(self, node: str, address: str, handle: str, attributes: Mapping[str, str]) -> str:
        """The very ``address`` (pod annotation ``ipAddrs``). Raises `IpamError` if no pool has it or it is taken."""
        pool = pool_of([pool for pool in self._store.scan(POOLS) if not pool["spec"].get("disabled")], address)
        if pool is None:
            raise IpamError(f"the provided IP address {address} is not in a configured pool")
        cidr = str(ipaddress.IPv4Interface(f"{address}/{block_size(pool)}").network)
        found = self._find(cidr) or self._claim(node, cidr)
        if not blocks.is_free(found["spec"], address):
            raise IpamError(f"Address already assigned in block: {address}")
        return self._take(found, handle, attributes, address) or _exhausted([pool])

    def addresses(self, handle: str) -> list[str]:
        """The addresses that ``handle`` holds."""
        found = self._store.find(HANDLES, handle.lower())
        holders = [self._store.find(BLOCKS, object_name(cidr)) for cidr in found["spec"]["block"]] if found else []
        return [
            allocation.address
            for holder in holders
            if holder
            for allocation in blocks.allocations(holder["spec"])
            if allocation.handle == handle
        ]

    def release(self, handle: str) -> list[str]:
        """Free all addresses of ``handle`` and the handle itself; unknown handles are fine."""
        found = self._get(HANDLES, handle.lower())
        if found is None:
            return []
        freed: list[str] = []
        for cidr in found["spec"]["block"]:
            holder = self._find(cidr)
            if holder:
                freed += blocks.release(holder["spec"], handle)
                self._store.update(BLOCKS, holder)
        self._store.delete(HANDLES, handle.lower())
        return freed

    def release_node(self, node: str) -> None:
        """What kube-controllers' garbage collector does for a Node that is gone: addresses, affinities, empty blocks."""
        for found in self._store.list(BLOCKS):
            for allocation in list(blocks.allocations(found["spec"])):
                if allocation.attributes.get("node") == node:
                    self.release(allocation.handle)
        for affinity in self._store.scan(AFFINITIES):
            if affinity["spec"]["node"] == node:
                self._release_affinity(affinity)

    def release_pool(self, cidr: str) -> None:
        """Let go of the affinities in a network whose pool is deleted: empty blocks go, others stay without an owner."""
        pool = ipaddress.ip_network(cidr)
        for affinity in self._store.scan(AFFINITIES):
            block = ipaddress.ip_network(affinity["spec"]["cidr"])
            if block.version == pool.version and block.subnet_of(pool):
                self._release_affinity(affinity)

    def _release_deselected(self, node: str, labels: Mapping[str, str]) -> None:
        """Empty blocks of pools that no longer select the node; one with an address in it stays (calico-facts F42)."""
        pools = self._store.scan(POOLS)
        for affinity in self._store.scan(AFFINITIES):
            pool = pool_of(pools, affinity["spec"]["cidr"]) if affinity["spec"]["node"] == node else None
            if pool and not selects(pool["spec"].get("nodeSelector"), labels):
                found = self._find(affinity["spec"]["cidr"])
                if found and not any(True for _ignored in blocks.allocations(found["spec"])):
                    self._release_affinity(affinity)

    def _release_affinity(self, affinity: dict[str, Any]) -> None:
        found = self._find(affinity["spec"]["cidr"])
        if found and blocks.owner(found["spec"]) == affinity["spec"]["node"]:
            if any(True for _ignored in blocks.allocations(found["spec"])):
                del found["spec"]["affinity"]
                self._store.update(BLOCKS, found)
            else:
                self._store.delete(BLOCKS, found["metadata"]["name"])
        self._store.delete(AFFINITIES, affinity["metadata"]["name"])

    def _owned(self, node: str, pools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The host's own blocks inside ``pools``, in listing order (FINDINGS A15: pools do not come first)."""
        cidrs = [
            affinity["spec"]["cidr"]
            for affinity in self._store.scan(AFFINITIES)
            if affinity["spec"]["node"] == node
            and affinity["spec"].get("deleted") != "true"
            and pool_of(pools, affinity["spec"]["cidr"])
        ]
        found = (self._find(cidr) for cidr in cidrs)
        return [item for item in found if item and blocks.owner(item["spec"]) == node]

    def _claim_new(
        self, node: str, pools: Sequence[Mapping[str, Any]], owned: Sequence[Any], config: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        if not config.get("autoAllocateBlocks", True):
            return None
        limit = config.get("maxBlocksPerHost") or MAX_BLOCKS_PER_HOST
        if len(owned) >= limit:
            raise _unfulfilled(
                f"Need to allocate an IPAM block but could not - limit of {limit} blocks reached for this node"
            )
        existing = {found["spec"]["cidr"] for found in self._store.scan(BLOCKS)}
        reserved = self._reserved()
        free = (cidr for pool in pools for cidr in blocks_for(node, pool) if cidr not in existing)
        cidr = next((cidr for cidr in free if not _within(cidr, reserved)), None)
        return self._claim(node, cidr) if cidr else None

    def _claim(self, node: str, cidr: str) -> dict[str, Any]:
        """Pending affinity, block, confirmed affinity: the order that never leaves a block nobody owns."""
        spec = {"cidr": cidr, "deleted": "false", "node": node, "state": "pending", "type": "host"}
        affinity = self._get(AFFINITIES, f"{node}-{object_name(cidr)}") or self._create(
            AFFINITIES, "BlockAffinity", f"{node}-{object_name(cidr)}", spec, affinity_labels(node) if self._labels_affinities else {}
        )
        claimed = self._create(
            BLOCKS, "IPAMBlock", object_name(cidr), blocks.empty(cidr, f"host:{node}", self._nanoseconds())
        )
        affinity["spec"]["state"] = "confirmed"
        self._store.update(AFFINITIES, affinity)
        return claimed

    def _borrow(
        self, node: str, pools: Sequence[Mapping[str, Any]], handle: str, attributes: Mapping[str, str]
    ) -> str:
        existing = {found["spec"]["cidr"]: found for found in self._store.list(BLOCKS)}
        for cidr in (cidr for pool in pools for cidr in blocks_for(node, pool) if cidr in existing):
            address = self._take(existing[cidr], handle, attributes)
            if address:
                return address
        return _exhausted(pools)

    def _take(
        self, found: dict[str, Any], handle: str, attributes: Mapping[str, str], address: str | None = None
    ) -> str | None:
        taken = blocks.assign(found["spec"], handle, attributes, address, self._reserved())
        if taken:
            self._store.update(BLOCKS, found)
            self._count_handle(handle, found["spec"]["cidr"])
        return taken

    def _count_handle(self, handle: str, cidr: str) -> None:
        found = self._get(HANDLES, handle.lower())
        if found is None:
            spec = {"block": {cidr: 1}, "deleted": False, "handleID": handle}
            self._create(HANDLES, "IPAMHandle", handle.lower(), spec)
            return
        found["spec"]["block"][cidr] = found["spec"]["block"].get(cidr, 0) + 1
        self._store.update(HANDLES, found)

    def _find(self, cidr: str) -> dict[str, Any] | None:
        found = self._get(BLOCKS, object_name(cidr))
        return None if found is None or found["spec"].get("deleted") else found

    def _reserved(self) -> list[ipaddress.IPv4Network]:
        """What IPReservations keep back from requests that name no address."""
        return [
            ipaddress.IPv4Network(cidr, strict=False)
            for reservation in self._store.scan(RESERVATIONS)
            for cidr in reservation["spec"].get("reservedCIDRs") or ()
            if ":" not in cidr
        ]

    def _config(self) -> Mapping[str, Any]:
        """IPAMConfig, made with Calico's defaults at the first request."""
        found = self._get(CONFIGS, "default") or self._create(
            CONFIGS, "IPAMConfig", "default", {"autoAllocateBlocks": True, "strictAffinity": False}
        )
        return found["spec"]

    def _labels(self, node: str) -> Mapping[str, str]:
        found = self._get("nodes", node)
        if found is None:
            raise IpamError(f"resource does not exist: Node({node})")
        return found["metadata"].get("labels") or {}

    def _get(self, res: str, name: str) -> dict[str, Any] | None:
        try:
            return self._store.get(res, name)
        except ApiError as error:
            if error.code != 404:
                raise
            return None

    def _create(
        self, res: str, kind: str, name: str, spec: Mapping[str, Any], labels: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        labelled = {"labels": dict(labels)} if labels else {}
        kept = json.dumps({"creationTimestamp": None, **labelled}, separators=(",", ":"))
        metadata = {"name": name, "annotations": {METADATA_ANNOTATION: kept}, **labelled}
        return self._store.create(
            res, {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": dict(spec)}
        )


def affinity_labels(node: str) -> dict[str, str]:
    """By which Calico finds a host's affinities from v3.32 on: a host's name may be longer than a label."""
    digest = hashlib.sha3_256(node.encode(), usedforsecurity=False).digest()
    return {
        "projectcalico.org/affinity-type": "host",
        "projectcalico.org/hostname-hash": base64.b32encode(digest).decode().rstrip("="),
        "projectcalico.org/ip-version": "4",
    }


def _within(cidr: str, reserved: Sequence[ipaddress.IPv4Network]) -> bool:
    """Whether all of the block is reserved."""
    return any(ipaddress.IPv4Network(cidr).subnet_of(network) for network in reserved)


def _unfulfilled(reason: str) -> IpamError:
    return IpamError(
        f"failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; {reason}"
    )


def _exhausted(pools: Sequence[Mapping[str, Any]]) -> str:
    """Always raises; Go prints the list with blanks (recordings: pool-exhausted)."""
    names = " ".join(pool["spec"]["cidr"] for pool in pools)
    raise _unfulfilled(f"No IPs available in pools: [{names}]")
