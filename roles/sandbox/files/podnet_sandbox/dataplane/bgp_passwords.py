# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The passwords of BGP sessions: Secrets that BGPPeers and the BGPConfiguration name, in calico-node's own namespace. Pure.

Source: confd's client.go and secret_watcher.go of v3.30. Who names a Secret that cannot be read has no password: the session then
stays down where the other end has one. The text goes into bird.cfg as it is, so what cannot stand there counts as none.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

#: calico-node's, where the operator installs it.
NAMESPACE = "calico-system"
#: BIRD's strings have no escapes, TCP's keys no more octets than these (TCP_MD5SIG_MAXKEYLEN).
_PRINTABLE = re.compile(r'[^"\\\x00-\x1f\x7f]{1,80}')

Object = Mapping[str, Any]


class PasswordError(Exception):
    """A password that cannot be had, or not be used."""


def usable_password(password: Object | None, secrets: Iterable[Object]) -> str:
    """As `password_of`; "" also where it cannot be had: confd logs that, and goes on without."""
    try:
        return password_of(password, secrets)
    except PasswordError:
        return ""


def password_of(password: Object | None, secrets: Iterable[Object]) -> str:
    """What ``password`` (`spec.password`, `spec.nodeMeshPassword`) refers to; "" where it refers to nothing. Raises `PasswordError`."""
    reference = (password or {}).get("secretKeyRef") or {}
    if not reference:
        return ""
    name, key = str(reference.get("name", "")), str(reference.get("key", ""))
    found = next((item for item in secrets if item["metadata"]["name"] == name), None)
    if found is None:
        raise PasswordError(f'secret "{name}" of namespace {NAMESPACE} is not there')
    if key not in (found.get("data") or {}):
        raise PasswordError(f'secret "{name}" of namespace {NAMESPACE} has no key "{key}"')
    text = base64.b64decode(found["data"][key]).decode(errors="replace")
    if not _PRINTABLE.fullmatch(text):
        allowed = "1 to 80 characters, no quotes, backslashes or line ends"
        raise PasswordError(f'key "{key}" of secret "{name}" is no password for BIRD: {allowed}')
    return text
