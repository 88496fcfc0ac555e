# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices of another CNI plugin or dataplane, beside Calico's: they hold routes of their own, and sometimes the pods."""

from __future__ import annotations

from .._model import Subject
from .case import Case
from .record import Check, Recorder, node_evidence

_OF = {
    "cni0": "the bridge plugin's", "flannel.1": "flannel's", "weave": "Weave Net's", "cilium_host": "Cilium's", "cilium_vxlan": "Cilium's",
    "kube-bridge": "kube-router's", "antrea-gw0": "Antrea's", "ovn-k8s-mp0": "OVN-Kubernetes'",
}  # fmt: skip
_EBPF = {"bpfin.cali": "the eBPF dataplane's", "bpfout.cali": "the eBPF dataplane's"}


def _leftovers(case: Case, record: Recorder) -> None:
    if not record.lists("ipamblocks"):
        return
    if not case.blocks:
        record.skipped(None, "no pod has an address of Calico's IPAM: another plugin may be meant to wire them")
        return
    ebpf = case.settings.bpf_enabled or case.settings.linux_dataplane == "BPF" or "pods" in case.assumed
    foreign = _OF if ebpf else {**_OF, **_EBPF}
    for node in case.snapshot.nodes:
        if record.facts(node, "links") is None:
            continue
        found = [name for name in case.links(node) if name in foreign]
        record.passed(node.name, not found)
        for name in found:
            record.warning(
                node.name, Subject("Device", name=name), "no device but Calico's", "%s device %s" % (foreign[name], name),
                "%s has %s, %s device: it was left behind, or wires pods beside Calico" % (node.name, name, foreign[name]),
                node_evidence(node, "ip link show %s" % name, [name]),
            )  # fmt: skip


CHECKS = (
    Check(
        "nodes.leftovers", "No device of another CNI plugin or dataplane is on a node",
        "Of several files in /etc/cni/net.d the first by name wires the pods; a device that was left behind keeps its routes.",
        "Look into /etc/cni/net.d on the node; delete what no longer runs there, and its device: ip link del DEVICE.", _leftovers, "minor",
    ),
)  # fmt: skip
