# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real recordings: healthy ones have no failure; each fault put into one is named by its check, on its node, once.

A fault here is the state that the recordings of faults show (faults.md), made by an edit of a healthy recording.
"""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import CHECKS, judge
from ansible_collections.podnet.calico.plugins.module_utils._model import (
    Affinity,
    Route,
    Unobserved,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import (
    BLOCK,
    BLOCK2,
    CONTROL,
    DEVICE,
    NONE,
    POD,
    VXLAN,
    WORKER,
    WORKER2,
    held_back,
    leaked_address,
    pod_elsewhere,
    policy_rule,
    second_affinity,
    with_block,
    with_gateway,
    with_link,
    with_pod_facts,
    with_route,
    with_session,
    with_sysctl,
    without_link,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    SCENARIOS,
    changed_route,
    failed,
    recording,
    with_facts,
    with_node,
    without_route,
)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_healthy_recording_has_no_failure_and_nothing_undecided(scenario):
    verdict = judge(recording(scenario))
    assert [f.message for f in verdict.findings if f.outcome in ("failed", "inconclusive")] == []
    assert verdict.summary["passed"] > 90
    assert not verdict.failed


# id of the check · node · words of the message · recording · the fault
FAULTS = [
    ("blocks.remote-route", WORKER, f"no route to {BLOCK2} of {WORKER2}", None, lambda s: without_route(s, WORKER, BLOCK2)),
    ("blocks.remote-route", WORKER, "differs in via", None, lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2")),
    ("blocks.remote-route", WORKER, "differs in via", VXLAN, lambda s: changed_route(s, WORKER, BLOCK2, gateway="192.168.116.7")),
    ("blocks.remote-route", WORKER, "differs in dev", None, lambda s: changed_route(s, WORKER, BLOCK2, dev="vxlan.calico")),
    ("blocks.remote-route", WORKER, "no route to", NONE, lambda s: without_route(s, WORKER, BLOCK2)),
    ("blocks.route-owner", WORKER, "is of proto boot, not 80", None, lambda s: changed_route(s, WORKER, BLOCK2, protocol="boot")),
    ("blocks.own-blackhole", WORKER, "no blackhole for its own block", None, lambda s: without_route(s, WORKER, BLOCK)),
    ("blocks.tunnel-address", WORKER, "192.168.112.192/32 differs in via", None,
     lambda s: changed_route(s, WORKER, "192.168.112.192/32", gateway="172.18.0.2")),
    ("blocks.borrowed-route", WORKER2, "no route to 10.99.0.5/32", "calico-v3.30.7/borrowed-vxlan",
     lambda s: without_route(s, WORKER2, "10.99.0.5/32")),
    ("blocks.borrowed-route", WORKER, "no route to 10.99.0.1/32", "calico-v3.30.7/borrowed-none",
     lambda s: without_route(s, WORKER, "10.99.0.1/32")),
    ("blocks.stray-route", WORKER2, "more specific", None,
     lambda s: with_route(s, WORKER2, Route("192.168.116.0/27", gateway="172.18.0.1", dev="eth0"))),
    ("blocks.stray-route", WORKER, "no Calico object explains", None,
     lambda s: with_route(s, WORKER, Route("192.168.112.0/24", gateway="172.18.0.1", dev="eth0"))),
    ("blocks.policy-rule", WORKER, "before the main table", None, policy_rule),
    ("host.route", WORKER, f"no route to its own pod default/{POD}", None, lambda s: without_route(s, WORKER, "192.168.93.194/32")),
    ("host.route", WORKER, "is doubled", None,
     lambda s: with_route(s, WORKER, Route("192.168.93.194/32", dev="cali0337ec045c9", scope="link", metric=5))),
    ("host.route", WORKER, "differs in dev", None, lambda s: changed_route(s, WORKER, "192.168.93.194/32", dev="cali0337ec045c9")),
    ("host.route", WORKER, "differs in metric", "calico-v3.32.1/vxlancrosssubnet",
     lambda s: changed_route(s, WORKER, "192.168.93.203/32", metric=0)),
    ("host.device", WORKER, f"{DEVICE} of pod default/{POD} is down", None,
     lambda s: without_route(with_link(s, WORKER, DEVICE, admin_up=False, carrier=False), WORKER, "192.168.93.194/32")),
    ("host.device", WORKER, "is missing", None, lambda s: without_link(s, WORKER, DEVICE)),
    ("host.stray", WORKER, "belongs to no pod", None,
     lambda s: with_route(s, WORKER, Route("192.168.93.240/32", dev="calideadbeef000", scope="link"))),
    ("host.gateway-route", WORKER, "no route that covers 169.254.1.1", None, lambda s: without_route(s, WORKER, "0.0.0.0/0")),
    ("sysctls.pod-device", WORKER, "answers no ARP", None, lambda s: with_sysctl(s, WORKER, f"net.ipv4.conf.{DEVICE}.proxy_arp", "0")),
    ("sysctls.forwarding", WORKER, "ip_forward is 0", None, lambda s: with_sysctl(s, WORKER, "net.ipv4.ip_forward", "0")),
    ("vxlan.device", WORKER, "is missing", None, lambda s: without_link(s, WORKER, "vxlan.calico")),
    ("vxlan.device", WORKER, "is missing", VXLAN, lambda s: without_link(s, WORKER, "vxlan.calico")),
    ("vxlan.device", WORKER, "of MAC 66:00:00:00:00:00", None, lambda s: with_link(s, WORKER, "vxlan.calico", mac="66:00:00:00:00:00")),
    ("vxlan.neighbours", WORKER, "has no neighbour entry for pod-routing-worker2's VTEP", None, lambda s: with_facts(
        s, WORKER, neighbours=lambda rows: tuple(n for n in rows if n.address != "192.168.112.192"))),
    ("vxlan.fdb", WORKER, "instead of 172.18.0.4", VXLAN, lambda s: with_facts(
        s, WORKER, fdb=lambda rows: tuple(e._replace(dst="172.18.0.2") if e.dst == "172.18.0.4" else e for e in rows))),
    ("vxlan.address", WORKER, "is missing", None, lambda s: with_node(
        without_route(without_route(s, CONTROL, "192.168.93.192/32"), WORKER2, "192.168.93.192/32"), WORKER,
        lambda n: n._replace(vxlan_tunnel_address=None))),
    ("bgp.sessions", WORKER, f"the BGP session to {WORKER2} (172.18.0.4) is start Connect", None,
     lambda s: with_session(s, WORKER, "172.18.0.4", "Connect")),
    ("bgp.running", WORKER, "BIRD does not run", None, lambda s: with_facts(
        s, WORKER, bird=lambda b: b._replace(running=False, message="Connection refused", sessions=(), routes=()))),
    ("blocks.remote-route", CONTROL, "differs in via, proto", NONE, held_back),
    ("ipam.affinity", WORKER, "2 confirmed affinities", None, second_affinity),
    ("ipam.affinity", WORKER2, f"the block names {WORKER2}, its affinity {WORKER}", None,
     lambda s: with_block(s, BLOCK, affinity="host:" + WORKER2)),
    ("ipam.owner", None, "no node of this cluster", None, lambda s: s._replace(
        blocks=s.blocks + (s.blocks[0]._replace(cidr="192.168.200.0/26", affinity="host:gone", allocations=()),),
        affinities=s.affinities + (Affinity("gone", "192.168.200.0/26", "gone"),))),
    ("ipam.layout", WORKER, "overlaps block", None, lambda s: s._replace(
        blocks=s.blocks + (s.blocks[0]._replace(cidr="192.168.93.192/28", affinity="host:" + WORKER, allocations=()),),
        affinities=s.affinities + (Affinity("x", "192.168.93.192/28", WORKER),))),
    ("ipam.allocation", WORKER, "pod default/gone, which does not exist", None, leaked_address),
    ("ipam.pools", None, "overlaps the service range", None,
     lambda s: s._replace(header=s.header._replace(settings=s.header.settings._replace(service_cidr="192.168.96.0/20")))),
    ("pods.allocation", WORKER, "is in no block", None, pod_elsewhere),
    ("pods.routes", WORKER, "not exactly Calico's two routes", None,
     lambda s: with_pod_facts(s, routes=lambda routes: routes + (Route("10.0.0.0/8", dev="eth1"),))),
    ("pods.interface", WORKER, "192.168.93.194/24 on eth0", None, lambda s: with_pod_facts(
        s, addresses=lambda rows: tuple(a._replace(prefixlen=24) if a.prefixlen == 32 else a for a in rows))),
    ("pods.gateway", WORKER, "cannot resolve its gateway", None, lambda s: with_gateway(s, ("FAILED",))),
    ("pods.mtu", WORKER, "MTU 1400 and 1450", None, lambda s: with_pod_facts(
        s, links=lambda links: tuple(x._replace(mtu=1400) if x.name == "eth0" else x for x in links))),
    ("nodes.address", WORKER, "Kubernetes knows the node as 172.18.0.3", None,
     lambda s: with_node(s, WORKER, lambda n: n._replace(calico_address="172.18.0.9/16"))),
    ("nodes.uplink", WORKER, "eth0, which has the node's address 172.18.0.3, is down: the node is cut off", None,
     lambda s: with_link(s, WORKER, "eth0", admin_up=False)),
    ("nodes.uplink", WORKER, "eth0, which has the node's address 172.18.0.3, is without carrier", None,
     lambda s: with_link(s, WORKER, "eth0", carrier=False)),
    ("nodes.uplink", WORKER, "has no route to its own subnet 172.18.0.0/16 on eth0", None,
     lambda s: without_route(s, WORKER, "172.18.0.0/16")),
    ("nodes.ready", WORKER, "is not Ready: kubelet stopped", None,
     lambda s: with_node(s, WORKER, lambda n: n._replace(ready=False, not_ready_reason="kubelet stopped"))),
    ("nodes.calico-node", WORKER, "no running calico-node", None,
     lambda s: with_node(s, WORKER, lambda n: n._replace(calico_node_pod=None))),
    ("nat.masquerade", WORKER, "holds nothing instead of 192.168.0.0/16", None, lambda s: with_facts(
        s, WORKER, masquerade=lambda m: m._replace(masquerade_pools=()))),
]  # fmt: skip


@pytest.mark.parametrize(("check", "node", "says", "scenario", "fault"), FAULTS, ids=lambda value: value if isinstance(value, str) else None)
def test_a_fault_is_named_by_its_check_on_its_node_and_explains_the_rest(check, node, says, scenario, fault):
    healthy = recording(scenario) if scenario else recording()
    verdict = judge(fault(healthy))
    own = [finding for finding in verdict.findings if finding.id == check and finding.node == node and finding.cause is None]
    assert own, [(f.id, f.node, f.message) for f in verdict.findings]
    assert any(says in finding.message for finding in own), [finding.message for finding in own]
    assert all(finding.remedy and finding.expected and finding.actual and finding.doc for finding in own)
    assert verdict.failed
    assert failed(verdict) == {check}, [(f.id, f.message) for f in verdict.findings if f.cause is None]


# the fault · the command that undoes it, in the calico-node pod of the node or by itself
REMEDIES = [
    (lambda s: without_route(s, WORKER, BLOCK2), f"ip route replace {BLOCK2} via 172.18.0.4 dev eth0 proto 80 onlink"),
    (lambda s: changed_route(s, WORKER, BLOCK2, metric=5), f"ip route del {BLOCK2} via 172.18.0.4 dev eth0 proto 80 metric 5"),
    (lambda s: without_route(s, WORKER, BLOCK), f"ip route replace blackhole {BLOCK} proto 80"),
    (lambda s: without_route(s, WORKER, "192.168.93.194/32"), f"ip route replace 192.168.93.194 dev {DEVICE} scope link"),
    (lambda s: without_route(s, WORKER, "0.0.0.0/0"), "ip route add default via 172.18.0.1"),
    (lambda s: with_route(s, WORKER, Route(BLOCK2.replace("/26", "/27"), gateway="172.18.0.1", dev="eth0")),
     "ip route del 192.168.112.192/27 via 172.18.0.1 dev eth0"),
    (lambda s: with_route(s, WORKER, Route("192.168.93.194/32", dev="eth0", metric=5)), "ip route del 192.168.93.194 dev eth0 metric 5"),
    (policy_rule, "ip rule del priority 100"),
    (lambda s: with_link(s, WORKER, DEVICE, admin_up=False), f"ip link set {DEVICE} up"),
    (lambda s: with_sysctl(s, WORKER, "net.ipv4.ip_forward", "0"), "sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'"),
    (lambda s: without_link(s, WORKER, DEVICE), f"kubectl delete pod -n default {POD}"),
    (second_affinity, "kubectl delete blockaffinities.crd.projectcalico.org x"),
    (lambda s: with_block(s, BLOCK, affinity="host:" + WORKER2),
     "kubectl patch ipamblocks.crd.projectcalico.org 192-168-93-192-26 --type merge -p "
     f"'{{\"spec\": {{\"affinity\": \"host:{WORKER}\"}}}}'"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "command"), REMEDIES)
def test_the_remedy_is_the_command_that_undoes_the_fault(fault, command):
    if not command.startswith("kubectl"):
        namespace, pod = next(node.calico_node_pod for node in recording().nodes if node.name == WORKER).split("/")
        command = f"kubectl exec -n {namespace} {pod} -c calico-node -- {command}"
    assert judge(fault(recording())).findings[0].remedy.endswith(": " + command)


def test_what_nobody_can_know_is_not_guessed():
    """Two affinities, and the block's own node has neither of them: there is no telling which is right."""
    block = next(one for one in recording().blocks if one.cidr == BLOCK)
    others = (Affinity("x", BLOCK, WORKER2), Affinity("y", BLOCK, CONTROL))
    kept = tuple(one for one in recording().affinities if one.cidr != BLOCK) + others
    verdict = judge(with_block(recording(), BLOCK, allocations=())._replace(affinities=kept))
    assert block.owner == WORKER
    assert "kubectl" not in next(finding for finding in verdict.findings if finding.id == "ipam.affinity").remedy


