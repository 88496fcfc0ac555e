# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, network policies, ingresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Cause, duplicate, forbidden_field, invalid_value, required
from ..names import label_errors, port_name_errors, subdomain_errors
from .containers import choice
from .metadata import each, label_causes, selector_causes

Object = Mapping[str, Any]

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_AFFINITIES = ("ClientIP", "None")
_PORTS = "must be between 1 and 65535, inclusive"


def _service_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    kind, ports, headless = spec.get("type", "ClusterIP"), spec.get("ports") or (), spec.get("clusterIP") == "None"
    if not ports and kind != "ExternalName" and not headless:
        yield required("spec.ports")
    if kind in ("LoadBalancer", "NodePort") and headless:
        yield invalid_value("spec.clusterIPs[0]", '"None"', f"may not be set to 'None' for {kind} services")
    if kind == "ExternalName":
        yield from _external_causes(spec)
    names: set[str] = set()
    for index, port in enumerate(ports):
        yield from _port_causes(port, f"spec.ports[{index}]", many=len(ports) > 1, seen=names)
    yield from label_causes(spec.get("selector"), "spec.selector")
    yield from choice("spec.sessionAffinity", spec.get("sessionAffinity"), _AFFINITIES)
    yield from choice("spec.type", kind, _TYPES)
    seen: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        field = f"spec.ports[{index}]"
        if port.get("nodePort") and kind == "ClusterIP":
            yield forbidden_field(f"{field}.nodePort", "may not be used when `type` is 'ClusterIP'")
        key = (port.get("protocol", "TCP"), port.get("port", 0))
        if key in seen:
            yield Cause("FieldValueDuplicate", f"Duplicate value: {_go_port(*key)}", field)
        seen.add(key)


def _external_causes(spec: Object) -> Iterator[Cause]:
    if spec.get("clusterIPs"):
        yield forbidden_field("spec.clusterIPs", "may not be set for ExternalName services")
    name = spec.get("externalName", "").removesuffix(".")
    if name:
        yield from each("spec.externalName", name, subdomain_errors(name))
    else:
        yield required("spec.externalName")


def _port_causes(port: Object, field: str, *, many: bool, seen: set[str]) -> Iterator[Cause]:
    name = port.get("name", "")
    if not name and many:
        yield required(f"{field}.name")
    elif name:
        yield from each(f"{field}.name", name, label_errors(name))
        if name in seen:
            yield duplicate(f"{field}.name", name)
    seen.add(name)
    if not 0 < port.get("port", 0) < 65536:
        yield invalid_value(f"{field}.port", str(port.get("port", 0)), _PORTS)
    yield from choice(f"{field}.protocol", port.get("protocol"), _PROTOCOLS)
    target = port.get("targetPort", 0)
    if isinstance(target, str):
        yield from each(f"{field}.targetPort", target, port_name_errors(target))
    elif not 0 < target < 65536:
        yield invalid_value(f"{field}.targetPort", str(target), _PORTS)


def _go_port(protocol: str, number: int) -> str:
    rest = 'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}'
    return f'core.ServicePort{{Name:"", Protocol:"{protocol}", AppProtocol:(*string)(nil), Port:{number}, {rest}'


def _policy_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    yield from selector_causes(spec.get("podSelector") or {}, "spec.podSelector")
    for part, peers in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(part) or ()):
            field = f"spec.{part}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                yield from choice(f"{field}.ports[{number}].protocol", port.get("protocol"), ("TCP", "UDP", "SCTP"))
            for number, peer in enumerate(rule.get(peers) or ()):
                yield from _peer_causes(peer, f"{field}.{peers}[{number}]")
    for index, kind in enumerate(spec.get("policyTypes") or ()):
        yield from choice(f"spec.policyTypes[{index}]", kind, ("Ingress", "Egress"))


def _peer_causes(peer: Object, field: str) -> Iterator[Cause]:
    block, selectors = peer.get("ipBlock"), [part for part in ("podSelector", "namespaceSelector") if peer.get(part) is not None]
    for part in selectors:
        yield from selector_causes(peer[part], f"{field}.{part}")
    if block is not None and selectors:
        yield forbidden_field(field, "may not specify both ipBlock and another peer")
    elif block is None and not selectors:
        yield required(field, "must specify a peer")
    elif block is not None and not block.get("cidr"):
        yield required(f"{field}.ipBlock.cidr")


def _ingress_causes(obj: Object) -> Iterator[Cause]:
    spec = obj.get("spec") or {}
    if not spec.get("rules") and not spec.get("defaultBackend"):
        why = "either `defaultBackend` or `rules` must be specified"
        yield invalid_value("spec", "[]networking.IngressRule(nil)", why)


def _service_change_causes(obj: Object, old: Object) -> Iterator[Cause]:
    before, after = old["spec"].get("clusterIP"), obj["spec"].get("clusterIP")
    if before and after and before != after and old["spec"].get("type") != "ExternalName":
        yield invalid_value("spec.clusterIPs[0]", f'[]string{{"{after}"}}', "may not change once set")


CREATED = {
    "ingresses.networking.k8s.io": _ingress_causes,
    "networkpolicies.networking.k8s.io": _policy_causes,
    "services": _service_causes,
}
UPDATED = {"services": _service_change_causes}
