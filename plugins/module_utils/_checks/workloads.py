# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads: DaemonSets and Deployments have as many ready pods as they want."""

from __future__ import annotations

from .._model import Evidence, Subject, Workload
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
        # Pods on the host's network (calico-node, typha) are no subject of pod routing.
        on_host = _on_host_network(case, workload)
        report = record.warning if on_host else record.failed
        report(
            None, Subject(workload.kind, workload.namespace, workload.name), "%d ready pods" % workload.desired, actual,
            "%s is not rolled out: %s" % (name, actual), Evidence("cluster", command, actual),
        )  # fmt: skip


def _on_host_network(case: Case, workload: Workload) -> bool:
    """Whether the workload's pods use the host's network."""
    pods = case.workload_pods.get((workload.kind, workload.namespace, workload.name), [])
    return bool(pods) and all(pod.host_network for pod in pods)


CHECKS = (
    Check(
        "workloads.rolled-out", "Every DaemonSet and Deployment is rolled out",
        "A pod that is not Ready is not proved to be reachable, and a lab without its pods teaches nothing.",
        "kubectl describe the pods of the workload: image, readiness probe, taints.", _rolled_out,
    ),
)  # fmt: skip
