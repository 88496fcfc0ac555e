# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster's own certificate authority, the server's and the administrator's certificates, and the kubeconfig made of them."""

from __future__ import annotations

import base64
import secrets
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

#: Who the kubeconfig is for, as in a kubeadm cluster.
ADMIN, ADMIN_GROUP = "kubernetes-admin", "system:masters"
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Credentials:
    """Everything a client and the server need; certificates and keys are PEM text. Secret."""

    ca_certificate: str
    server_certificate: str
    server_key: str
    client_certificate: str
    client_key: str
    token: str


def make_credentials(names: Sequence[str] = ()) -> Credentials:
    """A new authority, a server certificate for loopback and ``names`` (host names or addresses), an administrator's."""
    authority = trustme.CA(organization_name="podnet sandbox", key_type=trustme.KeyType.ECDSA)
    server = authority.issue_cert(*LOOPBACK, *names, common_name="kube-apiserver")
    client = authority.issue_cert("kubernetes-admin.invalid", common_name=ADMIN, organization_name=ADMIN_GROUP)
    return Credentials(
        ca_certificate=authority.cert_pem.bytes().decode(),
        server_certificate=_chain(server),
        server_key=server.private_key_pem.bytes().decode(),
        client_certificate=_chain(client),
        client_key=client.private_key_pem.bytes().decode(),
        token=secrets.token_urlsafe(32),
    )


def server_context(credentials: Credentials) -> ssl.SSLContext:
    """TLS for the API server; a client certificate is checked when one is shown."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=credentials.ca_certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files only; the folder is 0700
        certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
        certificate.write_text(credentials.server_certificate)
        key.touch(mode=0o600)
        key.write_text(credentials.server_key)
        context.load_cert_chain(certificate, key)
    return context


def make_kubeconfig(credentials: Credentials, server: str, name: str, *, use_token: bool = False) -> dict[str, Any]:
    """A kubeconfig for ``server`` (https://host:port) with context ``name``: by client certificate, or by token."""
    user: dict[str, str] = (
        {"token": credentials.token}
        if use_token
        else {
            "client-certificate-data": _encoded(credentials.client_certificate),
            "client-key-data": _encoded(credentials.client_key),
        }
    )
    cluster = {"certificate-authority-data": _encoded(credentials.ca_certificate), "server": server}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
        "preferences": {},
        "users": [{"name": name, "user": user}],
    }


def _chain(certificate: trustme.LeafCert) -> str:
    return "".join(pem.bytes().decode() for pem in certificate.cert_chain_pems)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
