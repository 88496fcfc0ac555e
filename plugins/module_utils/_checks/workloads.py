# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads: DaemonSets and Deployments have as many ready pods as they want."""

from __future__ import annotations

from .._model import Evidence, Subject
from .case import Case
from .record import Check, Recorder


def _rolled_out(case: Case, record: Recorder) -> None:
    if not record.lists("daemonsets", "deployments"):
        return
    for workload in case.snapshot.workloads:
        if workload.observed and workload.ready >= workload.desired and workload.updated >= workload.desired:
            record.passed(None)
            continue
        name = "%s %s/%s" % (workload.kind, workload.namespace, workload.name)
        actual = "%d ready, %d updated of %d" % (workload.ready, workload.updated, workload.desired)
        if not workload.observed:
            actual += "; its latest change is not acted upon yet"
        command = "kubectl rollout status -n %s %s/%s" % (workload.namespace, workload.kind.lower(), workload.name)
        # Whether that is the network's doing, others tell: of a pod without an address, a device, a route. A crash is none of Calico's.
        record.warning(
            None, Subject(workload.kind, workload.namespace, workload.name), "%d ready pods" % workload.desired, actual,
            "%s is not rolled out: %s" % (name, actual), Evidence("cluster", command, actual),
        )  # fmt: skip


CHECKS = (
    Check(
        "workloads.rolled-out", "Every DaemonSet and Deployment is rolled out",
        "A pod that is not Ready is not proved to be reachable. The intent (workloads) says which ones must be there.",
        "kubectl describe the pods of the workload: image, readiness probe, taints.", _rolled_out,
    ),
)  # fmt: skip
