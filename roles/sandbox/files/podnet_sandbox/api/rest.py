# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on resources: what a request for objects reads and writes in the Store, and what it is answered."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import media, unenforced
from .apply import record_update
from .decoding import WARN, check_kind, decode_fields
from .defaults import fill
from .errors import (
    ApiError,
    bad_request,
    conflict,
    expired,
    invalid,
    invalid_value,
    method_not_allowed,
    no_such_resource,
    not_found,
    plain_error,
)
from .lifecycle import default_propagation, finalizers
from .media import Wanted, accepted, respond
from .options import check_delete, check_list, check_table, check_write, number
from .pagination import LATEST, Page, forgotten, page_of, read_token
from .parts import with_part
from .patching import check_type, patched, refusal
from .registry import Resource
from .rendering import render, render_list
from .request import RequestInfo, truth
from .selectors import object_match
from .store import Store
from .structural import fill_defaults
from .watch import Watch, WatchOptions

Object = dict[str, Any]

#: Kinds whose deletion is answered with the object, also when it is gone already.
_ANSWER_WITH_OBJECT = frozenset({"persistentvolumeclaims", "persistentvolumes", "pods", "resourcequotas", "serviceaccounts", "services"})
_ON_COLLECTIONS = frozenset({"create", "deletecollection", "list"})
_RBAC = "rbac.authorization.k8s.io"
#: Kinds that an update makes where they are not (their strategies' AllowCreateOnUpdate).
_MADE_BY_UPDATE = frozenset({
    "endpoints", "events", "leases.coordination.k8s.io", "limitranges", "services",
    *(f"{plural}.{_RBAC}" for plural in ("clusterrolebindings", "clusterroles", "rolebindings", "roles")),
})  # fmt: skip
#: Kinds that are updated from a resourceVersion only, as custom resources are (AllowUnconditionalUpdate).
_CONDITIONAL = frozenset({
    "apiservices.apiregistration.k8s.io", "customresourcedefinitions.apiextensions.k8s.io", "leases.coordination.k8s.io",
    "poddisruptionbudgets.policy",
})  # fmt: skip
_OTHER_NAMESPACE = "the namespace of the provided object does not match the namespace sent on the request"


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
        return accepted(self.request.headers.get("Accept", ""), protobuf_too=not self.resource.custom)

    @property
    def include(self) -> str:
        return self.query.get("includeObject", "Metadata")

    @property
    def manager(self) -> str:
        """Who writes: named, or the program's name from its User-Agent."""
        return self.query.get("fieldManager") or self.request.headers.get("User-Agent", "").partition("/")[0] or "unknown"

    @property
    def dry_run(self) -> bool:
        """Whether nothing is to be kept."""
        return "dryRun" in self.query

    @property
    def validation(self) -> str:
        """What is said of unknown fields."""
        return self.query.get("fieldValidation") or WARN

    @property
    def namespace(self) -> str | None:
        """Where the object is, as the Store names it."""
        return self.info.namespace if self.resource.namespaced else None


