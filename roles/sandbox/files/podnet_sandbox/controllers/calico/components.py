# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the operator renders: calico-node, Typha, kube-controllers, the API server, and their services."""

from __future__ import annotations

import functools
import ipaddress
import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..objects import owner_reference

SYSTEM, API_SERVER = "calico-system", "calico-apiserver"
_TEMPLATE = (Path(__file__).parent / "components.yaml").read_text(encoding="utf-8")

Object = dict[str, Any]


def render(
    installation: Mapping[str, Any], version: str, nodes: int, service_subnet: str, api_server: Mapping[str, Any] | None
) -> list[Object]:
    """All objects, each owned by the Installation, or by the APIServer for its own part."""
    network = installation["spec"]["calicoNetwork"]
    bgp = network["bgp"] == "Enabled"
    rendered = []
    for obj in json.loads(_filled(version, bgp, str(ipaddress.IPv4Network(service_subnet)[1]))):
        owner = api_server if obj["metadata"]["namespace"] == API_SERVER else installation
        if owner is not None:
            obj["metadata"]["ownerReferences"] = [owner_reference(owner)]
            rendered.append(_adjust(obj, installation["spec"], nodes))
    return rendered


def api_service(api_server: Mapping[str, Any]) -> Object:
    """By which kube-apiserver hands requests for projectcalico.org/v3 on to Calico's (recorded: apiservices.json)."""
    spec = {
        "group": "projectcalico.org",
        "groupPriorityMinimum": 1500,
        "service": {"name": "calico-api", "namespace": API_SERVER, "port": 443},
        "version": "v3",
        "versionPriority": 200,
    }
    metadata = {"name": "v3.projectcalico.org", "ownerReferences": [owner_reference(api_server)]}
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": metadata, "spec": spec}


@functools.cache
def _filled(version: str, bgp: bool, kubernetes_service: str) -> str:
    """The template with its names filled in, as JSON: reading YAML takes long, and this is asked at every change."""
    text = string.Template(_TEMPLATE).substitute(
        version=version,
        cluster_type="k8s,operator,bgp" if bgp else "k8s,operator",
        backend="bird" if bgp else "vxlan",
        kubernetes_service=kubernetes_service,
    )
    return json.dumps(list(yaml.safe_load_all(text)))


def _adjust(obj: Object, spec: Mapping[str, Any], nodes: int) -> Object:
    """What depends on more than a word: replicas, update strategy, readiness and MTU of calico-node."""
    name = obj["metadata"]["name"]
    if obj["kind"] == "Deployment":
        wanted = {"calico-typha": typha_replicas(nodes), "calico-apiserver": min(nodes, spec["controlPlaneReplicas"])}
        obj["spec"]["replicas"] = wanted.get(name, 1)
    if obj["kind"] == "DaemonSet":
        rolling = spec["nodeUpdateStrategy"].get("rollingUpdate") or {}
        obj["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] = rolling.get("maxUnavailable", 1)
        container = obj["spec"]["template"]["spec"]["containers"][0]
        if spec["calicoNetwork"]["bgp"] == "Enabled":
            container["readinessProbe"]["exec"]["command"].insert(1, "-bird-ready")
        if spec["calicoNetwork"].get("mtu"):
            for variable in ("FELIX_VXLANMTU", "FELIX_WIREGUARDMTU"):
                container["env"].append({"name": variable, "value": str(spec["calicoNetwork"]["mtu"])})
    return obj


def typha_replicas(nodes: int) -> int:
    """Typhas for a cluster of that size: one spare from three nodes on, one more per 200 nodes."""
    if nodes <= 2:
        return 1
    return 2 if nodes <= 4 else max(3, nodes // 200 + 2)
