# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parsers of iproute2 output share (private): telling JSON from text, the error, prefixes as iproute2 writes them."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Iterable, List, Tuple, TypeVar

T = TypeVar("T")
# Ubuntu's iproute2 prints its own feature's name bare into a VXLAN device's JSON (seen: 6.1.0-1ubuntu6, on a kernel without that feature).
_FAN_MAP = re.compile(r'("id":\d+)fan-map [^,"{}]*(?=[,}])')


class ParseError(ValueError):
    """Output that is not what the command prints; the message quotes the place."""


def parse(output: str, what: str, from_json: Callable[[dict], Iterable[T]], from_text: Callable[[str], Iterable[T]]) -> Tuple[T, ...]:
    """``output`` of the command that lists ``what``, as JSON if it looks like it, else as text.

    Empty output is an empty list: iproute2 before 5.x prints nothing at all for an empty ``-j`` listing.
    """
    stripped = output.lstrip()
    if stripped.startswith("{"):
        raise ParseError("%s: an object, where the command prints a list: %.60r" % (what, stripped))
    if not stripped.startswith("["):
        return tuple(from_text(output))
    try:
        entries = json.loads(_FAN_MAP.sub(r"\1", stripped))
    except ValueError as error:
        raise ParseError("%s: JSON cut off or damaged: %s" % (what, error))
    found: List[T] = []
    for entry in entries:
        if not entry:  # iproute2 leaves an empty object where a filter dropped an entry
            continue
        try:
            found.extend(from_json(entry))
        except (KeyError, TypeError, AttributeError) as error:
            raise ParseError("%s: unexpected entry %.200s (%s)" % (what, json.dumps(entry), error))
    return tuple(found)


def cidr(destination: str, ipv6: bool = False) -> str:
    """A destination as iproute2 prints it, with its prefix length: ``default`` and bare hosts have none there."""
    if destination == "default":
        return "::/0" if ipv6 else "0.0.0.0/0"
    if "/" in destination:
        return destination
    return destination + ("/128" if ":" in destination else "/32")


def shorten(prefix: str) -> str:
    """A CIDR as iproute2 prints it: the inverse of ``cidr``."""
    if prefix in ("0.0.0.0/0", "::/0"):
        return "default"
    address, length = prefix.rsplit("/", 1)
    return address if length == ("128" if ":" in address else "32") else prefix


def drop_none(entry: dict) -> Any:
    """The entry without the keys that are absent, as ``ip -j`` prints it."""
    return {key: value for key, value in entry.items() if value is not None}
