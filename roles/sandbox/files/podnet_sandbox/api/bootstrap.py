# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kube-apiserver itself puts into a new cluster: the default roles and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .store import Store

_GROUP = "rbac.authorization.k8s.io"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {f"{_GROUP}/autoupdate": "true"}
_READ, _WRITE = ["get", "list", "watch"], ["create", "delete", "deletecollection", "patch", "update"]
_HEALTH = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"]

_VIEWED = (
    ("", ["configmaps", "endpoints", "events", "limitranges", "namespaces", "persistentvolumeclaims", "pods", "pods/log",
          "pods/status", "resourcequotas", "serviceaccounts", "services", "services/status"]),
    ("apps", ["controllerrevisions", "daemonsets", "deployments", "deployments/scale", "replicasets", "replicasets/scale",
              "statefulsets", "statefulsets/scale"]),
    ("batch", ["cronjobs", "jobs"]),
    ("discovery.k8s.io", ["endpointslices"]),
    ("networking.k8s.io", ["ingresses", "networkpolicies"]),
    ("policy", ["poddisruptionbudgets"]),
)  # fmt: skip
_EDITED = (
    ("", ["configmaps", "endpoints", "events", "persistentvolumeclaims", "pods", "secrets", "serviceaccounts", "services"]),
    *((group, resources) for group, resources in _VIEWED if group not in ("", "discovery.k8s.io")),
)


def bootstrap_roles(store: Store) -> None:
    """Add the default ClusterRoles and bindings that are not there yet."""
    for name, rules in _roles().items():
        _ensure(store, "clusterroles", "ClusterRole", name, {"rules": rules})
    for name, group in _BINDINGS:
        subject = {"apiGroup": _GROUP, "kind": "Group", "name": group}
        role = {"apiGroup": _GROUP, "kind": "ClusterRole", "name": name}
        existing = store.find(f"clusterrolebindings.{_GROUP}", name)
        if existing is None:
            subjects = [{**subject, "name": member} for role_name, member in _BINDINGS if role_name == name]
            _ensure(store, "clusterrolebindings", "ClusterRoleBinding", name, {"roleRef": role, "subjects": subjects})


_BINDINGS = (
    ("cluster-admin", "system:masters"),
    ("system:basic-user", "system:authenticated"),
    ("system:discovery", "system:authenticated"),
    ("system:public-info-viewer", "system:authenticated"),
    ("system:public-info-viewer", "system:unauthenticated"),
)


def _roles() -> dict[str, list[dict[str, Any]]]:
    view = [_rule(group, resources, _READ) for group, resources in _VIEWED]
    edit = [
        *view,
        *(_rule(group, resources, _WRITE) for group, resources in _EDITED),
        _rule("", ["secrets"], _READ),
        _rule("", ["pods/exec"], ["get", *_WRITE]),
        _rule("", ["pods/eviction", "serviceaccounts/token"], ["create"]),
    ]
    admin = [
        *edit,
        _rule(_GROUP, ["rolebindings", "roles"], [*_READ, *_WRITE]),
        _rule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
    ]
    everything = [_rule("*", ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}]
    reviews = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]
    return {
        "admin": admin,
        "cluster-admin": everything,
        "edit": edit,
        "system:basic-user": [
            _rule("authorization.k8s.io", reviews, ["create"]),
            _rule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
        ],
        "system:discovery": [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}],
        "system:public-info-viewer": [{"nonResourceURLs": _HEALTH, "verbs": ["get"]}],
        "view": view,
    }


def _rule(group: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _ensure(store: Store, plural: str, kind: str, name: str, content: dict[str, Any]) -> None:
    if store.find(f"{plural}.{_GROUP}", name) is None:
        metadata = {"name": name, "labels": dict(_LABELS), "annotations": dict(_ANNOTATIONS)}
        store.create(f"{plural}.{_GROUP}", {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": metadata, **content})
