# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on resources: what a request for objects reads and writes in the Store, and what it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from . import media, unenforced
from .apply import record_update
from .call import Call, check_place
from .decoding import check_kind, decode_fields
from .defaults import fill
from .errors import bad_request, conflict, invalid, invalid_value, method_not_allowed, not_found
from .lifecycle import default_propagation, finalizers
from .media import Wanted, respond
from .options import check_delete, check_list, check_table, check_write, number
from .pagination import Page
from .parts import with_part
from .patching import check_type, patched, refusal
from .reading import Reading
from .registry import Resource
from .rendering import render, render_list
from .request import truth
from .store import Store
from .structural import fill_defaults

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


class Rest:
    """Answers calls on objects and collections, but not on connecting subresources."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._reading = Reading(store)

    async def answer(self, call: Call) -> web.StreamResponse:
        """Dispatch by verb. Raises `ApiError`."""
        verb = call.info.verb
        check_place(call)
        misplaced = verb != "watch" and bool(call.info.name) is (verb in _ON_COLLECTIONS)
        if verb not in call.resource.verbs or misplaced:
            raise method_not_allowed()
        if call.wanted.shape == "Table":
            check_table(call.include)
        if verb == "watch":
            return await self._reading.watch(call)
        return {
            "get": self._get,
            "list": self._reading.list,
            "create": self._create,
            "update": self._update,
            "patch": self._patch,
            "delete": self._delete,
            "deletecollection": self._delete_collection,
        }[verb](call)

    def existing(self, call: Call) -> Object:
        """The Store's object the call names. Raises `ApiError` 404."""
        return self._reading.existing(call)

    def _get(self, call: Call) -> web.Response:
        return self._respond(call, self._reading.get(call))

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
        if not metadata.get("resourceVersion") and _is_conditional(call.resource):
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
            managed = written["metadata"].get("managedFields")
            obj["metadata"].pop("managedFields", None)
            if managed:
                obj["metadata"]["managedFields"] = managed
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
        objects = self._reading.matching(call)
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


def _is_conditional(resource: Resource) -> bool:
    return resource.custom or resource.aggregated or resource.name in _CONDITIONAL


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


def _check_name(obj: Mapping[str, Any], name: str) -> None:
    found = obj["metadata"].get("name")
    if not found:
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if found != name:
        raise bad_request(f"the name of the object ({found}) does not match the name on the URL ({name})")
