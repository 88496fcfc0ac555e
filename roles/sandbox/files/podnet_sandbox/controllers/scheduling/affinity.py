# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that want to be with, or apart from, other pods: required inter-pod affinity, and how evenly pods are spread. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ..objects import matches_labels
from .placement import selects_node

Object = Mapping[str, Any]

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_AFFINITY = "node(s) didn't match pod affinity rules"
_ANTI = "node(s) didn't match pod anti-affinity rules"
_OTHERS_ANTI = "node(s) didn't satisfy existing pods anti-affinity rules"
_SPREAD, _SPREAD_LABEL = "node(s) didn't match pod topology spread constraints", " (missing required label)"

Refusal = Callable[[Object], "str | None"]


def repelling(pod: Object) -> bool:
    """Whether the pod keeps others away."""
    return any(_terms(pod, "podAntiAffinity"))


def affinity_refusal(pod: Object, nodes: Mapping[str, Object], placed: Sequence[Object], repellents: Sequence[Object]) -> Refusal:
    """A function from a node to why the pod may not be there because of the pods ``placed``, or None.

    ``repellents`` are those of them that keep others away.
    """
    wanted, unwanted = list(_terms(pod, "podAffinity")), list(_terms(pod, "podAntiAffinity"))
    others = [(other, term) for other in repellents for term in _terms(other, "podAntiAffinity")]
    if not (wanted or unwanted or others):
        return lambda node: None
    first = bool(wanted) and all(_matches(term, pod, pod) for term in wanted)
    anywhere = {id(term): _domains(term, pod, nodes, placed) for term in (*wanted, *unwanted)}

    def refusal(node: Object) -> str | None:
        labels = node["metadata"].get("labels") or {}
        for other, term in others:
            key = term["topologyKey"]
            there = nodes.get(other["spec"]["nodeName"])
            same = there is not None and key in labels and (there["metadata"].get("labels") or {}).get(key) == labels[key]
            if same and _matches(term, pod, other):
                return _OTHERS_ANTI
        for term in wanted:
            alone = first and not any(anywhere[id(each)] for each in wanted)  # the first of a kind may be anywhere
            if term["topologyKey"] not in labels or not (alone or labels[term["topologyKey"]] in anywhere[id(term)]):
                return _AFFINITY
        if any(labels.get(term["topologyKey"]) in anywhere[id(term)] for term in unwanted):
            return _ANTI
        return None

    return refusal


def spread_refusal(pod: Object, nodes: Mapping[str, Object], placed: Sequence[Object]) -> Refusal:
    """The same for topologySpreadConstraints that are not to be scheduled against."""
    every = pod["spec"].get("topologySpreadConstraints") or ()
    constraints = [each for each in every if each.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"]
    counts = [_spread(each, pod, nodes, placed) for each in constraints]

    def refusal(node: Object) -> str | None:
        labels = node["metadata"].get("labels") or {}
        for constraint, count in zip(constraints, counts, strict=True):
            key = constraint["topologyKey"]
            if key not in labels:
                return _SPREAD + _SPREAD_LABEL
            itself = matches_labels(constraint.get("labelSelector"), pod["metadata"].get("labels"))
            if count[labels[key]] + itself - min(count.values()) > constraint["maxSkew"]:
                return _SPREAD
        return None

    return refusal


def _spread(constraint: Object, pod: Object, nodes: Mapping[str, Object], placed: Sequence[Object]) -> Counter[str]:
    key = constraint["topologyKey"]
    domains = {
        name: node["metadata"]["labels"][key]
        for name, node in nodes.items()
        if key in (node["metadata"].get("labels") or {}) and selects_node(pod["spec"], node)
    }
    count: Counter[str] = Counter(dict.fromkeys(domains.values(), 0))
    for other in placed:
        metadata, node = other["metadata"], other["spec"]["nodeName"]
        same = metadata["namespace"] == pod["metadata"]["namespace"] and node in domains
        if same and matches_labels(constraint.get("labelSelector"), metadata.get("labels")):
            count[domains[node]] += 1
    return count


def _terms(pod: Object, kind: str) -> Iterator[Object]:
    yield from ((pod["spec"].get("affinity") or {}).get(kind) or {}).get(_REQUIRED) or ()


def _matches(term: Object, pod: Object, owner: Object) -> bool:
    """Whether ``term`` of ``owner`` means ``pod``."""
    if "namespaceSelector" not in term:
        namespaces = term.get("namespaces") or [owner["metadata"]["namespace"]]
        if pod["metadata"]["namespace"] not in namespaces:
            return False
    return matches_labels(term.get("labelSelector"), pod["metadata"].get("labels"))


def _domains(term: Object, pod: Object, nodes: Mapping[str, Object], placed: Sequence[Object]) -> set[str]:
    """Values of the topology key where a pod is that ``term`` means."""
    found = set()
    for other in placed:
        node = nodes.get(other["spec"]["nodeName"])
        value = ((node or {}).get("metadata", {}).get("labels") or {}).get(term["topologyKey"])
        if value is not None and _matches(term, other, pod):
            found.add(value)
    return found