class Rest:
    """Answers calls on objects and collections, but not on connecting subresources."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(self, call: Call) -> web.StreamResponse:
        """Dispatch by verb. Raises `ApiError`."""
        verb = call.info.verb
        _check_place(call)
        misplaced = verb != "watch" and bool(call.info.name) is (verb in _ON_COLLECTIONS)
        if verb not in call.resource.verbs or misplaced:
            raise method_not_allowed()
        if call.wanted.shape == "Table":
            check_table(call.include)
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
        found = self._store.find(call.resource.name, call.info.name, call.namespace)
        if found is None:
            raise not_found(call.resource, call.info.name)
        return found

    def _get(self, call: Call) -> web.Response:
        asked_revision(call.query.get("resourceVersion", ""), self._store.revision)
        return self._respond(call, self.existing(call))

    def _list(self, call: Call) -> web.Response:
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

    def _moment(self, call: Call, limit: int) -> tuple[str, list[Object], int]:
        """After which name a list goes on, what there is at its moment, and which that is. Raises `ApiError`: 400, 410, 500, 504."""
        query, now = call.query, self._store.revision
        text = query.get("resourceVersion", "")
        if query.get("continue"):
            if text not in ("", "0"):
                raise bad_request("specifying resource version is not allowed when using continue")
            token = read_token(query["continue"])
            if token.revision == LATEST:
                return token.start, self._matching(call), now
            try:
                return token.start, self._matching(call, token.revision), token.revision
            except ApiError as error:
                raise (forgotten(token) if error.code == 410 else error) from error
        match = query.get("resourceVersionMatch", "")
        exact = text not in ("", "0") and (match == "Exact" or (limit > 0 and not match))
        revision = asked_revision(text, now, exact=exact)
        if not exact:
            return "", self._matching(call), now
        try:
            return "", self._matching(call, revision), revision
        except ApiError as error:
            raise (expired("The resourceVersion for the provided list is too old.") if error.code == 410 else error) from error

    def _matching(self, call: Call, revision: int | None = None) -> list[Object]:
        """What the selectors select, of what there is now or was at ``revision``."""
        match = object_match(call.resource, call.query.get("labelSelector"), call.query.get("fieldSelector"))
        namespace = call.info.namespace or None
        if revision is None or revision == self._store.revision:
            objects = self._store.scan(call.resource.name, namespace)
        else:
            objects = self._store.scan_at(call.resource.name, revision, namespace)
        return objects if match is None else [obj for obj in objects if match(obj)]

    async def _watch(self, call: Call) -> web.StreamResponse:
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

    # Writing

    def _create(self, call: Call) -> web.Response:
        check_write(call.request.query, "CreateOptions")
        obj = self._decoded(call)
        return self._make(call, obj, decode_fields(call.resource, obj, call.validation))

    def _make(self, call: Call, obj: Object, warnings: list[str], *, applied: bool = False) -> web.Response:
        """Add an object. ``applied``: its managers are recorded already."""
        if not applied:
            complete(call.resource, obj)
            written = obj  # a status is not made with its object
            if call.resource.has_status and call.resource.name != "nodes":
                written = {key: value for key, value in obj.items() if key != "status"}
            record_update(call.resource, None, written, call.manager)
        created = self._store.create(call.resource.name, obj, dry_run=call.dry_run)
        return self._respond(call, created, 201, warnings)

    def _update(self, call: Call) -> web.Response:
        check_write(call.request.query, "UpdateOptions")
        obj = self._decoded(call)
        warnings = decode_fields(call.resource, obj, call.validation)
        metadata, name = obj["metadata"], call.info.name
        _check_name(obj, name)
        if call.resource.name in _MADE_BY_UPDATE and self._store.find(call.resource.name, name, call.namespace) is None:
            return self._make(call, obj, warnings)
        live = self.existing(call)
        if metadata.get("uid") not in (None, "", live["metadata"]["uid"]):
            why = f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {live['metadata']['uid']}"
            raise conflict(call.resource, name, why)
        if not metadata.get("resourceVersion") and (call.resource.custom or call.resource.name in _CONDITIONAL):
            why = invalid_value("metadata.resourceVersion", "0x0", "must be specified for an update")
            raise invalid(call.resource, name, [why])
        return self._replace(call, live, obj, warnings)

    def _patch(self, call: Call) -> web.Response:
        patch_type = media.media_types(call.request.headers.get("Content-Type", ""))[0][0]
        check_type(call.resource, patch_type)
        applies = patch_type == media.APPLY
        check_write(call.request.query, "PatchOptions", applies=applies)
        live = self._store.find(call.resource.name, call.info.name, call.namespace)
        if live is None and (not applies or call.info.subresource):
            raise not_found(call.resource, call.info.name)
        obj = patched(call.resource, live, patch_type, call.body, call.query, call.info)
        warnings = decode_fields(call.resource, obj, call.validation, refusal(patch_type, call.body, obj))
        if call.resource.namespaced and obj["metadata"].get("namespace") != call.info.namespace:
            raise bad_request(_OTHER_NAMESPACE)
        _check_name(obj, call.info.name)
        if live is not None:
            return self._replace(call, live, obj, warnings, applied=applies)
        if obj["metadata"].get("uid"):
            why = f"uid mismatch: the provided object specified uid {obj['metadata']['uid']}, and no existing object was found"
            raise conflict(call.resource, call.info.name, why)
        return self._make(call, obj, warnings, applied=True)

    def _replace(self, call: Call, live: Object, obj: Object, warnings: list[str], *, applied: bool = False) -> web.Response:
        """Write a whole object, or the part of it the subresource is. ``applied``: its managers are recorded already."""
        subresource = call.info.subresource
        if not applied:
            if not subresource:
                complete(call.resource, obj)
            written = _written_part(live, obj, subresource) if call.resource.has_status else obj
            record_update(call.resource, live, written, call.manager, subresource)
            obj["metadata"].pop("managedFields", None)
            if written["metadata"].get("managedFields"):
                obj["metadata"]["managedFields"] = written["metadata"]["managedFields"]
        updated = self._store.update(call.resource.name, obj, subresource or None, dry_run=call.dry_run)
        return self._respond(call, updated, 200, warnings)

    def _delete(self, call: Call) -> web.Response:
        options = self._delete_options(call)
        deleted = self._store.delete(call.resource.name, call.info.name, call.namespace, **options)
        left = self._store.find(call.resource.name, call.info.name, call.namespace)
        gone = left is None or left["metadata"]["uid"] != deleted["metadata"]["uid"] or options["dry_run"]
        gone = gone and not finalizers(deleted)  # what it waited for may have happened already
        if not gone or call.resource.name in _ANSWER_WITH_OBJECT:
            return self._respond(call, deleted)
        details = {"name": call.info.name, "group": call.resource.group, "kind": call.resource.plural, "uid": deleted["metadata"]["uid"]}
        details = {key: value for key, value in details.items() if value}
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return respond(Wanted(call.wanted.media), status)

    def _delete_collection(self, call: Call) -> web.Response:
        check_list(call.request.query, watch=False)
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
        if not body:
            body = {"gracePeriodSeconds": number(query, "gracePeriodSeconds"), "propagationPolicy": query.get("propagationPolicy")}
            body["dryRun"] = call.request.query.getall("dryRun", [])
            if "orphanDependents" in query:
                body["orphanDependents"] = truth(query["orphanDependents"])
        check_delete(body)
        propagation = body.get("propagationPolicy") or default_propagation(call.resource)
        if body.get("orphanDependents") is not None:
            propagation = "Orphan" if body["orphanDependents"] else "Background"
        return {
            "grace": body.get("gracePeriodSeconds"),
            "propagation": propagation,
            "preconditions": body.get("preconditions") or {},
            "dry_run": bool(body.get("dryRun")),
        }

    # Bodies and answers

    def _decoded(self, call: Call) -> Object:
        obj = media.decode(call.body, call.request.headers.get("Content-Type", ""), call.resource.kind)
        obj = check_kind(call.resource, obj, known=self._is_known(obj))
        metadata = obj["metadata"] = obj.get("metadata") or {}
        if call.resource.namespaced:
            if metadata.get("namespace") not in (None, "", call.info.namespace):
                raise bad_request(_OTHER_NAMESPACE)
            metadata["namespace"] = call.info.namespace
        else:
            metadata.pop("namespace", None)
        return obj

    def _is_known(self, obj: Any) -> bool:
        """Whether there is a kind like that of an object at all."""
        if not isinstance(obj, dict) or not obj.get("apiVersion") or not obj.get("kind"):
            return True
        found = self._store.resources.by_kind(obj["apiVersion"], obj["kind"])
        return found is not None and not found.custom

    def _respond(self, call: Call, obj: Mapping[str, Any], status: int = 200, warnings: list[str] | None = None) -> web.Response:
        wanted = call.wanted
        response = respond(wanted, render(call.resource, obj, wanted, call.include), status)
        said = list(warnings or ())
        if call.info.verb in ("create", "patch", "update") and unenforced.warning(call.resource):
            said.append(unenforced.warning(call.resource))
        for warning in said:
            escaped = warning.replace("\\", "\\\\").replace('"', '\\"')
            response.headers.add("Warning", f'299 - "{escaped}"')
        return response


def _written_part(live: Mapping[str, Any], obj: Object, subresource: str) -> Object:
    """What a write changes, for the record of who owns what: a part of it, or everything but the status."""
    if subresource:
        return {**with_part(live, obj, subresource), "metadata": dict(live["metadata"])}
    written = {**obj, "metadata": dict(obj["metadata"])}
    written.pop("status", None)
    if "status" in live:
        written["status"] = live["status"]
    return written


def complete(resource: Resource, obj: Object) -> None:
    """Fill in what the decoder does: who writes an object owns its defaults too, but not what admission adds."""
    if resource.custom and resource.schema is not None:
        fill_defaults(resource.schema, obj)
    fill(resource, obj)


def _check_place(call: Call) -> None:
    """Refuse paths that are no resource's: a namespace too few or too many. Raises `ApiError`."""
    info, resource = call.info, call.resource
    if resource.name == "namespaces":
        return
    if resource.namespaced and not info.namespace and info.verb == "create":
        raise method_not_allowed()
    if (resource.namespaced and not info.namespace and info.name) or (info.namespace and not resource.namespaced):
        raise no_such_resource()


def _check_name(obj: Mapping[str, Any], name: str) -> None:
    found = obj["metadata"].get("name")
    if not found:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if found != name:
        raise bad_request(f"the name of the object ({found}) does not match the name on the URL ({name})")


def asked_revision(text: str, now: int, *, exact: bool = False) -> int:
    """The revision a reader asks for: the present one must not be older, or, ``exact``, it must have come. Raises `ApiError`."""
    if not text or text == "0":
        return 0
    if not (text.isascii() and text.isdigit()):
        shown = json.dumps(text, ensure_ascii=False)
        why = f"resourceVersion: Invalid value: {shown}: strconv.ParseUint: parsing {shown}: invalid syntax"
        raise bad_request(f"invalid resource version: {why}") if exact else plain_error(why)
    if int(text) > now:
        if exact:
            raise plain_error("etcdserver: mvcc: required revision is a future revision")
        cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
        message = f"Timeout: Too large resource version: {text}, current: {now}"
        raise ApiError(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1})
    return int(text)
