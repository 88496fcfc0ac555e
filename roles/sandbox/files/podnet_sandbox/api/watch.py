# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches: a stream of changes, from a list's resourceVersion or from the state at the start."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import protobuf
from .errors import ApiError
from .history import ADDED, DELETED, MODIFIED, Change
from .media import PROTOBUF, Wanted, encode
from .registry import Resource
from .rendering import render
from .selectors import Match
from .store import Store

#: Seconds a watch lasts that does not say (between one and two times this, as kube-apiserver).
_DEFAULT_TIMEOUT = 1800
_BOOKMARK_SECONDS = 60
#: How often a watch on which nothing happens looks whether its client is still there.
_LOOK_SECONDS = 5
#: Changes that a client may be behind; one that reads no more must not hold the past for ever.
_BEHIND = 2000
_PIECE = 1 << 16
_INITIAL_END = "k8s.io/initial-events-end"
_BOOKMARK = "BOOKMARK"

Object = Mapping[str, Any]


@dataclass(frozen=True)
class WatchOptions:
    """What is watched and how. ``revision`` None: from the state now, ``initial``: told as ADDED first."""

    resource: Resource
    namespace: str
    name: str
    match: Match | None
    wanted: Wanted
    revision: int | None
    initial: bool
    bookmarks: bool
    initial_end: bool
    timeout: float | None
    include: str = "Metadata"


class Watch:
    """One client's stream."""

    def __init__(self, store: Store, options: WatchOptions) -> None:
        self._store = store
        self._options = options
        self._pending: deque[tuple[str, Object]] = deque()
        self._room = _BEHIND
        self._abort: Callable[[], None] | None = None
        self._wake = asyncio.Event()
        self._revision = store.revision
        self._columns_sent = False
        self._failed = False

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Serve until the time is over or the client goes, or falls too far behind."""
        options = self._options
        self._abort = request.transport.abort if request.transport else None
        stop = self._store.history.follow(options.resource.name, self._follow)
        try:
            self._begin()
            framed = f"{PROTOBUF};stream=watch"
            content_type = framed if self._options.wanted.media == PROTOBUF else "application/json"
            response = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-cache, private"})
            response.enable_chunked_encoding()
            await response.prepare(request)
            timeout = options.timeout or random.uniform(1, 2) * _DEFAULT_TIMEOUT
            try:
                async with asyncio.timeout(timeout):
                    await self._pump(request, response)
            except TimeoutError:
                pass
            await response.write_eof()
        except ConnectionError:
            pass
        finally:
            stop()
        return response

    async def _pump(self, request: web.Request, response: web.StreamResponse) -> None:
        quiet = 0
        while request.transport is not None:  # None: the client went
            while self._pending:
                await response.write(self._some())
            if self._failed:
                return
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wake.wait()
                quiet = 0
            except TimeoutError:
                quiet += _LOOK_SECONDS
                if self._options.bookmarks and quiet % _BOOKMARK_SECONDS == 0:
                    self._bookmark()
            self._wake.clear()

    def _some(self) -> bytes:
        """What waits, as lines; no more than is sent in one go, so that what is not sent yet is not encoded either."""
        data = bytearray()
        while self._pending and len(data) < _PIECE:
            kind, obj = self._pending.popleft()
            data += self._line(kind, obj)
        return bytes(data)

    def _line(self, kind: str, obj: Object) -> bytes:
        data = protobuf.encode_event(kind, obj) if self._options.wanted.media == PROTOBUF else None
        return encode({"type": kind, "object": obj}) + b"\n" if data is None else data

    def _begin(self) -> None:
        options = self._options
        if options.revision is not None:
            try:
                changes = self._store.history.since(options.resource.name, options.revision)
            except ApiError as error:
                self._send("ERROR", error.status())
                self._failed = True
                return
            for change in changes:
                self._follow(change)
        elif options.initial:
            for obj in self._store.scan(options.resource.name, options.namespace or None):
                if self._selected(obj):
                    self._send(ADDED, self._shown(obj))
        if options.initial_end:
            self._bookmark({_INITIAL_END: "true"})
        self._room = len(self._pending) + _BEHIND

    def _follow(self, change: Change) -> None:
        """What a change means to this client: an object that stops matching is gone, one that begins to is new."""
        self._revision = change.revision
        now = change.type != DELETED and self._selected(change.obj)
        before = change.old is not None and self._selected(change.old)
        if now:
            self._send(MODIFIED if before else ADDED, self._shown(change.obj))
        elif before:
            last = change.obj if change.type == DELETED else _at(change.old or {}, change.revision)
            self._send(DELETED, self._shown(last))

    def _selected(self, obj: Object) -> bool:
        options, metadata = self._options, obj["metadata"]
        if options.namespace and metadata.get("namespace") != options.namespace:
            return False
        if options.name and metadata["name"] != options.name:
            return False
        return options.match is None or options.match(obj)

    def _shown(self, obj: Object) -> Object:
        shown = render(self._options.resource, obj, self._options.wanted, self._options.include)
        if self._options.wanted.shape != "Table":
            return shown
        if self._columns_sent:  # the columns are told once
            shown = {**shown, "columnDefinitions": None}
        self._columns_sent = True
        return shown

    def _bookmark(self, annotations: Mapping[str, str] | None = None) -> None:
        resource = self._options.resource
        metadata: dict[str, Any] = {"resourceVersion": str(max(self._revision, self._store.revision)), "creationTimestamp": None}
        if annotations:
            metadata["annotations"] = dict(annotations)
        body: Object = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        if self._options.wanted.shape == "Table":
            rows = [{"cells": [], "object": body}]
            body = {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": None, "rows": rows}
        self._send(_BOOKMARK, body)

    def _send(self, kind: str, obj: Object) -> None:
        if len(self._pending) >= self._room and self._abort:  # as kube-apiserver: it has to list again
            self._pending.clear()
            self._abort()
            return
        self._pending.append((kind, obj))
        self._wake.set()


def _at(obj: Object, revision: int) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(revision)}}
