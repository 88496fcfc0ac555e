# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of each pod's cable: what the encapsulation leaves, at both ends; of a pod not looked into, at the host's end."""

from __future__ import annotations

from typing import List, NamedTuple, Optional

from .._expected import OVERHEAD, encapsulations, pod_mtu
from .._model import Evidence, Node, Pod
from .._names import POD_DEVICE, pod_device
from .case import Case
from .record import Recorder, node_evidence, pod_subject


class Cable(NamedTuple):
    """A pod's cable: the pod, its node, the device at the host's end and the MTUs that were seen (None: not seen)."""

    pod: Pod
    node: Optional[Node]
    device: str
    inner: Optional[int]
    outer: Optional[int]

    @property
    def name(self) -> str:
        """The pod, as messages call it."""
        return "%s/%s" % (self.pod.namespace, self.pod.name)

    @property
    def evidence(self) -> Evidence:
        """What was seen, at the pod's end where that was."""
        if self.inner is None and self.node is not None:
            return node_evidence(self.node, "ip link show " + self.device, ["%s mtu %d" % (self.device, self.outer or 0)])
        return Evidence("pod " + self.name, "ip link show " + POD_DEVICE, "%s mtu %d" % (POD_DEVICE, self.inner or 0))


def judge(case: Case, record: Recorder) -> None:
    """The check pods.mtu."""
    if not record.lists("nodes", "ippools"):
        return
    common = _common(case)
    for pod in case.pods:
        cable, right = _cable(case, pod), _right_mtus(case, pod)
        right += [common] if common and right and common < right[0] else []
        if (pod.skipped is None or cable.outer is None) and record.pod_facts(pod, "links") is None:
            continue
        seen = [mtu for mtu in (cable.inner, cable.outer) if mtu is not None]
        if not right or (pod.skipped is None and cable.inner is None):
            lacks = "%s of the pod" % POD_DEVICE if right else "the uplink's MTU on its node"
            record.inconclusive(pod.node, pod_subject(pod), "%s: %s is not known" % (cable.name, lacks), "ip link", "MTU")
        elif seen[0] in right and len(set(seen)) == 1:
            record.passed(pod.node)
        elif record.lists("installations"):  # it may name a smaller one
            _report(case, record, cable, seen, right[0])


def _cable(case: Case, pod: Pod) -> Cable:
    node = case.nodes.get(pod.node or "")
    device = pod_device(pod.namespace, pod.name, case.settings.interface_prefix)
    outer = case.links(node).get(device) if node else None
    inner = next((link.mtu for link in pod.facts.links if link.name == POD_DEVICE), None) if pod.facts else None
    return Cable(pod, node, device, inner, outer.mtu if outer else None)


def _common(case: Case) -> Optional[int]:
    """The MTU that all cables have, where no Installation tells it: a manifest's veth_mtu, which may be less than there is room for."""
    if case.settings.mtu or case.settings.cni_type:
        return None
    seen = {_cable(case, pod).outer for pod in case.pods} - {None}
    return seen.pop() if len(seen) == 1 else None


def _right_mtus(case: Case, pod: Pod) -> List[int]:
    """What the encapsulation leaves of the uplink's MTU; and what the operator says it set, which may be less."""
    node = case.nodes.get(pod.node or "")
    uplink = case.expectation.uplink(node) if node else None
    link = case.links(node).get(uplink) if node and uplink else None
    derived = [pod_mtu(case.snapshot, link.mtu)] if link else []
    return derived + ([case.settings.mtu] if case.settings.mtu else [])


def _report(case: Case, record: Recorder, cable: Cable, seen: List[int], wanted: int) -> None:
    """A pod keeps the MTU it was wired with, at both ends: one that fits another encapsulation is merely old."""
    subject, place, actual = pod_subject(cable.pod), cable.pod.node, seen[0]
    message = "%s has MTU %d; this cluster's encapsulation gives %d" % (cable.name, actual, wanted)
    base = wanted + max([OVERHEAD[kind] for kind in encapsulations(case.snapshot.pools)] or [0])
    if len(set(seen)) > 1:
        record.failed(
            place, subject, str(wanted), "%d in the pod, %d at the host's end" % tuple(seen),
            "%s: the two ends of its cable have MTU %d and %d" % (cable.name, *seen), cable.evidence,
        )  # fmt: skip
    elif actual in [base - overhead for overhead in OVERHEAD.values()]:
        record.warning(
            place, subject, str(wanted), str(actual), message + ": it was wired before the encapsulation was changed",
            cable.evidence, "Delete the pod so that it is wired anew; a running pod never gets another MTU.",
        )  # fmt: skip
    else:
        record.failed(place, subject, str(wanted), str(actual), message, cable.evidence)