def test_checks_are_chosen_by_wildcard_and_a_misspelt_one_is_refused():
    only = judge(recording(), checks=["blocks.*"], skip_checks=["blocks.policy-*"])
    assert {result.id.partition(".")[0] for result in only.results} == {"blocks"}
    assert "blocks.policy-rule" not in {result.id for result in only.results}
    with pytest.raises(ValueError, match=r"block\.remote"):
        judge(recording(), checks=["block.remote"])


def test_fail_on_decides_what_fails():
    gap = with_facts(recording(), WORKER, unobserved=(Unobserved("rules", "ip rule", "refused"),))
    assert judge(gap).failed
    assert not judge(gap, fail_on=("failed",)).failed


def test_a_pod_wired_before_a_change_of_encapsulation_is_a_warning_that_says_how_to_end_it():
    def old(snapshot, mtu):
        inside = with_pod_facts(snapshot, links=lambda links: tuple(x._replace(mtu=mtu) if x.name == "eth0" else x for x in links))
        return with_link(inside, WORKER, DEVICE, mtu=mtu)

    verdict = judge(old(recording(), 1480))
    [finding] = verdict.findings
    assert (finding.id, finding.outcome) == ("pods.mtu", "warning")
    assert "before the encapsulation was changed" in finding.message
    assert "Delete the pod" in finding.remedy
    assert not verdict.failed


