# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs that change nothing: get, list and watch, of what there is now or was at a revision."""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any

from aiohttp import web

from .call import Call
from .errors import ApiError, bad_request, expired, not_found, plain_error
from .media import respond
from .options import check_list, number
from .pagination import LATEST, forgotten, page_of, read_token
from .rendering import render_list
from .request import truth
from .selectors import object_match
from .store import Store
from .watch import Watch, WatchOptions

Object = dict[str, Any]


class Reading:
    """Answers from ``store``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def existing(self, call: Call) -> Object:
        """The Store's object the call names. Raises `ApiError` 404."""
        found = self._store.find(call.resource.name, call.info.name, call.namespace)
        if found is None:
            raise not_found(call.resource, call.info.name)
        return found

    def get(self, call: Call) -> Object:
        """One object. Raises `ApiError`: 404, 500, 504."""
        asked_revision(call.query.get("resourceVersion", ""), self._store.revision)
        return self.existing(call)

    def list(self, call: Call) -> web.Response:
        """A page of objects. Raises `ApiError`."""
        query, wanted = call.query, call.wanted
        check_list(call.request.query, watch=False)
        limit, _ignored = max(0, number(query, "limit") or 0), number(query, "timeoutSeconds")
        if query.get("resourceVersion") == "0" and not query.get("continue"):
            limit = 0  # the watch cache, which answers then, knows no pages
        start, objects, revision = self._moment(call, limit)
        mixed = call.resource.namespaced and not call.info.namespace
        page = page_of(objects, revision, limit, start=start, mixed=mixed)
        counted = not (query.get("labelSelector") or query.get("fieldSelector"))
        return respond(wanted, render_list(call.resource, page, wanted, counted=counted, include=call.include))

    def _moment(self, call: Call, limit: int) -> tuple[str, builtins.list[Object], int]:
        """After which name a list goes on, what there is at its moment, and which that is. Raises `ApiError`: 400, 410, 500, 504."""
        query, now = call.query, self._store.revision
        text = query.get("resourceVersion", "")
        if query.get("continue"):
            if text not in ("", "0"):
                raise bad_request("specifying resource version is not allowed when using continue")
            token = read_token(query["continue"])
            if token.revision == LATEST:
                return token.start, self.matching(call), now
            try:
                return token.start, self.matching(call, token.revision), token.revision
            except ApiError as error:
                raise (forgotten(token) if error.code == 410 else error) from error
        match = query.get("resourceVersionMatch", "")
        exact = text not in ("", "0") and (match == "Exact" or (limit > 0 and not match))
        revision = asked_revision(text, now, exact=exact)
        if not exact:
            return "", self.matching(call), now
        try:
            return "", self.matching(call, revision), revision
        except ApiError as error:
            raise (expired("The resourceVersion for the provided list is too old.") if error.code == 410 else error) from error

    def matching(self, call: Call, revision: int | None = None) -> builtins.list[Object]:
        """What the selectors select, of what there is now or was at ``revision``."""
        match = object_match(call.resource, call.query.get("labelSelector"), call.query.get("fieldSelector"))
        namespace = call.info.namespace or None
        if revision is None or revision == self._store.revision:
            objects = self._store.scan(call.resource.name, namespace)
        else:
            objects = self._store.scan_at(call.resource.name, revision, namespace)
        return objects if match is None else [obj for obj in objects if match(obj)]

    async def watch(self, call: Call) -> web.StreamResponse:
        """What becomes of objects, until the time is over. Raises `ApiError`."""
        query = call.query
        check_list(call.request.query, watch=True)
        asked = asked_revision(query.get("resourceVersion", ""), sys.maxsize)  # a watch may wait for what is to come
        revision, initial = asked or None, not asked
        send_initial = query.get("sendInitialEvents")
        if send_initial is not None:
            initial = truth(send_initial)
            revision = None if initial else revision
        seconds = number(query, "timeoutSeconds")
        options = WatchOptions(
            resource=call.resource,
            namespace=call.info.namespace if call.resource.namespaced else "",
            name=call.info.name,
            match=object_match(call.resource, query.get("labelSelector"), query.get("fieldSelector")),
            wanted=call.wanted,
            revision=revision,
            initial=initial,
            bookmarks=truth(query.get("allowWatchBookmarks")),
            initial_end=initial and truth(send_initial) and truth(query.get("allowWatchBookmarks")),
            timeout=float(seconds) if seconds else None,
            include=call.include,
        )
        return await Watch(self._store, options).run(call.request)


#: More are out of range, and may be more than Python reads.
_UINT64_DIGITS = 20


def asked_revision(text: str, now: int, *, exact: bool = False) -> int:
    """The revision a reader asks for: the present one must not be older, or, ``exact``, it must have come. Raises `ApiError`."""
    if not text or text == "0":
        return 0
    digits = text.isascii() and text.isdigit()
    if not digits or len(text) > _UINT64_DIGITS:
        shown = json.dumps(text, ensure_ascii=False)
        wrong = "value out of range" if digits else "invalid syntax"
        why = f"resourceVersion: Invalid value: {shown}: strconv.ParseUint: parsing {shown}: {wrong}"
        raise bad_request(f"invalid resource version: {why}") if exact else plain_error(why)
    if int(text) > now:
        if exact:
            raise plain_error("etcdserver: mvcc: required revision is a future revision")
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        message = f"Timeout: Too large resource version: {text}, current: {now}"
        raise ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})
    return int(text)
