# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages (``limit``, ``continue``): all pages of one list show the state at its first."""

from __future__ import annotations

import base64
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import bad_request, expired

#: Lists in progress that are remembered; an older one has to be started again.
_REMEMBERED = 64


@dataclass(frozen=True)
class Page:
    """Objects, the token of what follows ('' : nothing), how many follow, and the revision all pages are of."""

    objects: Sequence[Mapping[str, Any]]
    token: str
    remaining: int
    revision: int


class Pages:
    """Remembers what is left of lists."""

    def __init__(self) -> None:
        self._rest: OrderedDict[tuple[str, int, str], Sequence[Mapping[str, Any]]] = OrderedDict()

    def first(self, scope: str, objects: Sequence[Mapping[str, Any]], revision: int, limit: int) -> Page:
        """The first page of ``objects``; ``scope`` says what was listed (path and selectors)."""
        if not limit or len(objects) <= limit:
            return Page(objects, "", 0, revision)
        return self._page(scope, objects, revision, limit)

    def following(self, scope: str, token: str, limit: int) -> Page:
        """The page after ``token``. Raises `ApiError` 400 for no token, 410 for one too old."""
        revision, start = _read(token)
        objects = self._rest.get((scope, revision, start))
        if objects is None:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new list "
                "without the continue parameter."
            )
        if not limit or len(objects) <= limit:
            return Page(objects, "", 0, revision)
        return self._page(scope, objects, revision, limit)

    def _page(self, scope: str, objects: Sequence[Mapping[str, Any]], revision: int, limit: int) -> Page:
        shown, rest = objects[:limit], objects[limit:]
        last = shown[-1]["metadata"]
        start = f"{last['namespace']}/{last['name']}" if "namespace" in last else last["name"]
        self._rest[scope, revision, start] = rest
        while len(self._rest) > _REMEMBERED:
            self._rest.popitem(last=False)
        return Page(shown, _write(revision, start), len(rest), revision)


def _write(revision: int, start: str) -> str:
    content = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": f"{start}\0"}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def _read(token: str) -> tuple[int, str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(content["rv"]), str(content["start"]).rstrip("\0")
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request("continue key is not valid") from error