def test_a_smaller_mtu_that_a_manifest_gave_all_pods_is_as_it_was_told_and_one_pods_own_is_not():
    def narrow(snapshot, names):
        for node in snapshot.nodes:
            snapshot = with_facts(snapshot, node.name, links=lambda rows: tuple(x._replace(mtu=1400) if x.name in names else x for x in rows))
        return snapshot._replace(pods=tuple(pod._replace(skipped="not selected", facts=None) for pod in snapshot.pods))

    header = recording().header
    bare = recording()._replace(header=header._replace(settings=header.settings._replace(mtu=None, cni_type=None, ipam_type=None)))
    devices = {link.name for node in bare.nodes for link in node.facts.links if link.name.startswith("cali")}
    assert failed(judge(narrow(bare, devices))) == set()
    assert failed(judge(narrow(bare, {DEVICE}))) == failed(judge(narrow(recording(), devices))) == {"pods.mtu"}


def test_a_foreign_route_that_bgp_spread_is_one_cause():
    foreign = Route("192.168.116.0/27", gateway="172.18.0.1", dev="eth0")
    snapshot = with_route(recording(NONE), WORKER2, foreign)
    for node in (WORKER, CONTROL):
        snapshot = with_route(snapshot, node, foreign._replace(gateway="172.18.0.4", protocol="bird"))
    causes = [finding for finding in judge(snapshot).findings if finding.cause is None]
    assert [(finding.id, finding.node) for finding in causes] == [("blocks.stray-route", WORKER2)]


