# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kubernetes API server: authentication, authorisation, and every path it answers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import platform
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from . import discovery, media
from .aggregated.gateway import Calico, Gateway, unavailable
from .authentication import Authenticator, User
from .authorization import Attributes, Authorizer, denial
from .background import NAMESPACE_GRACE, Background
from .bootstrap import bootstrap_roles
from .call import Call
from .decoding import IGNORE, check_kind, decode_fields
from .errors import ApiError, forbidden, internal, method_not_allowed, no_such_resource
from .impersonation import effective_user
from .openapi import OpenApi
from .registry import Resource
from .request import RequestInfo, parse
from .rest import Rest
from .reviews import Reviews
from .runtime import Runtime
from .serving import Connections, read_body
from .store import Store
from .subresources import Subresources

LOG = logging.getLogger(__name__)

_REVIEW_GROUPS = ("authentication.k8s.io", "authorization.k8s.io")
_GO_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_HEALTH_PATHS = ("/healthz", "/livez", "/readyz")
#: The largest object a client may send, as kube-apiserver's.
_MAX_BODY = 3 * 1024 * 1024

_OUT_OF_FILES = "the server is currently unable to handle the request: it is out of file descriptors (raise its limit: ulimit -n)"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Identity:
    """What the server says of itself.

    ``ca_certificate`` (PEM) is given to ServiceAccounts; ``address`` (host:port) is what discovery calls this server;
    ``kubernetes_version`` is what `kubectl version` shows.
    """

    ca_certificate: str = ""
    address: str = ""
    kubernetes_version: str = "v1.32.13"


