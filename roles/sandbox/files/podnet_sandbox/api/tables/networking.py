# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services, endpoints and network policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .cells import NONE, UNKNOWN, Object, Printer, age_of, columns, label_text, listed, selector_text, spec_of, status_of

#: How many endpoints are spelled out.
_SHOWN = 3


def _service(obj: Object) -> list[Any]:
    spec = spec_of(obj)
    ports = (_port(port) for port in spec.get("ports") or ())
    address = NONE if spec.get("type") == "ExternalName" else spec.get("clusterIP") or NONE
    return [spec.get("type"), address, _external(obj), listed(ports), age_of(obj), label_text(spec.get("selector"))]


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node_port}/{port['protocol']}"


def _external(obj: Object) -> str:
    spec = spec_of(obj)
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName", NONE))
    given = [item.get("ip") or item.get("hostname") for item in (status_of(obj).get("loadBalancer") or {}).get("ingress") or ()]
    addresses = [*given, *(spec.get("externalIPs") or ())]
    return listed(addresses, "<pending>" if spec.get("type") == "LoadBalancer" else NONE)


def _endpoints(obj: Object) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        ports = subset.get("ports") or ({},)
        for port in ports:
            suffix = f":{port['port']}" if "port" in port else ""
            found += [f"{address['ip']}{suffix}" for address in subset.get("addresses") or ()]
    return [_some(found), age_of(obj)]


def _endpointslice(obj: Object) -> list[Any]:
    ports = [str(port["port"]) for port in obj.get("ports") or () if port.get("port")]
    addresses = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [
        obj.get("addressType", ""),
        _some(ports) if ports else "<unset>",
        _some(addresses) if addresses else "<unset>",
        age_of(obj),
    ]


def _some(values: Sequence[str]) -> str:
    text = listed(values[:_SHOWN])
    return f"{text} + {len(values) - _SHOWN} more..." if len(values) > _SHOWN else text


def _networkpolicy(obj: Object) -> list[Any]:
    return [selector_text(spec_of(obj).get("podSelector")), age_of(obj)]


def _ingress(obj: Object) -> list[Any]:
    spec = spec_of(obj)
    hosts = listed((rule["host"] for rule in spec.get("rules") or () if rule.get("host")), "*")
    ports = "80, 443" if spec.get("tls") else "80"
    addresses = (status_of(obj).get("loadBalancer") or {}).get("ingress") or ()
    return [spec.get("ingressClassName") or NONE, hosts, listed((item.get("ip") for item in addresses), ""), ports, age_of(obj)]


def _lease(obj: Object) -> list[Any]:
    return [spec_of(obj).get("holderIdentity", ""), age_of(obj)]


def _ingressclass(obj: Object) -> list[Any]:
    return [spec_of(obj).get("controller", UNKNOWN), NONE, age_of(obj)]


PRINTERS = {
    "endpoints": Printer(columns("Endpoints", "Age"), _endpoints),
    "endpointslices.discovery.k8s.io": Printer(columns("AddressType", "Ports", "Endpoints", "Age"), _endpointslice),
    "ingressclasses.networking.k8s.io": Printer(columns("Controller", "Parameters", "Age"), _ingressclass),
    "ingresses.networking.k8s.io": Printer(columns("Class", "Hosts", "Address", "Ports", "Age"), _ingress),
    "leases.coordination.k8s.io": Printer(columns("Holder", "Age"), _lease),
    "networkpolicies.networking.k8s.io": Printer(columns("Pod-Selector", "Age"), _networkpolicy),
    "services": Printer(columns("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"), _service),
}
