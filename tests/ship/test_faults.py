# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every named fault, in a living lab: the verdict has one headline, which is its check; healed, everything is as it was.

The module's own functions are called in this process, a playbook for each fault would take minutes; one fault is made
by the playbook that a person calls.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._cluster import Limits, connect
from ansible_collections.podnet.calico.plugins.module_utils._collect import EVIDENCE, collect
from ansible_collections.podnet.calico.plugins.module_utils._faults import FAULTS, Lab
from ansible_collections.podnet.calico.plugins.module_utils._lists import calico_group
from conftest import Lab as LivingLab

#: Longer than Calico, or the sandbox, takes to follow an object or a session; it ends a wait that would be for ever.
PATIENCE = 60
#: Healed by Felix alone, at its clock: up to 10 s.
SLOW = ("vxlan-device-deleted",)
CHOSEN = [name for name in FAULTS if name not in SLOW or os.environ.get("PODNET_TEST_ALL")]
#: A second lab is left to PODNET_TEST_ALL.
breadth = pytest.mark.skipif(not os.environ.get("PODNET_TEST_ALL"), reason="breadth: PODNET_TEST_ALL=1")
#: Objects of IPAM, which faults change.
IPAM = ("ipamblocks", "blockaffinities", "ipamhandles")


class Subject:
    """The lab as the module sees it."""

    def __init__(self, lab) -> None:
        self.cluster = connect({"kubeconfig": str(lab.kubeconfig)}, Limits())
        self.uuid = json.loads((lab.folder / "lab.json").read_text())["lab"]["uuid"]

    def lab(self) -> Lab:
        """A connection of somebody who knows nothing of the others."""
        self.cluster.start_clock()
        return Lab(self.cluster, self.uuid)

    def seen(self):
        """The verdict on the lab as it is now, and the snapshot it is on."""
        self.cluster.start_clock()
        snapshot = collect(self.cluster, EVIDENCE)
        return judge(snapshot), snapshot

    def seen_green(self):
        """BGP needs a second after a session was enabled, the routes of a block that came back, too; a readiness probe half a minute."""
        end = time.monotonic() + PATIENCE
        while (seen := self.seen())[0].findings and time.monotonic() < end:
            time.sleep(0.2)
        return seen

    def differs(self, healthy) -> dict:
        """What is not as it was, by its path, when everything has had its time: what a verdict may pass over comes back no sooner."""
        end = time.monotonic() + PATIENCE
        while (found := differences(healthy, self.state(self.seen()[1]))) and time.monotonic() < end:
            time.sleep(0.2)
        return found

    def state(self, snapshot) -> dict:
        """All that a fault may change, without what moves by itself: counters, neighbours that answered, IPv6's own addresses."""
        nodes = {
            node.name: {
                "routes": sorted(str(route) for route in node.facts.routes if ":" not in route.dst),
                "rules": node.facts.rules,
                "links": {link.name: (link.mtu, link.admin_up, link.mac) for link in node.facts.links},
                "sysctls": node.facts.sysctls,
                "permanent": sorted(str(entry) for entry in node.facts.neighbours if "PERMANENT" in entry.states),
                "fdb": sorted(map(str, node.facts.fdb)),
                "sessions": {session.name: session.state for session in node.facts.bird.sessions},
                "masquerade": node.facts.masquerade,
                "address": node.calico_address,
            }
            for node in snapshot.nodes
        }
        objects = {"pods": sorted((pod.namespace, pod.name, pod.calico_address or "") for pod in snapshot.pods)}
        for plural in IPAM:
            path = f"/apis/{calico_group(self.cluster)}/v1/{plural}"
            objects[plural] = dict(self.cluster.list(path, lambda item: (item["metadata"]["name"], item["spec"])))
        annotations = self.cluster.get("/api/v1/namespaces/kube-system/configmaps/podnet-lab")["metadata"].get("annotations")
        return {"nodes": nodes, "objects": objects, "annotations": annotations or {}}


@pytest.fixture(scope="module")
def subject(lab):
    subject = Subject(lab)
    try:
        yield subject
    finally:
        subject.lab().heal()


@pytest.fixture(scope="module")
def healthy(subject):
    """The lab's state before the first fault."""
    verdict, snapshot = subject.seen_green()
    assert verdict.findings == ()
    return subject.state(snapshot)


