# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check asks for: found by running it with a Recorder that notes what it is asked, and by what is collected for that."""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.podnet.calico.plugins.module_utils import _evidence, _lists, _probe
from ansible_collections.podnet.calico.plugins.module_utils._checks import Check
from ansible_collections.podnet.calico.plugins.module_utils._checks.case import Case
from ansible_collections.podnet.calico.plugins.module_utils._checks.record import Recorder
from ansible_collections.podnet.calico.plugins.module_utils._model import Settings, Snapshot
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import SCENARIOS, recording

from .broken import BROKEN

# Settings that take a part of the data plane out of what is modelled, one each; what they are called is the engine's to say.
_OTHERWISE = (
    {"cni_type": "other than Calico"}, {"ipam_type": "other than Calico"}, {"linux_dataplane": "VPP"}, {"route_sync_disabled": True},
    {"route_source": "WorkloadIPs"}, {"bpf_enabled": True}, {"nftables_mode": "Enabled"}, {"wireguard_enabled": True},
)  # fmt: skip
# Commands whose output is not one field of a node's facts.
_PARTS = {"masquerade": ("ipset.", "nat."), "bird": ("bird.protocols",), "bird.routes": ("bird.routes",)}
_PING = _probe.Ping()
_LIST_OF_ITS_OWN = {"kubeadm-config": "kubectl get configmap --namespace kube-system kubeadm-config -o yaml"}


class Asked(NamedTuple):
    """Names of the evidence, each in order: of lists of the API, of nodes, of pods."""

    lists: tuple[str, ...]
    nodes: tuple[str, ...]
    pods: tuple[str, ...]


class _Noting(Recorder):
    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.asked: tuple[set[str], set[str], set[str]] = (set(), set(), set())

    def lists(self, *plurals: str) -> bool:
        self.asked[0].update(plurals)
        return super().lists(*plurals)

    def facts(self, node, *whats):  # type: ignore[no-untyped-def]
        self.asked[1].update(whats)
        return super().facts(node, *whats)

    def pod_facts(self, pod, *whats):  # type: ignore[no-untyped-def]
        self.asked[2].update(whats)
        return super().pod_facts(pod, *whats)


@functools.cache
def _snapshots() -> tuple[tuple[Snapshot, object], ...]:
    """Every recording, and every broken cluster: whatever a check looks at, it looks at in one of them."""
    return (*((recording(name), None) for name in SCENARIOS), *((one.edit(one.healthy), one.intent) for one in BROKEN.values()))


def asked(check: Check, lists: Sequence[str] = (), nodes: Sequence[str] = ()) -> Asked:
    """What the check asks for, besides the ``lists`` and facts of ``nodes`` that it reads where others ask for them."""
    found: tuple[set[str], set[str], set[str]] = (set(lists), set(nodes), set())
    for snapshot, intent in _snapshots():
        case = Case(snapshot, intent)  # type: ignore[arg-type]
        record = _Noting(check, snapshot, case.doubt)
        check.run(case, record)
        for all_of_them, now in zip(found, record.asked):
            all_of_them.update(now)
    return Asked(*(tuple(sorted(names)) for names in found))


def not_modelled(check: Check) -> list[str]:
    """The configurations, in the engine's words, in which the check cannot be made."""
    reasons = []
    for fields in _OTHERWISE:
        snapshot = recording()
        header = snapshot.header._replace(settings=Settings(**fields))
        found = Case(snapshot._replace(header=header)).not_modelled
        reasons += sorted({reason for aspect, reason in found.items() if aspect in check.aspects})
    return [re.sub(r"^not modelled \((.*)\)$", r"\1", reason) for reason in reasons]


def commands(what: Asked) -> Iterator[tuple[str, str]]:
    """Where each piece is read, and by which command, as the collection runs it."""
    kinds = {kind.key: kind.command for kind in _lists.kinds_of(_lists.CRD_GROUP)} | _LIST_OF_ITS_OWN
    if "probes" in what.lists:
        yield "the pod that asks", " ".join(_probe.ping_command(_PING, "DESTINATION"))
        yield "the pod that answers", shlex.join(_probe.capture_command(_PING, "DESTINATION"))
        yield "the node of the pod that asks", "ip -j -s link"
    yield from (("the API", kinds[name]) for name in what.lists if name != "probes")
    for where, names, script in (("each node", what.nodes, _evidence.node_script()), ("the pod", what.pods, _evidence.pod_script())):
        yield from ((where, command) for name in names for command in _run(script, _PARTS.get(name, (name,))))


def _run(script: str, names: Sequence[str]) -> Iterator[str]:
    for line in script.splitlines():
        for step in re.split(r" (?:\|\||&&) ", line):
            _r, _space, rest = step.partition("r ")
            name, _space, command = rest.partition(" ")
            if step.startswith("r ") and any(name == one or (one.endswith(".") and name.startswith(one)) for one in names):
                yield _readable(command)


def _readable(command: str) -> str:
    """Without the script's two functions: one reads files under /proc/sys, one looks for Calico's rule."""
    if command.startswith("s "):
        return "grep -H . " + command[2:]
    return re.sub(r"^g (\S+)$", r"\1 -t nat | grep cali40masq-ipam-pools", command)
