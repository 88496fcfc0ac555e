# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path as a picture (private): pod, host, host, pod, with the route that decides at each and the TTL between them."""

from __future__ import annotations

from typing import List, Tuple

from .._iproute import route_text
from .._model import Hop, Path
from .elements import Element, element

_WIDTH, _GAP, _BOX_HEIGHT = 190, 58, 104
_TOP = 26
_LINE = 24  # characters of the small type that fit a box


def path_diagram(path: Path) -> Element:
    """An SVG that scrolls where it is wider than the page and tells a screen reader where the path goes."""
    boxes = _boxes(path)
    width = len(boxes) * _WIDTH + (len(boxes) - 1) * _GAP
    height = _TOP + _BOX_HEIGHT + 8
    parts: List[Element] = [_arrow_head()]
    for index, (kind, title, lines) in enumerate(boxes):
        parts += _box(index * (_WIDTH + _GAP), kind, title, lines)
    for index, (ttl, how) in enumerate(_arrows(path, len(boxes))):
        parts += _arrow(index * (_WIDTH + _GAP) + _WIDTH, ttl, how)
    label = "%s to %s: %s" % (path.source, path.destination, path.outcome)
    svg = element("svg", parts, width=width, height=height, role="img", class_="path", aria_label=label)
    svg.set("viewBox", "0 0 %d %d" % (width, height))
    return element("figure", element("div", svg, class_="wide", tabindex="0"), element("figcaption", _caption(path)))


def _caption(path: Path) -> str:
    if path.outcome == "delivered":
        way = "through a tunnel" if path.encapsulated else "without encapsulation"
        return "By the routes that were read: delivered %s, with TTL %s." % (way, path.ttl)
    return "By the routes that were read: %s: %s." % (path.outcome, path.reason)


def _boxes(path: Path) -> List[Tuple[str, str, List[str]]]:
    boxes: List[Tuple[str, str, List[str]]] = []
    for hop in path.hops:
        kind = "pod" if hop.kind == "pod" else "node"
        boxes.append((kind, hop.place.rpartition("/")[2], _lines(hop, path)))
    if path.outcome == "delivered":
        boxes.append(("pod", path.destination.rpartition("/")[2], [path.destination_address]))
    else:
        boxes.append(("lost", path.outcome, _wrap(path.reason or "")))
    return boxes


def _lines(hop: Hop, path: Path) -> List[str]:
    first = [path.source_address] if hop.kind == "pod" else []
    if hop.route is None:
        return first + ["route not observed"]
    return first + _wrap(route_text(hop.route).splitlines()[0])


def _wrap(text: str) -> List[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _LINE:
            lines.append("")
        lines[-1] = (lines[-1] + " " + word).strip()
    return lines[:4]


def _arrows(path: Path, boxes: int) -> List[Tuple[str, str]]:
    """(TTL, device) under each arrow: the TTL is the packet's as it arrives at the next box."""
    arrows = []
    for index, hop in enumerate(path.hops[: boxes - 1]):
        following = path.hops[index + 1].ttl if index + 1 < len(path.hops) else path.ttl
        arrows.append(("ttl %s" % following if following else "", hop.device if hop.kind == "node" else "eth0"))
    return [(ttl, how or "") for ttl, how in arrows]


def _box(x: int, kind: str, title: str, lines: List[str]) -> List[Element]:
    shown = title if len(title) <= 25 else title[:24] + "…"
    made = [
        element("rect", x=x + 1, y=_TOP, width=_WIDTH - 2, height=_BOX_HEIGHT, rx=10, class_="box " + kind),
        element("text", shown, element("title", title), x=x + 12, y=_TOP + 22, class_="name"),
    ]
    for number, line in enumerate(lines):
        made.append(element("text", line, x=x + 12, y=_TOP + 42 + 15 * number, class_="small"))
    return made


def _arrow(x: int, ttl: str, device: str) -> List[Element]:
    middle = _TOP + _BOX_HEIGHT // 2
    line = element("line", x1=x + 4, y1=middle, x2=x + _GAP - 8, y2=middle, class_="wire")
    line.set("marker-end", "url(#head)")
    return [
        line,
        element("text", ttl, x=x + _GAP // 2, y=middle - 9, class_="ttl", text_anchor="middle"),
        element("text", _short(device), x=x + _GAP // 2, y=middle + 18, class_="device", text_anchor="middle"),
    ]


def _short(device: str) -> str:
    """A device's name as far as it fits between two boxes; the route in the box has all of it."""
    return device if len(device) <= 7 else device[:5] + "…"


def _arrow_head() -> Element:
    shape = element("path", d="M0,0 L8,4 L0,8 z", class_="head")
    marker = element("marker", shape, id="head", refX=7, refY=4, orient="auto")
    marker.set("markerWidth", "8")
    marker.set("markerHeight", "8")
    return element("defs", marker)
