# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery: which groups, versions and resources there are, in the plain and the aggregated form."""

from __future__ import annotations

from typing import Any

from .media import media_types
from .registry import Registry, Resource, Subresource

Object = dict[str, Any]

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def wants_aggregated(accept: str) -> bool:
    """Whether a client prefers the aggregated form, of the version served here."""
    for media, parameters in media_types(accept):
        if media != "application/json":
            continue
        if parameters.get("as") == "APIGroupDiscoveryList" and parameters.get("g") == "apidiscovery.k8s.io":
            if parameters.get("v") == "v2":
                return True
        else:
            return False
    return False


def api_versions(server_address: str) -> Object:
    """``/api``"""
    by_client = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": by_client}


def group_list(registry: Registry) -> Object:
    """``/apis``"""
    groups = [_group(name, versions) for name, versions in registry.groups().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(registry: Registry, name: str) -> Object | None:
    """``/apis/<group>``, None if there is no such group."""
    versions = registry.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if versions else None


def resource_list(registry: Registry, name: str, version: str) -> Object | None:
    """``/apis/<group>/<version>``, None if there is no such version."""
    resources = registry.in_version(name, version)
    if not resources:
        return None
    listed = [entry for resource in _sorted(resources) for entry in _resource_entries(resource)]
    head: Object = {"kind": "APIResourceList"}
    if name:
        head["apiVersion"] = "v1"
    return {**head, "groupVersion": f"{name}/{version}" if name else version, "resources": listed}


def aggregated(registry: Registry, *, core: bool) -> Object:
    """All groups but the core one, or the core one alone, with all their resources."""
    items = []
    for name, versions in registry.groups().items():
        if bool(name) is core:
            continue
        metadata: Object = {"creationTimestamp": None}
        if name:
            metadata = {"name": name, **metadata}
        items.append({"metadata": metadata, "versions": [_aggregated_version(registry, name, version) for version in versions]})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _group(name: str, versions: list[str]) -> Object:
    listed = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def _sorted(resources: list[Resource]) -> list[Resource]:
    return resources if any(item.custom for item in resources) else sorted(resources, key=lambda item: item.plural)


def _resource_entries(resource: Resource) -> list[Object]:
    entry: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if "list" in resource.verbs:
        entry["storageVersionHash"] = resource.storage_hash
    return [entry, *(_subresource_entry(resource, item) for item in resource.subresources)]


def _subresource_entry(resource: Resource, subresource: Subresource) -> Object:
    entry: Object = {"name": f"{resource.plural}/{subresource.name}", "singularName": "", "namespaced": resource.namespaced}
    if subresource.foreign:
        entry |= {"group": subresource.group, "version": subresource.version}
    return {**entry, "kind": subresource.kind, "verbs": list(subresource.verbs)}


def _aggregated_version(registry: Registry, name: str, version: str) -> Object:
    resources = [_aggregated_resource(resource) for resource in _sorted(registry.in_version(name, version))]
    freshness = "Current" if registry.answers(name, version) else "Stale"
    return {"version": version, "resources": resources, "freshness": freshness}


def _aggregated_resource(resource: Resource) -> Object:
    entry: Object = {
        "resource": resource.plural,
        "responseKind": _kind(resource, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.subresources:
        entry["subresources"] = [
            {
                "subresource": item.name,
                "responseKind": {"group": item.group, "version": item.version, "kind": item.kind}
                if item.foreign
                else _kind(resource, item.kind),
                "verbs": list(item.verbs),
            }
            for item in resource.subresources
        ]
    return entry


def _kind(resource: Resource, kind: str) -> Object:
    """The core group and custom resources differ: the former leave group and version out."""
    if not resource.group:
        return {"group": "", "version": "", "kind": kind}
    return {"group": resource.group, "version": resource.version, "kind": kind}
