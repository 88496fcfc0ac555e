# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calico's own configuration objects, `default` each, as the operator v1.38.13 and Calico v3.30.7 and v3.32.1 write them (recorded)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...config import release_of

_FELIX = {
    "bpfConnectTimeLoadBalancing": "TCP",
    "bpfEnabled": False,
    "bpfHostNetworkedNATWithoutCTLB": "Enabled",
    "bpfLogLevel": "",
    "floatingIPs": "Disabled",
    "healthPort": 9099,
    "logSeverityScreen": "Info",
    "nftablesMode": "Disabled",
    "reportingInterval": "0s",
    "vxlanVNI": 4096,
}
_KUBE_CONTROLLERS = {
    "controllers": {
        "loadBalancer": {"assignIPs": "AllServices"},
        "namespace": {"reconcilerPeriod": "5m0s"},
        "node": {
            "hostEndpoint": {"autoCreate": "Disabled", "createDefaultHostEndpoint": "Enabled"},
            "leakGracePeriod": "15m0s",
            "reconcilerPeriod": "5m0s",
            "syncLabels": "Enabled",
        },
        "policy": {"reconcilerPeriod": "5m0s"},
        "serviceAccount": {"reconcilerPeriod": "5m0s"},
        "workloadEndpoint": {"reconcilerPeriod": "5m0s"},
    },
    "etcdV3CompactionPeriod": "10m0s",
    "healthChecks": "Enabled",
    "logSeverityScreen": "Info",
    "prometheusMetricsPort": 9094,
}
#: What kube-controllers reports of itself; the operator has it run these two controllers.
_KUBE_CONTROLLERS_STATUS = {
    "environmentVars": {"DATASTORE_TYPE": "kubernetes", "ENABLED_CONTROLLERS": "node,loadbalancer"},
    "runningConfig": {
        "controllers": {
            "loadBalancer": {"assignIPs": "AllServices"},
            "node": {
                "hostEndpoint": {"autoCreate": "Disabled", "createDefaultHostEndpoint": "Enabled"},
                "leakGracePeriod": "15m0s",
                "syncLabels": "Disabled",
            },
        },
        "etcdV3CompactionPeriod": "10m0s",
        "healthChecks": "Enabled",
        "logSeverityScreen": "Info",
    },
}
_FELIX_ANNOTATIONS = {"operator.tigera.io/bpfEnabled": "false"}
#: From v3.32 on.
_BGP = {"logSeverityScreen": "Info", "serviceLoadBalancerAggregation": "Enabled"}

Object = dict[str, Any]


def default_objects(calico_version: str, information: Object, created: str) -> Iterator[Object]:
    """FelixConfiguration, KubeControllersConfiguration, ClusterInformation with ``information`` as its spec, BGPConfiguration."""
    since_v332 = release_of(calico_version) >= (3, 32)
    yield _object("FelixConfiguration", _FELIX, created, _FELIX_ANNOTATIONS)
    migration = {"policyMigration": {"enabled": "Enabled"}} if since_v332 else {}
    running = _KUBE_CONTROLLERS_STATUS["runningConfig"]
    status = {**_KUBE_CONTROLLERS_STATUS, "runningConfig": {**running, "controllers": {**running["controllers"], **migration}}}
    yield {**_object("KubeControllersConfiguration", _KUBE_CONTROLLERS, created), "status": status}
    yield _object("ClusterInformation", information, created)
    if since_v332:
        yield _object("BGPConfiguration", _BGP, created)


def _object(kind: str, spec: Object, created: str, annotations: dict[str, str] | None = None) -> Object:
    """Calico keeps the metadata of its v3 API in an annotation of the v1 object, other annotations in both."""
    kept = {"creationTimestamp": created, **({"annotations": annotations} if annotations else {})}
    metadata = {
        "name": "default",
        "annotations": {**(annotations or {}), "projectcalico.org/metadata": json.dumps(kept, separators=(",", ":"))},
    }
    return {"apiVersion": "crd.projectcalico.org/v1", "kind": kind, "metadata": metadata, "spec": spec}
