# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTML as a tree (private). ElementTree escapes every text and attribute when it writes: there is no other way out.

What is put in comes from clusters: a pod may be named ``<script>`` for all we know.
"""

from __future__ import annotations

import re
from typing import Optional, Union
from xml.etree import ElementTree

Element = ElementTree.Element
Child = Union[str, int, None, "Element", "list"]
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def element(tag: str, *children: Child, **attributes: Union[str, int, None]) -> Element:
    """``element("td", "text", class_="x")``: trailing underscores are dropped, other underscores become hyphens."""
    made = Element(tag)
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip("_").replace("_", "-"), _clean(str(value)))
    for child in children:
        _append(made, child)
    return made


def _append(parent: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, list):
        for entry in child:
            _append(parent, entry)
    elif isinstance(child, ElementTree.Element):
        parent.append(child)
    elif len(parent):
        parent[-1].tail = (parent[-1].tail or "") + _clean(str(child))
    else:
        parent.text = (parent.text or "") + _clean(str(child))


def _clean(text: str) -> str:
    """Without control characters, terminal colours among them."""
    return _CONTROL.sub("", re.sub("\x1b\\[[0-9;]*[A-Za-z]", "", text))


def table(head: "list[Child]", rows: "list[list[Child]]", class_: Optional[str] = None) -> Element:
    """A table that scrolls by itself where it is wider than the page."""
    made = element(
        "table",
        element("thead", element("tr", [element("th", cell, scope="col") for cell in head])),
        element("tbody", [element("tr", [element("td", cell) for cell in row]) for row in rows]),
        class_=class_,
    )
    return element("div", made, class_="wide", tabindex="0")


def document(head: Element, body: Element, language: str = "en") -> str:
    """The page as text."""
    html = element("html", head, body, lang=language)
    return "<!DOCTYPE html>\n" + ElementTree.tostring(html, encoding="unicode", method="html") + "\n"
