# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages that are read: field numbers and types, by the names of ``generated.proto``.

A type is a scalar (``string bool int bytes time``), another message, ``[T]`` a repeated one, ``{T}`` a map with string keys. ``?`` marks
a scalar that is set even where it is zero.
"""

from __future__ import annotations

from collections.abc import Mapping

Message = Mapping[int, tuple[str, str]]

_META = ("metadata", "ObjectMeta")

MESSAGES: Mapping[str, Message] = {
    "ObjectMeta": {
        1: ("name", "string"), 2: ("generateName", "string"), 3: ("namespace", "string"), 5: ("uid", "string"),
        6: ("resourceVersion", "string"), 7: ("generation", "int"), 8: ("creationTimestamp", "time"), 11: ("labels", "{string}"),
        12: ("annotations", "{string}"), 14: ("finalizers", "[string]"),
    },
    "LabelSelector": {1: ("matchLabels", "{string}"), 2: ("matchExpressions", "[LabelSelectorRequirement]")},
    "LabelSelectorRequirement": {1: ("key", "string"), 2: ("operator", "string"), 3: ("values", "[string]")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "int?"), 2: ("preconditions", "Preconditions"), 3: ("orphanDependents", "bool?"),
        4: ("propagationPolicy", "string"), 5: ("dryRun", "[string]"),
    },
    "Preconditions": {1: ("uid", "string"), 2: ("resourceVersion", "string")},
    "Namespace": {1: _META, 2: ("spec", "NamespaceSpec")},
    "NamespaceSpec": {1: ("finalizers", "[string]")},
    "ConfigMap": {1: _META, 2: ("data", "{string}"), 3: ("binaryData", "{bytes}"), 4: ("immutable", "bool?")},
    "Secret": {1: _META, 2: ("data", "{bytes}"), 3: ("type", "string"), 4: ("stringData", "{string}"), 5: ("immutable", "bool?")},
    "ServiceAccount": {1: _META, 4: ("automountServiceAccountToken", "bool?")},
    "Service": {1: _META, 2: ("spec", "ServiceSpec")},
    "ServiceSpec": {
        1: ("ports", "[ServicePort]"), 2: ("selector", "{string}"), 3: ("clusterIP", "string"), 4: ("type", "string"),
        5: ("externalIPs", "[string]"), 7: ("sessionAffinity", "string"), 10: ("externalName", "string"),
    },
    "ServicePort": {
        1: ("name", "string"), 2: ("protocol", "string"), 3: ("port", "int"), 4: ("targetPort", "IntOrString"), 5: ("nodePort", "int"),
        6: ("appProtocol", "string"),
    },
    "Deployment": {1: _META, 2: ("spec", "DeploymentSpec")},
    "DeploymentSpec": {1: ("replicas", "int?"), 2: ("selector", "LabelSelector"), 3: ("template", "PodTemplateSpec")},
    "PodTemplateSpec": {1: _META, 2: ("spec", "PodSpec")},
    "PodSpec": {
        2: ("containers", "[Container]"), 3: ("restartPolicy", "string"), 4: ("terminationGracePeriodSeconds", "int?"),
        6: ("dnsPolicy", "string"), 7: ("nodeSelector", "{string}"), 8: ("serviceAccountName", "string"), 10: ("nodeName", "string"),
        11: ("hostNetwork", "bool"),
    },
    "Container": {
        1: ("name", "string"), 2: ("image", "string"), 3: ("command", "[string]"), 4: ("args", "[string]"), 5: ("workingDir", "string"),
        6: ("ports", "[ContainerPort]"), 7: ("env", "[EnvVar]"), 14: ("imagePullPolicy", "string"),
    },
    "ContainerPort": {
        1: ("name", "string"), 2: ("hostPort", "int"), 3: ("containerPort", "int"), 4: ("protocol", "string"), 5: ("hostIP", "string"),
    },
    "EnvVar": {1: ("name", "string"), 2: ("value", "string")},
    "Role": {1: _META, 2: ("rules", "[PolicyRule]")},
    "ClusterRole": {1: _META, 2: ("rules", "[PolicyRule]"), 3: ("aggregationRule", "AggregationRule")},
    "AggregationRule": {1: ("clusterRoleSelectors", "[LabelSelector]")},
    "PolicyRule": {
        1: ("verbs", "[string]"), 2: ("apiGroups", "[string]"), 3: ("resources", "[string]"), 4: ("resourceNames", "[string]"),
        5: ("nonResourceURLs", "[string]"),
    },
    "RoleBinding": {1: _META, 2: ("subjects", "[Subject]"), 3: ("roleRef", "RoleRef")},
    "ClusterRoleBinding": {1: _META, 2: ("subjects", "[Subject]"), 3: ("roleRef", "RoleRef")},
    "Subject": {1: ("kind", "string"), 2: ("apiGroup", "string"), 3: ("name", "string"), 4: ("namespace", "string")},
    "RoleRef": {1: ("apiGroup", "string"), 2: ("kind", "string"), 3: ("name", "string")},
    "SelfSubjectAccessReview": {1: _META, 2: ("spec", "AccessReviewSpec")},
    "AccessReviewSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "NonResourceAttributes")},
    "ResourceAttributes": {
        1: ("namespace", "string"), 2: ("verb", "string"), 3: ("group", "string"), 4: ("version", "string"), 5: ("resource", "string"),
        6: ("subresource", "string"), 7: ("name", "string"),
    },
    "NonResourceAttributes": {1: ("path", "string"), 2: ("verb", "string")},
    "SelfSubjectRulesReview": {1: _META, 2: ("spec", "RulesReviewSpec")},
    "RulesReviewSpec": {1: ("namespace", "string")},
    "SelfSubjectReview": {1: _META},
    "TokenRequest": {1: _META, 2: ("spec", "TokenRequestSpec")},
    "TokenRequestSpec": {1: ("audiences", "[string]"), 3: ("boundObjectRef", "BoundObjectReference"), 4: ("expirationSeconds", "int?")},
    "BoundObjectReference": {1: ("kind", "string"), 2: ("apiVersion", "string"), 3: ("name", "string"), 4: ("uid", "string")},
    "Eviction": {1: _META, 2: ("deleteOptions", "DeleteOptions")},
    "PriorityClass": {
        1: _META, 2: ("value", "int"), 3: ("globalDefault", "bool"), 4: ("description", "string"), 5: ("preemptionPolicy", "string"),
    },
}  # fmt: skip
