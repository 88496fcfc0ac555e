# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies and tiers: a policy of a tier is kept under a name that begins with the tier's (v3.30; since v3.32 under its own)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import not_found, plain_error
from ..registry import Resource
from .rules import Lister, Object, Problem, Rules, unsupported

_DEFAULT, _TIER = "default", "projectcalico.org/tier"
_STATIC = (_DEFAULT, "adminnetworkpolicy")
#: Names that say their tier in another way.
_FORMATTED = ("knp.default.", "kanp.adminnetworkpolicy.", "kbanp.baselineadminnetworkpolicy.", "ossg.")
_IN_TIERS = ("networkpolicies", "globalnetworkpolicies", "stagednetworkpolicies", "stagedglobalnetworkpolicies")
_TIER_ORDER = 1_000_000
_TIERS = Resource("projectcalico.org", "v3", "Tier", "tiers")


class Policies(Rules):
    """``by_tier``: whether the tier is part of the name that is kept."""

    def __init__(self, *, by_tier: bool) -> None:
        self._by_tier = self.keeps_name = by_tier

    def show(self, obj: Object) -> None:
        metadata = obj["metadata"]
        spec = obj["spec"] = obj.get("spec") or {}
        if self._by_tier and spec.get("tier", _DEFAULT) == _DEFAULT:
            metadata["name"] = metadata["name"].removeprefix(f"{_DEFAULT}.")
        metadata["labels"] = {_TIER: _DEFAULT, **(metadata.get("labels") or {})}
        spec.setdefault("tier", _tier_of(metadata["name"]))

    def complete(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        if not spec.get("types"):
            sides = [side for side in ("Ingress", "Egress") if spec.get(side.lower())]
            spec["types"] = sides or ["Ingress"]
        if spec.get("tier", _DEFAULT) != _DEFAULT:
            obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), _TIER: spec["tier"]}

    def check(self, obj: Mapping[str, Any], before: Mapping[str, Any] | None, objects: Lister) -> Iterator[Problem]:
        tier, name = obj["spec"].get("tier") or _DEFAULT, obj["metadata"]["name"]
        if before is None and all(item["metadata"]["name"] != tier for item in objects("tiers")) and tier != _DEFAULT:
            raise not_found(_TIERS, tier)
        in_tier = name.startswith(f"{tier}.") or (tier == _DEFAULT and "." not in name)
        if self._by_tier and not (in_tier or name.startswith(_FORMATTED)):
            raise plain_error(f"Incorrectly formatted policy name {name}")
        yield from ()

    def stored_name(self, name: str) -> str:
        return f"{_DEFAULT}.{name}" if self._by_tier and "." not in name else name


class Tiers(Rules):
    """A tier comes after all others and denies, where it does not say."""

    def show(self, obj: Object) -> None:
        self.complete(obj)

    def complete(self, obj: Object) -> None:
        spec = obj["spec"] = obj.get("spec") or {}
        if spec.get("order") is None:
            spec["order"] = _TIER_ORDER
        if spec.get("defaultAction") is None:
            spec["defaultAction"] = "Deny"

    def check_deletion(self, obj: Mapping[str, Any], objects: Lister) -> None:
        name = obj["metadata"]["name"]
        if name in _STATIC:
            raise unsupported("Delete", name, f"Cannot delete {name} tier")
        if any(item["spec"].get("tier") == name for plural in _IN_TIERS for item in objects(plural)):
            raise unsupported("delete", name, "Cannot delete a non-empty tier")


def _tier_of(name: str) -> str:
    if name.startswith(_FORMATTED):
        return "adminnetworkpolicy" if name.startswith(_FORMATTED[1]) else _DEFAULT
    tier, divider, _ignored = name.partition(".")
    return tier if divider else _DEFAULT
