# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ClusterIP services on a node: one nft table, in the shape of kube-proxy's nftables mode.

From pods (prerouting) and from the node (output); a backend that reaches itself through its service is masqueraded,
a service without a ready backend refuses the connection.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..desired import ServicePort
from .namespaces import NetworkNamespace

TABLE = "kube-proxy"
_KEY = "ipv4_addr . inet_proto . inet_service"
_MATCH = "ip daddr . meta l4proto . th dport"
_HAIRPIN_MARK = "0x4000"


class ServiceNat:
    """One node's service table, replaced whole in one transaction when it changed. Raises `ToolError`."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._applied: tuple[ServicePort, ...] | None = None

    def apply(self, services: Sequence[ServicePort]) -> None:
        """Serve ``services`` and no other."""
        wanted = tuple(sorted(services))
        if wanted != self._applied and (wanted or self._applied):
            self._namespace.run(["nft", "-f", "-"], ruleset(wanted))
        self._applied = wanted


def ruleset(services: Sequence[ServicePort]) -> str:
    """Input of `nft -f`: the table anew."""
    served = [service for service in services if service.backends]
    refused = [service for service in services if not service.backends]
    lines = [f"table ip {TABLE}", f"delete table ip {TABLE}", f"table ip {TABLE} {{"]
    for service in served:
        lines += _service_chains(service)
    lines += [
        _named("map", "service-ips", f"{_KEY} : verdict", [f"{_key(s)} : goto {_chain(s)}" for s in served]),
        _named("set", "no-endpoint-services", _KEY, [_key(s) for s in refused]),
        f"chain services {{ {_MATCH} vmap @service-ips; }}",
        "chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; }",
        "chain nat-output { type nat hook output priority -100; jump services; }",
        "chain nat-postrouting { type nat hook postrouting priority srcnat; "
        f"meta mark & {_HAIRPIN_MARK} != 0 masquerade fully-random; }}",
        *(
            f"chain filter-{hook} {{ type filter hook {hook} priority -110; "
            f"ct state new {_MATCH} @no-endpoint-services reject; }}"
            for hook in ("forward", "output")
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _service_chains(service: ServicePort) -> list[str]:
    chain = _chain(service)
    lines = []
    choices = []
    for number, backend in enumerate(service.backends):
        address = backend.rpartition(":")[0]
        lines.append(
            f"chain {chain}/{number} {{ ip saddr {address} meta mark set meta mark | {_HAIRPIN_MARK}; "
            f"meta l4proto {service.protocol} dnat to {backend}; }}"
        )
        choices.append(f"{number} : goto {chain}/{number}")
    lines.append(f"chain {chain} {{ numgen random mod {len(choices)} vmap {{ {', '.join(choices)} }}; }}")
    return lines


def _named(kind: str, name: str, key: str, elements: Sequence[str]) -> str:
    content = f" elements = {{ {', '.join(elements)} }};" if elements else ""
    return f"{kind} {name} {{ type {key};{content} }}"


def _key(service: ServicePort) -> str:
    return f"{service.cluster_ip} . {service.protocol} . {service.port}"


def _chain(service: ServicePort) -> str:
    return f"service-{service.cluster_ip}/{service.protocol}/{service.port}"
