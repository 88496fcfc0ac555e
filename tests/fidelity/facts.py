# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An output taken apart into facts: key → value, both text. Two outputs are alike where their facts are."""

from __future__ import annotations

from iproute import entry_facts
from objects import object_facts
from texts import text_facts

Facts = dict[str, str]

#: In words, for the page.
NOT_COMPARED = (
    "Times, ages, counters, uids, resource versions, generations, interface and namespace numbers, service addresses that were drawn, "
    "keys and certificates.",
    "Neighbours that are learned: they come and go with the traffic. Permanent ones are compared.",
    "Which of several equally good routes BIRD found first and shows as best, and its route change statistics.",
    "Events that tell who was faster (Unhealthy, FailedScheduling, BackOff, Killing, SandboxChanged), and how often one came.",
    "Places in an address block: who has an address is compared, not which number it has there.",
    "The filter, mangle and raw tables of iptables: Felix's policy chains are not imitated. Of nat everything is compared.",
    "What calicoctl printed: it is not here. What it reads, the objects, is compared.",
    "Pods, workloads, services and the operator's objects of clusters that were made by hand: somebody had written them, or nobody. Their "
    "`kubectl get pods -o wide` is compared.",
    "Recorded faults: tests/sandbox/test_kernel_faults.py makes them, one by one. Of other things that happened what was on the way from the state "
    "before to the one after, and how long it took.",
    "The size, kernel and operating system of the machine.",
)


def facts(path: str, text: str) -> Facts:
    """The facts of the output at ``path`` (`nodes/NODE/ip-j-addr.json` …)."""
    group, _ignored, rest = path.partition("/")
    name = rest.rpartition("/")[2]
    if group == "api":
        return object_facts(text)
    return entry_facts(name, text) if name.endswith(".json") else text_facts(name, text)
