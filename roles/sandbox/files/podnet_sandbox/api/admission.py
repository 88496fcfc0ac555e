# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Admission: the plugins of kube-apiserver that matter here (NamespaceLifecycle, ServiceAccount, Priority, DefaultTolerationSeconds)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ApiError, Cause, forbidden
from .names import generated
from .registry import Resource

if TYPE_CHECKING:
    from .store import Store

Object = dict[str, Any]

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
_TOKEN_PREFIX = "kube-api-access-"
#: An hour and seven seconds, as the ServiceAccount plugin asks for.
_TOKEN_SECONDS = 3607
#: Seconds a pod stays on a node that is not ready.
_TOLERATION_SECONDS = 300
_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def admit_namespace(store: Store, resource: Resource, obj: Mapping[str, Any]) -> None:
    """Refuse objects in a namespace that is not there (404) or is going (403)."""
    name = obj["metadata"]["namespace"]
    namespace = store.find("namespaces", name)
    if namespace is None:
        raise ApiError(404, "NotFound", f'namespaces "{name}" not found', {"name": name, "kind": "namespaces"})
    if namespace["metadata"].get("deletionTimestamp"):
        why = f"unable to create new content in namespace {name} because it is being terminated"
        cause = Cause("NamespaceTerminating", f"namespace {name} is being terminated", "metadata.namespace")
        raise forbidden(resource, obj["metadata"].get("name", ""), why, [cause])


def admit_pod(store: Store, resource: Resource, pod: Object) -> None:
    """Give a pod its ServiceAccount and token, its priority, and patience with nodes that fail. Raises `ApiError` 403."""
    spec, name, namespace = pod["spec"], pod["metadata"].get("name", ""), pod["metadata"]["namespace"]
    account = spec["serviceAccountName"] = spec["serviceAccount"] = spec.get("serviceAccountName") or "default"
    # `default` is made by a controller in each namespace, a moment later
    if account != "default" and store.find("serviceaccounts", account, namespace) is None:
        raise forbidden(resource, name, f'error looking up service account {namespace}/{account}: serviceaccount "{account}" not found')
    runtime = spec.get("runtimeClassName")
    if runtime and store.find("runtimeclasses.node.k8s.io", runtime) is None:
        raise forbidden(resource, name, f'pod rejected: RuntimeClass "{runtime}" not found')
    if spec.get("automountServiceAccountToken", True):
        _mount_token(spec)
    _tolerate(spec)
    _prioritize(store, resource, name, spec)


def _prioritize(store: Store, resource: Resource, name: str, spec: Object) -> None:
    """The numbers of its PriorityClass; without one, those of the cluster's default class."""
    wanted = spec.get("priorityClassName", "")
    classes = store.scan("priorityclasses.scheduling.k8s.io")
    if not wanted:
        found = max((item for item in classes if item.get("globalDefault")), key=lambda item: item.get("value", 0), default=None)
        if found is not None:
            spec["priorityClassName"] = found["metadata"]["name"]
    else:
        found = next((item for item in classes if item["metadata"]["name"] == wanted), None)
        if found is None and wanted not in _PRIORITIES:
            raise forbidden(resource, name, f"no PriorityClass with name {wanted} was found")
    priority = _PRIORITIES.get(wanted, 0) if found is None else found.get("value", 0)
    if spec.get("priority", priority) != priority:
        why = (
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission controller "
            f"computed {priority} from the given PriorityClass name"
        )
        raise forbidden(resource, name, why)
    spec["priority"] = priority
    spec.setdefault("preemptionPolicy", (found or {}).get("preemptionPolicy", "PreemptLowerPriority"))


def _mount_token(spec: Object) -> None:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    without = [
        container
        for container in containers
        if all(mount.get("mountPath") != _TOKEN_PATH for mount in container.get("volumeMounts") or ())
    ]
    if not without:
        return
    name = generated(_TOKEN_PREFIX, random.Random())
    spec["volumes"] = [*(spec.get("volumes") or ()), {"name": name, "projected": _token_projection()}]
    mount = {"name": name, "readOnly": True, "mountPath": _TOKEN_PATH}
    for container in without:
        container["volumeMounts"] = [*(container.get("volumeMounts") or ()), dict(mount)]


def _token_projection() -> Object:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 0o644,
    }


def _tolerate(spec: Object) -> None:
    own = spec.get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _TOLERATION_SECONDS}
        for key in _TOLERATED
        if not any(item.get("key") in (None, "", key) and item.get("effect") in (None, "", "NoExecute") for item in own)
    ]
    if own or added:
        spec["tolerations"] = [*own, *added]