def differences(before, after, path=()) -> dict:
    """The places in which two states are not equal, with what is there in each."""
    if isinstance(before, dict) and isinstance(after, dict):
        places = [differences(before.get(key), after.get(key), (*path, key)) for key in {**before, **after}]
        return {place: values for found in places for place, values in found.items()}
    return {} if before == after else {path: (before, after)}


def headlines_of(verdict):
    return [finding for finding in verdict.findings if finding.cause is None]


def made_and_seen(subject, fault):
    """The fault and the headlines of it: once more, should the resync have repaired it just in between."""
    outcome = subject.lab().make(fault)
    headlines = headlines_of(subject.seen()[0])
    if not headlines and subject.lab().make(fault, dry=True).changed:
        outcome = subject.lab().make(fault)
        headlines = headlines_of(subject.seen()[0])
    return outcome, headlines


@pytest.mark.parametrize("name", CHOSEN)
def test_a_fault_has_one_headline_and_leaves_nothing_behind(subject, healthy, name):
    fault = FAULTS[name]
    try:
        outcome, headlines = made_and_seen(subject, fault)
        assert {finding.id for finding in headlines if finding.outcome == "failed"} == {fault.check}, [f.message for f in headlines]
        # Of a block that two nodes claim, the headline is its owner's, and names both.
        assert any(outcome.entry.node == finding.node or outcome.entry.node in finding.message for finding in headlines)
    finally:  # the next fault is judged on its own
        healed = subject.lab().heal(name)
    assert [one.left_alone for one in healed] == [[]]
    assert subject.seen_green()[0].findings == ()
    assert subject.differs(healthy) == {}


def test_the_playbook_breaks_the_recorded_lab_and_heals_all(lab, subject, healthy):
    run = lab.play("podnet.calico.break", variables={"podnet_fault": "block-route-gateway"})
    assert run.code == 0, run.fault
    assert run.changed_tasks == ["Break the lab, or heal it"]
    (headline,) = headlines_of(subject.seen()[0])
    assert (headline.id, headline.node) == ("blocks.remote-route", f"{lab.name}-worker")
    run = lab.play("podnet.calico.break", variables={"podnet_fault_state": "absent"})
    assert run.code == 0, run.fault
    assert subject.differs(healthy) == {}


@pytest.fixture(scope="module")
def routed(stranger):
    """A lab whose block routes come by BGP: without encapsulation."""
    lab = LivingLab(stranger, "routed")
    try:
        run = lab.play("podnet.calico.deploy", variables={"calico_encapsulation": "None"})
        assert run.code == 0, run.fault or run.text
        yield lab, Subject(lab)
    finally:
        gone = lab.play("podnet.calico.destroy")
        assert gone.code == 0, gone.text


@breadth
@pytest.mark.parametrize("name", ["bgp-isolated", "bgp-session-down", "block-route-gateway", "node-address-wrong"])
def test_where_bgp_makes_the_routes_a_fault_has_one_headline_too(routed, name):
    _lab, subject = routed
    assert subject.seen_green()[0].findings == ()
    _outcome, (headline,) = made_and_seen(subject, FAULTS[name])
    assert headline.id == FAULTS[name].check
    (healed,) = subject.lab().heal(name)
    assert healed.left_alone == [] and subject.seen_green()[0].findings == ()


@breadth
def test_an_uplink_that_is_down_is_the_cause_of_all_that_goes_with_it(routed):
    """No fault of routing_fault: a node of a real cluster could not be reached to heal it. The sandbox's API needs no uplink."""
    lab, subject = routed
    assert subject.seen_green()[0].findings == ()
    lab.on_node("worker", "ip", "link", "set", "eth0", "down")
    try:
        (headline,) = headlines_of(subject.seen()[0])
        assert (headline.id, headline.node, headline.subject.name) == ("nodes.uplink", "routed-worker", "eth0")
        assert {key.split()[0] for key in headline.consequences} >= {"host.gateway-route", "blocks.remote-route"}
    finally:
        lab.on_node("worker", "ip", "link", "set", "eth0", "up")
        lab.on_node("worker", "ip", "route", "replace", "default", "via", "172.18.0.1")
    assert subject.seen_green()[0].findings == ()


def test_the_playbook_without_a_lab_says_how_to_build_one(stranger):
    run = stranger.play("podnet.calico.break", variables={"podnet_lab_name": "none", "podnet_fault": "foreign-route"})
    assert run.code != 0
    assert "There is no lab in" in run.fault
