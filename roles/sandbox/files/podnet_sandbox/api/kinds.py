# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built-in kinds this API serves, as discovery describes them (kube-apiserver v1.32.13)."""

from __future__ import annotations

from .registry import Registry, Resource, Subresource

_STATUS_VERBS = ("get", "patch", "update")
_CONNECT = ("create", "get")
_CREATE = ("create",)
_NO_COLLECTION_DELETE = ("create", "delete", "get", "list", "patch", "update", "watch")

_SCALE = Subresource("scale", "Scale", _STATUS_VERBS, "autoscaling", "v1", foreign=True)
_POD_SUBRESOURCES = (
    Subresource("attach", "PodAttachOptions", _CONNECT),
    Subresource("binding", "Binding", _CREATE),
    Subresource("ephemeralcontainers", "Pod"),
    Subresource("eviction", "Eviction", _CREATE, "policy", "v1", foreign=True),
    Subresource("exec", "PodExecOptions", _CONNECT),
    Subresource("log", "Pod", ("get",)),
    Subresource("portforward", "PodPortForwardOptions", _CONNECT),
)


def builtin() -> Registry:
    """A registry of the built-in kinds."""
    return Registry((*_core(), *_apps(), *_batch(), *_network(), *_policy(), *_access(), *_cluster()))


def _resource(
    group: str, version: str, kind: str, plural: str, short: str = "", *, status: bool = False, **more: object
) -> Resource:
    below = tuple(more.pop("subresources", ()))  # type: ignore[arg-type]
    if status:
        below = (*below, Subresource("status", kind, _STATUS_VERBS, group, version))
    singular = more.pop("singular", kind.lower())
    return Resource(
        group, version, kind, plural,
        singular=str(singular), short_names=tuple(short.split()), subresources=tuple(sorted(below, key=lambda s: s.name)),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def _core() -> tuple[Resource, ...]:
    token = Subresource("token", "TokenRequest", _CREATE, "authentication.k8s.io", "v1", foreign=True)
    everything = {"categories": ("all",)}
    return (
        _resource("", "v1", "Binding", "bindings", verbs=_CREATE),
        _resource("", "v1", "ConfigMap", "configmaps", "cm"),
        _resource("", "v1", "Endpoints", "endpoints", "ep"),
        _resource("", "v1", "Event", "events", "ev"),
        _resource("", "v1", "LimitRange", "limitranges", "limits"),
        _resource(
            "", "v1", "Namespace", "namespaces", "ns", status=True, namespaced=False, verbs=_NO_COLLECTION_DELETE,
            subresources=(Subresource("finalize", "Namespace", ("update",)),),
        ),
        _resource("", "v1", "Node", "nodes", "no", status=True, namespaced=False),
        _resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", status=True),
        _resource("", "v1", "PersistentVolume", "persistentvolumes", "pv", status=True, namespaced=False),
        _resource("", "v1", "Pod", "pods", "po", status=True, subresources=_POD_SUBRESOURCES, **everything),
        _resource("", "v1", "PodTemplate", "podtemplates", generation=True),
        _resource("", "v1", "ResourceQuota", "resourcequotas", "quota", status=True),
        _resource("", "v1", "Secret", "secrets"),
        _resource("", "v1", "ServiceAccount", "serviceaccounts", "sa", subresources=(token,)),
        _resource("", "v1", "Service", "services", "svc", status=True, **everything),
    )  # fmt: skip


def _apps() -> tuple[Resource, ...]:
    workload = {"status": True, "generation": True, "categories": ("all",)}
    return (
        _resource("apps", "v1", "ControllerRevision", "controllerrevisions"),
        _resource("apps", "v1", "DaemonSet", "daemonsets", "ds", **workload),
        _resource("apps", "v1", "Deployment", "deployments", "deploy", subresources=(_SCALE,), **workload),
        _resource("apps", "v1", "ReplicaSet", "replicasets", "rs", subresources=(_SCALE,), **workload),
        _resource("apps", "v1", "StatefulSet", "statefulsets", "sts", subresources=(_SCALE,), **workload),
    )


def _batch() -> tuple[Resource, ...]:
    everything = {"status": True, "generation": True, "categories": ("all",)}
    return (
        _resource("batch", "v1", "CronJob", "cronjobs", "cj", **everything),
        _resource("batch", "v1", "Job", "jobs", **everything),
    )


def _network() -> tuple[Resource, ...]:
    return (
        _resource("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", generation=True),
        _resource("networking.k8s.io", "v1", "IngressClass", "ingressclasses", namespaced=False, generation=True),
        _resource("networking.k8s.io", "v1", "Ingress", "ingresses", "ing", status=True, generation=True),
        _resource("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", "netpol", generation=True),
    )


def _policy() -> tuple[Resource, ...]:
    return (
        _resource("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", status=True, generation=True),
        _resource("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", "pc", namespaced=False, generation=True),
        _resource("coordination.k8s.io", "v1", "Lease", "leases"),
        _resource("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", namespaced=False),
        _resource("storage.k8s.io", "v1", "CSIDriver", "csidrivers", namespaced=False),
        _resource("storage.k8s.io", "v1", "CSINode", "csinodes", namespaced=False),
        _resource("storage.k8s.io", "v1", "StorageClass", "storageclasses", "sc", namespaced=False),
    )


def _access() -> tuple[Resource, ...]:
    review = {"namespaced": False, "verbs": _CREATE}
    group = "authorization.k8s.io"
    return (
        _resource("authentication.k8s.io", "v1", "SelfSubjectReview", "selfsubjectreviews", **review),
        _resource("authentication.k8s.io", "v1", "TokenReview", "tokenreviews", **review),
        _resource(group, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews", verbs=_CREATE),
        _resource(group, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews", **review),
        _resource(group, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews", **review),
        _resource(group, "v1", "SubjectAccessReview", "subjectaccessreviews", **review),
        _resource("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
        _resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False),
        _resource("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings"),
        _resource("rbac.authorization.k8s.io", "v1", "Role", "roles"),
    )


def _cluster() -> tuple[Resource, ...]:
    cluster = {"namespaced": False, "categories": ("api-extensions",)}
    return (
        _resource(
            "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", "crd crds",
            status=True, generation=True, **cluster,
        ),
        _resource("apiregistration.k8s.io", "v1", "APIService", "apiservices", status=True, **cluster),
    )  # fmt: skip
