# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on resources: what a request for objects reads and writes in the Store, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import media
from .apply import record_update
from .decoding import IGNORE, STRICT, WARN, check_kind, decode_fields
from .errors import ApiError, bad_request, expired, invalid, invalid_value, method_not_allowed, no_such_resource, not_found
from .lifecycle import finalizers
from .media import Wanted, accepted, respond
from .pagination import Page, Pages
from .patching import check_type, patched
from .registry import Resource
from .rendering import render, render_list
from .request import RequestInfo, truth
from .selectors import object_match
from .store import Store
from .watch import Watch, WatchOptions, parse_revision

Object = dict[str, Any]

#: Kinds whose deletion is answered with the object, also when it is gone already.
_ANSWER_WITH_OBJECT = frozenset({"persistentvolumeclaims", "persistentvolumes", "pods", "resourcequotas", "serviceaccounts", "services"})
_ON_COLLECTIONS = frozenset({"create", "deletecollection", "list"})
_FIELD_VALIDATION = (STRICT, WARN, IGNORE)


@dataclass(frozen=True)
class Call:
    """A request on a resource, its body read."""

    request: web.Request
    info: RequestInfo
    resource: Resource
    body: bytes

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def wanted(self) -> Wanted:
        return accepted(self.request.headers.get("Accept", ""))

    @property
    def include(self) -> str:
        return self.query.get("includeObject", "Metadata")

    @property
    def manager(self) -> str:
        """Who writes: named, or the program's name from its User-Agent."""
        return self.query.get("fieldManager") or self.request.headers.get("User-Agent", "").partition("/")[0] or "unknown"

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept. Raises `ApiError` 422 for a value that is none."""
        values = self.request.query.getall("dryRun", [])
        if values and values != ["All"]:
            cause = f"Unsupported value: \"{values[0]}\": supported values: \"All\""
            raise ApiError(422, "Invalid", f'Options.meta.k8s.io "" is invalid: dryRun: {cause}')
        return bool(values)

    @property
    def validation(self) -> str:
        mode = self.query.get("fieldValidation") or WARN
        if mode not in _FIELD_VALIDATION:
            raise bad_request(f'fieldValidation parameter unsupported: "{mode}"')
        return mode


class Rest:
    """Answers calls on objects and collections, but not on connecting subresources."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages = Pages()

    async def answer(self, call: Call) -> web.StreamResponse:
        """Dispatch by verb. Raises `ApiError`."""
        verb = call.info.verb
        misplaced = verb != "watch" and bool(call.info.name) is (verb in _ON_COLLECTIONS)
        if verb not in call.resource.verbs or misplaced:
            raise method_not_allowed()
        if verb == "watch":
            return await self._watch(call)
        return {
            "get": self._get,
            "list": self._list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }[verb](call)

    # Reading

    def existing(self, call: Call) -> Object:
        """The Store's object the call names. Raises `ApiError` 404."""
        found = self._store.find(call.resource.name, call.info.name, call.info.namespace if call.resource.namespaced else None)
        if found is None:
            raise not_found(call.resource, call.info.name)
        return found

    def _get(self, call: Call) -> web.Response:
        return self._respond(call, self.existing(call))

    def _list(self, call: Call) -> web.Response:
        query, resource, store = call.query, call.resource, self._store
        wanted = call.wanted
        scope = "\n".join((call.info.path, query.get("labelSelector", ""), query.get("fieldSelector", "")))
        limit = _limit(query)
        if query.get("continue"):
            page = self._pages.following(scope, query["continue"], limit)
        else:
            _check_revision(query, store.revision)
            page = self._pages.first(scope, self._matching(call), store.revision, limit)
        counted = not (query.get("labelSelector") or query.get("fieldSelector"))
        return respond(wanted, render_list(resource, page, wanted, counted=counted, include=call.include))

    def _matching(self, call: Call) -> list[Object]:
        match = object_match(call.resource, call.query.get("labelSelector"), call.query.get("fieldSelector"))
        objects = self._store.scan(call.resource.name, call.info.namespace or None)
        return objects if match is None else [obj for obj in objects if match(obj)]

    async def _watch(self, call: Call) -> web.StreamResponse:
        query = call.query
        revision, initial = parse_revision(query.get("resourceVersion"))
        send_initial = query.get("sendInitialEvents")
        if send_initial is not None:
            initial = truth(send_initial)
            revision = None if initial else revision
        seconds = query.get("timeoutSeconds", "")
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
            timeout=float(seconds) if seconds.isdigit() and int(seconds) else None,
            include=call.include,
        )
        return await Watch(self._store, options).run(call.request)

    # Writing

    def _create(self, call: Call) -> web.Response:
        obj = self._decoded(call)
        warnings = decode_fields(call.resource, obj, call.validation)
        record_update(call.resource, None, obj, call.manager)
        created = self._store.create(call.resource.name, obj, dry_run=call.dry_run)
        return self._respond(call, created, 201, warnings)

    def _update(self, call: Call) -> web.Response:
        obj = self._decoded(call)
        metadata = obj["metadata"]
        metadata.setdefault("name", call.info.name)
        if metadata["name"] != call.info.name:
            raise bad_request(
                f'the name of the object ({metadata["name"]}) does not match the name on the URL ({call.info.name})'
            )
        if call.resource.custom and not metadata.get("resourceVersion"):
            why = invalid_value("metadata.resourceVersion", "0x0", "must be specified for an update")
            raise invalid(call.resource, call.info.name, [why])
        return self.replace(call, obj, call.info.subresource)

    def _patch(self, call: Call) -> web.Response:
        namespace = call.info.namespace if call.resource.namespaced else None
        live = self._store.find(call.resource.name, call.info.name, namespace)
        patch_type = media.media_types(call.request.headers.get("Content-Type", ""))[0][0]
        check_type(call.resource, patch_type)
        if live is None and (patch_type != media.APPLY or call.info.subresource):
            raise not_found(call.resource, call.info.name)
        obj = patched(call.resource, live, patch_type, call.body, call.query, call.info)
        if live is not None:
            return self.replace(call, obj, call.info.subresource, applied=patch_type == media.APPLY)
        warnings = decode_fields(call.resource, obj, call.validation)
        created = self._store.create(call.resource.name, obj, dry_run=call.dry_run)
        return self._respond(call, created, 201, warnings)

    def replace(self, call: Call, obj: Object, subresource: str, *, applied: bool = False) -> web.Response:
        """Write a whole object in place of the one the call names. ``applied``: its managers are recorded already."""
        warnings = decode_fields(call.resource, obj, call.validation)
        live = self.existing(call)
        obj["metadata"]["name"] = call.info.name
        if call.resource.namespaced:
            obj["metadata"]["namespace"] = call.info.namespace
        else:
            obj["metadata"].pop("namespace", None)
        if not applied:
            written = _written_part(live, obj, subresource) if call.resource.has_status else obj
            record_update(call.resource, live, written, call.manager, subresource)
            obj["metadata"]["managedFields"] = written["metadata"].get("managedFields")
        updated = self._store.update(call.resource.name, obj, subresource or None, dry_run=call.dry_run)
        return self._respond(call, updated, 200, warnings)

    def _delete(self, call: Call) -> web.Response:
        options = self._delete_options(call)
        namespace = call.info.namespace if call.resource.namespaced else None
        deleted = self._store.delete(call.resource.name, call.info.name, namespace, **options)
        left = self._store.find(call.resource.name, call.info.name, namespace)
        gone = left is None or left["metadata"]["uid"] != deleted["metadata"]["uid"]
        if options["dry_run"]:
            gone = not finalizers(deleted)
        if not gone or call.resource.name in _ANSWER_WITH_OBJECT:
            return self._respond(call, deleted)
        details = {"name": call.info.name, "group": call.resource.group, "kind": call.resource.plural, "uid": deleted["metadata"]["uid"]}
        details = {key: value for key, value in details.items() if value}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return respond(Wanted(call.wanted.media), status)

    def _delete_collection(self, call: Call) -> web.Response:
        options = self._delete_options(call)
        options.pop("preconditions")
        objects = self._matching(call)
        for obj in objects:
            metadata = obj["metadata"]
            if self._store.find(call.resource.name, metadata["name"], metadata.get("namespace")) is not None:
                self._store.delete(call.resource.name, metadata["name"], metadata.get("namespace"), **options)
        page = Page(objects, "", 0, self._store.revision)
        wanted = Wanted(call.wanted.media)
        return respond(wanted, render_list(call.resource, page, wanted, counted=True))

    def _delete_options(self, call: Call) -> dict[str, Any]:
        body: Object = {}
        if call.body:
            body = media.decode(call.body, call.request.headers.get("Content-Type", ""), "DeleteOptions") or {}
        query = call.query
        grace = query.get("gracePeriodSeconds", body.get("gracePeriodSeconds"))
        propagation = query.get("propagationPolicy") or body.get("propagationPolicy") or "Background"
        if truth(query.get("orphanDependents")) or body.get("orphanDependents"):
            propagation = "Orphan"
        return {
            "grace": None if grace is None else int(grace),
            "propagation": propagation,
            "preconditions": body.get("preconditions") or {},
            "dry_run": call.dry_run or body.get("dryRun") == ["All"],
        }

    # Bodies and answers

    def _decoded(self, call: Call) -> Object:
        obj = media.decode(call.body, call.request.headers.get("Content-Type", ""), call.resource.kind)
        obj = check_kind(call.resource, obj)
        metadata = obj["metadata"] = obj.get("metadata") or {}
        if call.resource.namespaced:
            if metadata.get("namespace") not in (None, "", call.info.namespace):
                raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
            if not call.info.namespace:
                raise no_such_resource()
            metadata["namespace"] = call.info.namespace
        return obj

    def _respond(self, call: Call, obj: Mapping[str, Any], status: int = 200, warnings: list[str] | None = None) -> web.Response:
        wanted = call.wanted
        response = respond(wanted, render(call.resource, obj, wanted, call.include), status)
        for warning in warnings or ():
            escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
            response.headers.add("Warning", f'299 - "{escaped}"')
        return response


def _written_part(live: Mapping[str, Any], obj: Object, subresource: str) -> Object:
    """What a write changes, for the record of who owns what: the status alone, or everything but the status."""
    if subresource:
        part = "spec" if subresource == "finalize" else "status"
        return {**live, part: obj.get(part) or {}, "metadata": dict(live["metadata"])}
    written = {**obj, "metadata": dict(obj["metadata"])}
    written.pop("status", None)
    if "status" in live:
        written["status"] = live["status"]
    return written


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", "")
    if text and not text.isdigit():
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text or 0)


def _check_revision(query: Mapping[str, str], revision: int) -> None:
    """A list can be had of now only, not of an exact moment that has passed or is to come."""
    text = query.get("resourceVersion", "")
    if not text or text == "0":
        return
    if not text.isdigit():
        raise bad_request(f'invalid resource version "{text}"')
    if query.get("resourceVersionMatch") == "Exact":
        if int(text) > revision:
            raise ApiError(500, "", "etcdserver: mvcc: required revision is a future revision")
        if int(text) < revision:
            raise expired("The resourceVersion for the provided list is too old.")
    elif int(text) > revision:
        message = f"Timeout: Too large resource version: {text}, current: {revision}"
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        raise ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})