def test_each_check_has_a_fault_that_it_finds():
    elsewhere = {"connectivity", "intent", "ipip", "shards", "workloads"}  # their own test files, or test_diagnose.py
    never_alone = {
        "api.observed", "nodes.observed", "paths.pod-to-pod", "bgp.synced", "bgp.programmer", "ipam.handles", "ipam.capacity",
        "vxlan.leftover", "nodes.leftovers", "sysctls.reverse-path",
    }  # fmt: skip
    tested = {fault[0] for fault in FAULTS}
    assert {check.id for check in CHECKS if check.id.partition(".")[0] not in elsewhere} - tested == never_alone


def test_a_detour_is_found_though_every_ping_would_be_answered():
    verdict = judge(changed_route(recording(), WORKER, BLOCK2, gateway="172.18.0.2"), checks=["paths.*"])
    assert {finding.node for finding in verdict.findings} == {WORKER}
    assert all(f"a detour: {WORKER} → {CONTROL} → {WORKER2}" in finding.message for finding in verdict.findings)


def test_a_best_route_that_bird_holds_back_is_explained_by_the_foreign_route():
    findings = {finding.id: finding for finding in judge(held_back(recording(NONE))).findings}
    assert findings["bgp.synced"].cause.startswith("blocks.remote-route")


def test_a_handle_that_counts_wrong_and_a_full_pool_are_warnings():
    handles = tuple(h._replace(blocks=dict.fromkeys(h.blocks, 9)) if n == 0 else h for n, h in enumerate(recording().handles))
    full = recording().header._replace(settings=recording().header.settings._replace(max_blocks_per_host=1))
    verdict = judge(recording()._replace(handles=handles, header=full))
    assert {(f.id, f.outcome) for f in verdict.findings} == {("ipam.handles", "warning"), ("ipam.capacity", "warning")}


def test_a_vxlan_device_left_behind_is_a_warning():
    device = next(x for x in recording().nodes[0].facts.links if x.name == "vxlan.calico")
    verdict = judge(with_facts(recording(NONE), WORKER, links=lambda links: links + (device,)))
    assert [(f.id, f.outcome, f.node) for f in verdict.findings] == [("vxlan.leftover", "warning", WORKER)]
