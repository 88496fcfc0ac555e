# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies below an object's path: status, scale, eviction, binding, tokens, a pod's log and its streams."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from . import media
from .call import Call
from .decoding import check_kind
from .disruption import check_budget, mark_evicted
from .errors import ApiError, bad_request, method_not_allowed, no_such_resource, unsupported_media_type
from .logs import serve_logs
from .media import Wanted, respond
from .parts import EPHEMERAL_CONTAINERS, FINALIZE
from .patching import patched_by, read_patch
from .pod_containers import container_of
from .rest import Rest
from .reviews import Reviews
from .runtime import Runtime
from .scale import scale_of, scaled
from .store import Store
from .streaming.port_forward import serve_port_forward
from .streaming.remote_command import wanted_streams
from .streaming.sessions import serve_session


class Subresources:
    """Answers calls whose path goes on below an object's name."""

    def __init__(self, store: Store, rest: Rest, reviews: Reviews, runtime: Runtime) -> None:
        self._store, self._rest, self._reviews, self._runtime = store, rest, reviews, runtime

    async def answer(self, call: Call) -> web.StreamResponse:
        """Dispatch by subresource. Raises `ApiError`."""
        subresource = call.resource.subresource(call.info.subresource)
        if subresource is None:
            raise no_such_resource()
        if call.info.verb not in subresource.verbs:
            raise method_not_allowed()
        if subresource.name in ("status", FINALIZE, EPHEMERAL_CONTAINERS):
            return await self._rest.answer(call)
        if subresource.name == "scale":
            return self._scale(call)
        if subresource.name == "token":
            request = self._body(call, "TokenRequest", "authentication.k8s.io/v1")
            return respond(Wanted(), self._reviews.token(call.info.namespace, call.info.name, request), 201)
        return await self._of_pod(call)

    async def _of_pod(self, call: Call) -> web.StreamResponse:
        pod, info = self._rest.existing(call), call.info
        if info.subresource == "eviction":
            return self._evict(call)
        if info.subresource == "binding":
            return self._bind(call)
        if info.subresource == "log":
            return await serve_logs(call.request, self._runtime, pod)
        return await self._stream(call, pod)

    async def _stream(self, call: Call, pod: dict[str, Any]) -> web.StreamResponse:
        """Exec, attach, port-forward."""
        kind, query, pod_path = call.info.subresource, call.request.query, (call.info.namespace, call.info.name)
        container = "" if kind == "portforward" else container_of(pod, query.get("container", ""))
        if not pod["spec"].get("nodeName"):
            raise bad_request(f"pod {call.info.name} does not have a host assigned")
        if kind == "portforward":
            return await serve_port_forward(call.request, partial(self._runtime.connect, *pod_path))
        wanted = wanted_streams(query)
        if kind == "attach":
            start = partial(self._runtime.attach, *pod_path, container, stdin=wanted.stdin)
            return await serve_session(call.request, start, wanted, ())
        command = query.getall("command", [])
        if not command:
            raise bad_request("you must specify at least one command for the container")
        start = partial(self._runtime.exec, *pod_path, container, command, stdin=wanted.stdin, tty=wanted.tty)
        return await serve_session(call.request, start, wanted, command)

    def _scale(self, call: Call) -> web.Response:
        obj = self._rest.existing(call)
        if call.info.verb == "get":
            return respond(call.wanted, scale_of(call.resource, obj))
        if call.info.verb == "update":
            scale = self._body(call, "Scale", "autoscaling/v1")
        else:
            patch_type = media.media_types(call.request.headers.get("Content-Type", ""))[0][0]
            if patch_type not in (media.JSON_PATCH, media.MERGE_PATCH, media.STRATEGIC_PATCH):
                raise unsupported_media_type((media.JSON_PATCH, media.MERGE_PATCH))
            scale = patched_by(call.resource, scale_of(call.resource, obj), patch_type, read_patch(patch_type, call.body))
        updated = self._store.update(call.resource.name, scaled(call.resource, obj, scale), dry_run=call.dry_run)
        return respond(Wanted(), scale_of(call.resource, updated))

    def _evict(self, call: Call) -> web.Response:
        """Delete a pod with its grace, where its disruption budget has one to spare."""
        eviction = self._body(call, "Eviction", "policy/v1")
        named = (eviction.get("metadata") or {}).get("name") or call.info.name
        if named != call.info.name:
            raise bad_request("name in URL does not match name in Eviction object")
        options = eviction.get("deleteOptions") or {}
        grace = options.get("gracePeriodSeconds")
        dry_run = call.dry_run or options.get("dryRun") == ["All"]
        check_budget(self._store, self._rest.existing(call), dry_run=dry_run)
        name, namespace, preconditions = call.info.name, call.info.namespace, options.get("preconditions")
        self._store.delete("pods", name, namespace, grace, preconditions=preconditions, dry_run=True)
        if not dry_run:
            mark_evicted(self._store, self._rest.existing(call))
            self._store.delete("pods", name, namespace, grace)
        return respond(Wanted(), {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)

    def _bind(self, call: Call) -> web.Response:
        """A scheduler's decision."""
        node = (self._body(call, "Binding", "v1").get("target") or {}).get("name", "")
        pod = self._rest.existing(call)
        if pod["spec"].get("nodeName"):
            why = f'pod {call.info.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
            raise ApiError(409, "Conflict", f'Operation cannot be fulfilled on pods/binding "{call.info.name}": {why}')
        self._store.patch("pods", call.info.name, {"spec": {"nodeName": node}}, call.info.namespace)
        return respond(Wanted(), {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)

    @staticmethod
    def _body(call: Call, kind: str, api_version: str) -> dict[str, Any]:
        obj = media.decode(call.body, call.request.headers.get("Content-Type", ""), kind)
        return check_kind(call.resource, obj, kind, api_version)
