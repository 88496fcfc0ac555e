# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists in pages (``limit``, ``continue``): all pages of one list show the state at its first.

Nothing is remembered between pages: a token holds the revision and the last name, as kube-apiserver's does.
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ApiError, bad_request, expired

_VERSION = "meta.k8s.io/v1"
#: The revision in a token that goes on with the state there is now.
LATEST = -1
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
    "token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
    "returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """Objects, the token of what follows ('' : nothing), how many follow, and the revision all pages are of."""

    objects: Sequence[Mapping[str, Any]]
    token: str
    remaining: int
    revision: int


@dataclass(frozen=True)
class Token:
    """Where a list goes on: ``revision`` (`LATEST`: now), and after which name (``namespace/name`` where namespaces are mixed)."""

    revision: int
    start: str


def page_of(objects: Sequence[Mapping[str, Any]], revision: int, limit: int, *, start: str = "", mixed: bool = False) -> Page:
    """The ``limit`` (0: all) objects after ``start``. ``mixed``: they are of all namespaces."""
    if start:
        objects = objects[bisect_right([_place(obj, mixed) for obj in objects], tuple(start.split("/"))) :]
    if not limit or len(objects) <= limit:
        return Page(objects, "", 0, revision)
    last = "/".join(_place(objects[limit - 1], mixed))
    return Page(objects[:limit], _write(revision, f"{last}\0"), len(objects) - limit, revision)


def read_token(text: str) -> Token:
    """A ``continue`` parameter. Raises `ApiError` 400 for what is none."""
    wrong = next((index for index, character in enumerate(text) if not (character.isalnum() or character in "-_")), None)
    if wrong is None and len(text) % 4 == 1:
        wrong = len(text) - 1
    if wrong is not None:
        raise _invalid(f": illegal base64 data at input byte {wrong}")
    try:
        content = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        version, revision, start = content.get("v", ""), int(content.get("rv", 0)), str(content.get("start", ""))
    except (ValueError, TypeError, AttributeError) as error:
        raise _invalid(": invalid character looking for beginning of value") from error
    if version != _VERSION:
        raise _invalid(f": server does not recognize this encoded version {version}")
    if not revision:
        raise _invalid(f": incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise _invalid(f": encoded start key empty (version {_VERSION})")
    return Token(revision, start.rstrip("\0"))


def forgotten(token: Token) -> ApiError:
    """The refusal (410) of a token whose revision is forgotten, with one that goes on regardless."""
    refusal = expired(_TOO_OLD)
    refusal.metadata = {"continue": _write(LATEST, f"{token.start}\0")}
    return refusal


def _place(obj: Mapping[str, Any], mixed: bool) -> tuple[str, ...]:
    metadata = obj["metadata"]
    return (metadata["namespace"], metadata["name"]) if mixed and "namespace" in metadata else (metadata["name"],)


def _write(revision: int, start: str) -> str:
    content = json.dumps({"v": _VERSION, "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def _invalid(why: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid{why}")
