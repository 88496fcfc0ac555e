# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Acting as somebody else (``kubectl --as``): allowed to who may ``impersonate`` that user and those groups."""

from __future__ import annotations

from multidict import MultiMapping

from .authentication import User
from .authorization import Attributes, Authorizer, denial
from .errors import bad_request, forbidden
from .registry import Resource

_USER, _GROUP, _UID = "Impersonate-User", "Impersonate-Group", "Impersonate-Uid"
_ACCOUNT_PREFIX = "system:serviceaccount:"


def effective_user(user: User, headers: MultiMapping[str], authorizer: Authorizer) -> User:
    """Who the request is to be judged as. Raises `ApiError` 403 where ``user`` may not act as them."""
    name, groups = headers.get(_USER, ""), tuple(headers.getall(_GROUP, ()))
    if not name:
        if groups or headers.get(_UID):
            raise bad_request("requested impersonation without impersonating a user")
        return user
    if name.startswith(_ACCOUNT_PREFIX):
        namespace, _ignored, account = name.removeprefix(_ACCOUNT_PREFIX).partition(":")
        _check(user, authorizer, "serviceaccounts", account, namespace)
        groups = groups or ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    else:
        _check(user, authorizer, "users", name)
    for group in headers.getall(_GROUP, ()):
        _check(user, authorizer, "groups", group)
    if name != "system:anonymous":
        groups = (*groups, "system:authenticated")
    return User(name, groups, headers.get(_UID, ""))


def _check(user: User, authorizer: Authorizer, resource: str, name: str, namespace: str = "") -> None:
    wanted = Attributes("impersonate", resource=resource, name=name, namespace=namespace)
    if not authorizer.allows(user, wanted):
        raise forbidden(Resource("", "v1", "", resource), name, denial(user, wanted))
