# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds that are stored and that nothing here acts on: who writes one is told so in a ``Warning`` header."""

from __future__ import annotations

from .registry import Resource

_POLICIES = ("globalnetworkpolicies", "networkpolicies", "stagedglobalnetworkpolicies", "stagedkubernetesnetworkpolicies",
             "stagednetworkpolicies")  # fmt: skip
_SAID = {
    "ingresses.networking.k8s.io": "is stored; no ingress controller serves it here",
    "networkpolicies.networking.k8s.io": "is stored and not enforced here: all traffic stays allowed",
    **{
        f"{plural}.{group}": "is stored and not enforced here: all traffic stays allowed"
        for plural in _POLICIES
        for group in ("crd.projectcalico.org", "projectcalico.org")
    },
}


def warning(resource: Resource) -> str:
    """What is said of an object of that kind when it is written, '' where there is nothing to say."""
    said = _SAID.get(resource.name)
    return f"{resource.kind} {said}" if said else ""
