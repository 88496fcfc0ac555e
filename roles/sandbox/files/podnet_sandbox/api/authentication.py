# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who sends a request: a client certificate, the administrator's token, or a ServiceAccount's token.

ServiceAccount tokens are JWTs as Kubernetes issues them, signed with a key that lives as long as the process.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import unauthorized

if TYPE_CHECKING:
    from .store import Store

ISSUER = AUDIENCE = "https://kubernetes.default.svc.cluster.local"
_ACCOUNT_PREFIX = "system:serviceaccount:"
#: One year: a token that never expires is renewed by nobody, and no sandbox lives longer.
_SECRET_TOKEN_SECONDS = 365 * 86400


@dataclass(frozen=True)
class User:
    """A client: its name, its groups, and what identity documents say besides."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class Authenticator:
    """Turns credentials into a `User`. ``admin_token`` is the administrator's; '' for none."""

    def __init__(self, store: Store, admin_token: str = "") -> None:
        self._store = store
        self._admin_token = admin_token
        self._key = secrets.token_bytes(32)

    def authenticate(self, authorization: str, certificate: Mapping[str, Any] | None) -> User:
        """The user of a request with that ``Authorization`` header and verified client certificate (ssl's dict).

        Anonymous without either; raises `ApiError` 401 for a token that is not valid.
        """
        if certificate:
            return _certificate_user(certificate)
        scheme, _ignored, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return ANONYMOUS
        user = self.user_of_token(token.strip())
        if user is None:
            raise unauthorized()
        return user

    def user_of_token(self, token: str) -> User | None:
        """Whose ``token`` it is, None for one that is not valid."""
        if self._admin_token and hmac.compare_digest(token.encode(), self._admin_token.encode()):
            return User("kubernetes-admin", ("system:masters", "system:authenticated"))
        claims = self._verified(token)
        return self._account_user(claims) if claims else None

    def issue(self, account: Mapping[str, Any], seconds: int, bound: Mapping[str, Any] | None = None) -> str:
        """A token of a ServiceAccount object for ``seconds``, ending early with the object ``bound`` refers to."""
        metadata, moment = account["metadata"], int(time.time())
        private: dict[str, Any] = {
            "namespace": metadata["namespace"],
            "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
        }
        if bound:
            private[bound["kind"].lower()] = {"name": bound["name"], "uid": bound.get("uid", "")}
        claims = {
            "aud": [AUDIENCE],
            "exp": moment + seconds,
            "iat": moment,
            "iss": ISSUER,
            "jti": secrets.token_hex(16),
            "kubernetes.io": private,
            "nbf": moment,
            "sub": f"{_ACCOUNT_PREFIX}{metadata['namespace']}:{metadata['name']}",
        }
        return self._signed(claims)

    def issue_for_account(self, namespace: str, name: str) -> str:
        """A token for pods of that ServiceAccount, '' if there is none."""
        account = self._store.find("serviceaccounts", name, namespace)
        return self.issue(account, _SECRET_TOKEN_SECONDS) if account else ""

    def issue_for_secret(self, account: Mapping[str, Any]) -> str:
        """The token for a Secret of type ``kubernetes.io/service-account-token``."""
        return self.issue(account, _SECRET_TOKEN_SECONDS)

    def _signed(self, claims: Mapping[str, Any]) -> str:
        head = _encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
        body = f"{head}.{_encode(json.dumps(claims).encode())}"
        return f"{body}.{_encode(self._signature(body))}"

    def _signature(self, body: str) -> bytes:
        return hmac.new(self._key, body.encode(), hashlib.sha256).digest()

    def _verified(self, token: str) -> dict[str, Any] | None:
        body, _ignored, signature = token.rpartition(".")
        try:
            if not body or not hmac.compare_digest(_decode(signature), self._signature(body)):
                return None
            claims = json.loads(_decode(body.partition(".")[2]))
        except ValueError:
            return None
        return claims if claims.get("exp", 0) > time.time() else None

    def _account_user(self, claims: Mapping[str, Any]) -> User | None:
        private = claims["kubernetes.io"]
        namespace, account = private["namespace"], private["serviceaccount"]
        if not self._is(account, "serviceaccounts", namespace):
            return None
        if any(part in private and not self._is(private[part], f"{part}s", namespace) for part in ("pod", "secret")):
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
        extra = {"authentication.kubernetes.io/credential-id": (f"JTI={claims['jti']}",)}
        return User(claims["sub"], groups, account["uid"], extra)

    def _is(self, wanted: Mapping[str, Any], resource: str, namespace: str) -> bool:
        """Whether the very object that a token names is still there."""
        found = self._store.find(resource, wanted["name"], namespace)
        return found is not None and found["metadata"]["uid"] == wanted["uid"]


def _certificate_user(certificate: Mapping[str, Any]) -> User:
    """Common name and organizations of the subject are user and groups."""
    subject = [pair for part in certificate.get("subject", ()) for pair in part]
    name = next((value for key, value in subject if key == "commonName"), "")
    groups = tuple(value for key, value in subject if key == "organizationName")
    return User(name, (*groups, "system:authenticated"))


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
