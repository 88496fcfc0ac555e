# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions that are asked by creating an object: who am I, may I, whose token is this, give me a token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .authentication import AUDIENCE, Authenticator, User
from .authorization import Attributes, Authorizer
from .clock import later, now
from .errors import ApiError, Cause, bad_request, invalid, invalid_value, not_found
from .registry import Resource

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]

_AUTHORIZATION, _AUTHENTICATION = "authorization.k8s.io/v1", "authentication.k8s.io/v1"
_EMPTY_METADATA = {"creationTimestamp": None}
_DEFAULT_SECONDS, _LEAST_SECONDS, _MOST_SECONDS = 3600, 600, 1 << 32


class Reviews:
    """Answers them. ``answer`` returns the object with its status, None for a kind that is none of these."""

    def __init__(self, store: Store, authenticator: Authenticator, authorizer: Authorizer) -> None:
        self._store, self._authenticator, self._authorizer = store, authenticator, authorizer

    def answer(self, plural: str, review: Mapping[str, Any], user: User, namespace: str) -> Object:
        """The answer to a review of kind ``plural`` by ``user``. Raises `ApiError`."""
        spec = dict(review.get("spec") or {})
        if plural == "selfsubjectreviews":
            return self._identity(user)
        if plural == "tokenreviews":
            return self._token(spec)
        if plural == "selfsubjectrulesreviews":
            return self._rules(spec, user)
        asked = user if plural == "selfsubjectaccessreviews" else _subject(spec)
        return self._access(review["kind"], spec, asked, namespace)

    def token(self, namespace: str, name: str, request: Mapping[str, Any]) -> Object:
        """A token for a ServiceAccount (``serviceaccounts/token``). Raises `ApiError`."""
        account = self._store.get("serviceaccounts", name, namespace)
        spec = dict(request.get("spec") or {})
        seconds = spec.get("expirationSeconds") or _DEFAULT_SECONDS
        if not isinstance(seconds, int):
            raise bad_request(f"json: cannot unmarshal {seconds!r} into Go struct field TokenRequestSpec.expirationSeconds of type int64")
        if not _LEAST_SECONDS <= seconds <= _MOST_SECONDS:
            bound = "less than 10 minutes" if seconds < _LEAST_SECONDS else "larger than 2^32 seconds"
            cause = invalid_value("spec.expirationSeconds", str(seconds), f"may not specify a duration {bound}")
            raise _invalid_token(name, cause)
        reference = spec.get("boundObjectRef")
        if not isinstance(reference or {}, dict):
            raise bad_request("json: cannot unmarshal into Go struct field TokenRequestSpec.boundObjectRef of type v1.BoundObjectReference")
        token = self._authenticator.issue(account, seconds, self._bound(namespace, reference))
        status = {"token": token, "expirationTimestamp": later(seconds)}
        spec = {"audiences": spec.get("audiences") or [AUDIENCE], "expirationSeconds": seconds, "boundObjectRef": reference}
        metadata = {"name": name, "namespace": namespace, "creationTimestamp": now()}
        return {"kind": "TokenRequest", "apiVersion": _AUTHENTICATION, "metadata": metadata, "spec": spec, "status": status}

    def _bound(self, namespace: str, reference: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if not reference:
            return None
        resource = {"Pod": "pods", "Secret": "secrets", "Node": "nodes"}.get(reference.get("kind", ""))
        if resource is None:
            raise bad_request(f"cannot bind token for serviceaccount to a {reference.get('kind')}")
        found = self._store.find(resource, reference.get("name", ""), namespace if resource != "nodes" else None)
        if found is None:
            raise not_found(self._store.resources.by_name(resource), reference.get("name", ""))
        return {**reference, "uid": found["metadata"]["uid"]}

    @staticmethod
    def _identity(user: User) -> Object:
        return _answered("SelfSubjectReview", _AUTHENTICATION, None, {"userInfo": _user_info(user)})

    def _token(self, spec: Object) -> Object:
        user = self._authenticator.user_of_token(spec.get("token", ""))
        if user is None:
            status: Object = {"user": {}, "error": "invalid bearer token"}
        else:
            status = {"authenticated": True, "user": _user_info(user), "audiences": [AUDIENCE]}
        return _answered("TokenReview", _AUTHENTICATION, spec, status)

    def _rules(self, spec: Object, user: User) -> Object:
        namespace = spec.get("namespace", "")
        if not namespace:
            raise bad_request("no namespace on request")
        resource_rules, path_rules = [], []
        for rule in self._all_rules(user, namespace):
            if rule.get("nonResourceURLs"):
                path_rules.append({"verbs": rule["verbs"], "nonResourceURLs": rule["nonResourceURLs"]})
            else:
                resource_rules.append({key: rule[key] for key in ("verbs", "apiGroups", "resources", "resourceNames") if rule.get(key)})
        status = {"resourceRules": resource_rules, "nonResourceRules": path_rules, "incomplete": False}
        return _answered("SelfSubjectRulesReview", _AUTHORIZATION, {}, status)

    def _all_rules(self, user: User, namespace: str) -> list[Mapping[str, Any]]:
        return list(self._authorizer.rules(user, namespace))

    def _access(self, kind: str, spec: Object, user: User, namespace: str) -> Object:
        resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
        causes = list(_access_causes(kind, spec))
        if causes:
            raise invalid(Resource("authorization.k8s.io", "v1", kind, ""), "", causes)
        asked = resource or {}
        attributes = Attributes(
            verb=(resource or path or {}).get("verb", ""),
            group=asked.get("group", ""),
            resource=asked.get("resource", ""),
            subresource=asked.get("subresource", ""),
            name=asked.get("name", ""),
            namespace=asked.get("namespace") or namespace,
            path=(path or {}).get("path", ""),
        )
        status: Object = {"allowed": self._authorizer.allows(user, attributes)}
        reason = self._authorizer.reason(user, attributes)
        if reason:
            status["reason"] = reason
        return _answered(kind, _AUTHORIZATION, spec, status)


def _answered(kind: str, api_version: str, spec: Object | None, status: Object) -> Object:
    body: Object = {"kind": kind, "apiVersion": api_version, "metadata": dict(_EMPTY_METADATA)}
    if spec is not None:
        body["spec"] = spec
    return {**body, "status": status}


def _access_causes(kind: str, spec: Object) -> Iterator[Cause]:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if resource is not None and path is not None:
        shown = f'authorization.NonResourceAttributes{{Path:"{path.get("path", "")}", Verb:"{path.get("verb", "")}"}}'
        yield invalid_value("spec.nonResourceAttributes", shown, "cannot be specified in combination with resourceAttributes")
    if resource is None and path is None:
        why = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        yield invalid_value("spec.resourceAttributes", '"null"', why)
    if kind != "SelfSubjectAccessReview" and not spec.get("user") and not spec.get("groups"):
        yield invalid_value("spec.user", '""', "at least one of user or group must be specified")


def _subject(spec: Mapping[str, Any]) -> User:
    return User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""))


def _user_info(user: User) -> Object:
    info: Object = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(value) for key, value in user.extra.items()}
    return info


def _invalid_token(name: str, cause: Any) -> ApiError:
    details = {"name": name, "group": "authentication.k8s.io", "kind": "TokenRequest", "causes": [cause.as_dict()]}
    message = f'TokenRequest.authentication.k8s.io "{name}" is invalid: {cause.field}: {cause.message}'
    return ApiError(422, "Invalid", message, details)
