# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The specs of Calico's own configuration objects as the operator v1.38.13 and Calico v3.30.7 write them (recorded)."""

from __future__ import annotations

#: FelixConfiguration `default`.
FELIX = {
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
#: KubeControllersConfiguration `default`.
KUBE_CONTROLLERS = {
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