def build_runner(
    store: Store,
    runtime: Runtime,
    authenticator: Authenticator,
    identity: Identity | None = None,
    *,
    calico: Calico | None = None,
    namespace_grace: float = NAMESPACE_GRACE,
    **serving: float,
) -> web.AppRunner:
    """The API of ``store``, to be given sockets; TLS is the caller's (`tls.server_context`).

    ``calico``: which Calico's API server it is that an APIService may ask for. ``namespace_grace``: seconds after which a namespace
    that is deleted begins to be emptied. ``serving``: see `Connections.runner`.
    """
    server = _Server(store, runtime, authenticator, identity or Identity(), calico or Calico(), namespace_grace)
    bootstrap_roles(store)
    store.history.begin(store.revision)
    connections = Connections()
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[connections.serve, _answer_errors])
    app.router.add_route("*", "/{path:.*}", server.handle)
    app.cleanup_ctx.append(server.run_background)
    return connections.runner(app, **serving)


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns what is raised into a Status."""
    try:
        return await handler(request)
    except ApiError as error:
        return media.refuse(error, request.headers.get("Accept", ""))
    except web.HTTPRequestEntityTooLarge:
        return media.refuse(ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_MAX_BODY}", {}))
    except (ConnectionError, asyncio.CancelledError, web.HTTPException):
        raise
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        return media.refuse(ApiError(503, "ServiceUnavailable", _OUT_OF_FILES, {"retryAfterSeconds": 1}))
    except Exception as error:
        LOG.exception("%s %s", request.method, request.path_qs)
        return media.refuse(internal(f"{type(error).__name__}: {error}"))


class _Server:
    """One cluster's API."""

    def __init__(
        self, store: Store, runtime: Runtime, authenticator: Authenticator, identity: Identity, calico: Calico, namespace_grace: float
    ) -> None:
        self._store, self._authenticator, self._identity = store, authenticator, identity
        self._namespace_grace = namespace_grace
        self._authorizer = Authorizer(store)
        # From 1.35 on, these need `create` also where they are a GET (AuthorizePodWebsocketUpgradeCreatePermission).
        self._created_streams = ("attach", "exec", "portforward") if _minor(identity.kubernetes_version) >= 35 else ()
        self._openapi = OpenApi(store.resources, identity.kubernetes_version)
        self._rest = Rest(store)
        self._reviews = Reviews(store, authenticator, self._authorizer)
        self._calico = Gateway(store, calico)
        self._subresources = Subresources(store, self._rest, self._reviews, runtime)

    async def run_background(self, _app: web.Application) -> AsyncIterator[None]:
        """aiohttp's cleanup context: works from start to stop."""
        background = Background(self._store, self._authenticator, self._identity.ca_certificate, self._namespace_grace)
        task = asyncio.create_task(background.run(), name="api background")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request. Raises `ApiError`."""
        info = parse(request.method, request.path, request.query)
        user = self._authenticate(request)
        self._authorize_verb(user, info, info.verb)
        if info.resource == "pods" and info.subresource in self._created_streams:
            self._authorize_verb(user, info, "create")
        if self._calico.is_away(request.path):
            return unavailable()
        if info.about_resource:
            return await self._resource(request, info, user)
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        return self._path(request)

    def _authenticate(self, request: web.Request) -> User:
        transport = request.transport
        certificate = transport.get_extra_info("peercert") if transport else None
        user = self._authenticator.authenticate(request.headers.get("Authorization", ""), certificate)
        return effective_user(user, request.headers, self._authorizer)

    def _authorize_verb(self, user: User, info: RequestInfo, verb: str) -> None:
        attributes = Attributes(
            verb, info.group, info.resource, info.subresource, info.name, info.namespace, "" if info.resource else info.path
        )
        if self._authorizer.allows(user, attributes):
            return
        why = denial(user, attributes)
        if not info.about_resource:
            raise ApiError(403, "Forbidden", f"forbidden: {why}", {})
        resource = self._store.resources.find(info.group, info.version, info.resource)
        raise forbidden(resource or Resource(info.group, info.version, "", info.resource), info.name, why)

    async def _resource(self, request: web.Request, info: RequestInfo, user: User) -> web.StreamResponse:
        resource = self._store.resources.find(info.group, info.version, info.resource)
        if resource is None:
            return self._unknown(info)
        call = Call(request, info, resource, await read_body(request))
        if resource.aggregated:
            return await self._calico.answer(call)
        if info.subresource:
            return await self._subresources.answer(call)
        if resource.name == "bindings":
            return await self._bind(call)
        if resource.group in _REVIEW_GROUPS:
            return self._review(call, user)
        return await self._rest.answer(call)

    async def _bind(self, call: Call) -> web.StreamResponse:
        """The old way to say where a pod runs: as if it had been said below the pod."""
        if call.info.verb != "create":
            raise method_not_allowed()
        binding = check_kind(call.resource, media.decode(call.body, call.request.headers.get("Content-Type", ""), "Binding"))
        info = replace(call.info, resource="pods", name=(binding.get("metadata") or {}).get("name", ""), subresource="binding")
        return await self._subresources.answer(replace(call, info=info, resource=self._store.resources.by_name("pods")))

    def _review(self, call: Call, user: User) -> web.Response:
        if call.info.verb != "create":
            raise method_not_allowed()
        body = media.decode(call.body, call.request.headers.get("Content-Type", ""), call.resource.kind)
        review = check_kind(call.resource, body)
        decode_fields(call.resource, review, IGNORE)
        answer = self._reviews.answer(call.resource.plural, {"kind": call.resource.kind, **review}, user, call.info.namespace)
        return media.respond(call.wanted, answer, 201)

    def _unknown(self, info: RequestInfo) -> web.Response:
        if self._store.resources.in_version(info.group, info.version):
            raise no_such_resource()
        return _no_page()

    def _path(self, request: web.Request) -> web.Response:
        """Everything that is not about objects."""
        path = request.path.rstrip("/") or "/"
        accept = request.headers.get("Accept", "")
        registry = self._store.resources
        if path in _HEALTH_PATHS or path.startswith(tuple(f"{item}/" for item in _HEALTH_PATHS)):
            return _health(path, verbose="verbose" in request.query)
        if path == "/version":
            return media.respond(media.Wanted(), self._version())
        if path in ("/api", "/apis") and discovery.wants_aggregated(accept):
            body = media.encode(discovery.aggregated(registry, core=path == "/api"))
            return web.Response(body=body, headers={"Content-Type": discovery.AGGREGATED, "Vary": "Accept"})
        if path == "/openapi/v3":
            # kubectl reads this as JSON although, as on the real server, it says text
            return web.Response(body=media.encode(self._openapi.index()), content_type="text/plain", charset="utf-8")
        if path == "/openapi/v2":
            document, media_type = self._openapi.older(accept)
            return web.Response(body=document, headers={"Content-Type": media_type})
        if path.startswith("/openapi/v3/"):
            document = self._openapi.document(path.removeprefix("/openapi/v3/"))
            return web.Response(body=document, content_type=media.JSON) if document else _no_page()
        found = self._discovery(path)
        return media.respond(media.accepted(accept), found) if found else _no_page()

    def _discovery(self, path: str) -> dict[str, Any] | None:
        registry, parts = self._store.resources, path.strip("/").split("/")
        if parts == [""]:
            return {"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]}
        if parts == ["api"]:
            return discovery.api_versions(self._identity.address)
        if parts == ["apis"]:
            return discovery.group_list(registry)
        if parts[0] == "api" and len(parts) == 2:
            return discovery.resource_list(registry, "", parts[1])
        if parts[0] == "apis" and len(parts) == 2:
            return discovery.group(registry, parts[1])
        if parts[0] == "apis" and len(parts) == 3:
            return discovery.resource_list(registry, parts[1], parts[2])
        return None

    def _version(self) -> dict[str, str]:
        version = self._identity.kubernetes_version
        major, minor, *_ignored = version.lstrip("v").split(".")
        return {
            "major": major,
            "minor": minor,
            "gitVersion": version,
            "gitCommit": "",
            "gitTreeState": "clean",
            "buildDate": "1970-01-01T00:00:00Z",
            "goVersion": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "compiler": "podnet-sandbox",
            "platform": f"linux/{_GO_MACHINES.get(platform.machine(), platform.machine())}",
        }


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _health(path: str, *, verbose: bool) -> web.Response:
    """There is one thing to check: whether the server answers."""
    kind, _ignored, check = path.strip("/").partition("/")
    if check not in ("", "ping"):
        return _no_page()
    return web.Response(text=f"[+]ping ok\n{kind} check passed\n" if verbose else "ok")


def _no_page() -> web.Response:
    return web.Response(text="404 page not found\n", status=404)
