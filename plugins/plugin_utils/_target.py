# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster options and environment lead to (private), without asking it: what tells one cached answer from another's."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, Mapping

import yaml


def target(auth: Mapping[str, Any]) -> str:
    """Text that differs where the cluster or the account does: servers, contexts and names of users, and no secret of any.

    The contents of a kubeconfig count, not its path: AWX writes one anew for each run. A file that cannot be read has none.
    """
    named = {name: auth.get(name) or os.environ.get("K8S_AUTH_" + name.upper()) for name in ("host", "context", "username")}
    kubeconfig = auth.get("kubeconfig") or os.environ.get("K8S_AUTH_KUBECONFIG") or os.environ.get("KUBECONFIG") or "~/.kube/config"
    documents = [kubeconfig] if isinstance(kubeconfig, dict) else [_read(path) for path in str(kubeconfig).split(os.pathsep)]
    pod = [os.environ.get("KUBERNETES_SERVICE_HOST"), os.environ.get("KUBERNETES_SERVICE_PORT")]
    return json.dumps([named, pod, [_without_secrets(document) for document in documents]], sort_keys=True, default=str)


def _read(path: str) -> Any:
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as file:
            return yaml.safe_load(file)
    except (OSError, ValueError, yaml.YAMLError):
        return None


def _without_secrets(document: Any) -> List[Any]:
    """The current context, what each context joins, and where each cluster is."""
    if not isinstance(document, dict):
        return []
    servers = [(entry.get("name"), _part(entry, "cluster").get("server")) for entry in _entries(document, "clusters")]
    contexts = [(entry.get("name"), _part(entry, "context")) for entry in _entries(document, "contexts")]
    return [document.get("current-context"), servers, contexts]


def _entries(document: Dict[str, Any], name: str) -> List[Dict[str, Any]]:
    found = document.get(name)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _part(entry: Dict[str, Any], name: str) -> Dict[str, Any]:
    found = entry.get(name)
    return found if isinstance(found, dict) else {}
