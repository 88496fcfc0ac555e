# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One request to a cluster's API, as the administrator of a kubeconfig."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any


class ApiUnreachable(Exception):
    """No answer, or one that says no; the text says what came back."""


def request(kubeconfig: dict[str, Any], path: str, *, method: str = "GET", body: Any = None) -> dict[str, Any]:
    """The answer to ``method path`` of the kubeconfig's first cluster. Raises `ApiUnreachable`."""
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    asked = urllib.request.Request(cluster["server"] + path, method=method)
    if body is not None:
        asked.data = json.dumps(body).encode()
        asked.add_header("Content-Type", "application/merge-patch+json")
    if "token" in user:
        asked.add_header("Authorization", f"Bearer {user['token']}")
    try:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_tls(cluster, user))
        )
        with opener.open(asked, timeout=30) as answer:
            return dict(json.load(answer))
    except (OSError, ValueError) as error:
        raise ApiUnreachable(f"{method} {cluster['server']}{path}: {error}") from error


def _tls(cluster: dict[str, Any], user: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=_decoded(cluster["certificate-authority-data"]))
    if "client-certificate-data" in user:
        with tempfile.TemporaryDirectory() as folder:  # the ssl module reads keys from files only; the folder is 0700
            pair = Path(folder, "pair.pem")
            pair.write_text(_decoded(user["client-certificate-data"]) + _decoded(user["client-key-data"]), encoding="ascii")
            context.load_cert_chain(pair)
    return context


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
