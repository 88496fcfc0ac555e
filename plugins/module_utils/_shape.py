# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms an expected route may take, how a route differs from one, and how one is told to a person (private, pure)."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from ._model import Route


class Shape(NamedTuple):
    """One form a route may take. ``gateway``, ``dev`` None: any where ``free_gateway``/``free_dev``, else none at all."""

    type: str = "unicast"
    gateway: Optional[str] = None
    dev: Optional[str] = None
    protocols: Tuple[str, ...] = ("boot",)
    scope: str = "global"
    onlink: bool = False
    metrics: Tuple[int, ...] = (0,)
    free_gateway: bool = False
    free_dev: bool = False


class ExpectedRoute(NamedTuple):
    """A route that a node must have (``required``) or may have. ``owner``: the node that the addresses belong to."""

    dst: str
    role: str  # own-blackhole, remote-block, borrowed-address, pod, tunnel-address
    shapes: Tuple[Shape, ...]
    why: str
    owner: Optional[str] = None
    required: bool = True
    pool: Optional[str] = None


def differences(route: Route, shape: Shape) -> List[str]:
    """In which respects ``route`` is not of that shape, in the words of ``ip route``; empty if it is."""
    wrong = []
    if route.type != shape.type:
        wrong.append("type")
    if route.nexthops:
        wrong.append("nexthop")
    if not shape.free_gateway and route.gateway != shape.gateway:
        wrong.append("via")
    if not shape.free_dev and route.dev != shape.dev and shape.type == "unicast":
        wrong.append("dev")
    if route.protocol not in shape.protocols:
        wrong.append("proto")
    if route.scope != shape.scope:
        wrong.append("scope")
    if shape.onlink and not route.onlink:
        wrong.append("onlink")
    if route.metric not in shape.metrics:
        wrong.append("metric")
    return wrong


def describe(expected: ExpectedRoute) -> str:
    """The expected route as ``ip route`` would print it; ``<…>`` where several values are right."""
    shape = expected.shapes[0]
    dst = expected.dst[:-3] if expected.dst.endswith("/32") else expected.dst
    words = [dst] if shape.type == "unicast" else [shape.type, dst]
    if shape.gateway or shape.free_gateway:
        words += ["via", "<next hop towards %s>" % shape.gateway if shape.free_gateway else shape.gateway or ""]
    if shape.type == "unicast":
        words += ["dev", shape.dev if shape.dev and not shape.free_dev else "<uplink>"]
    if shape.protocols != ("boot",):
        words += ["proto", "|".join(shape.protocols)]
    if shape.scope != "global":
        words += ["scope", shape.scope]
    if shape.metrics != (0,):
        words += ["metric", "|".join(str(metric) for metric in shape.metrics)]
    return " ".join(words + (["onlink"] if shape.onlink else []))
