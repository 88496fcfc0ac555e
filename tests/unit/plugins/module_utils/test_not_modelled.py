# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not modelled takes out what hangs on it and no more; without an Installation the objects tell whose the addresses are."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.module_utils._checks import judge
from ansible_collections.podnet.calico.plugins.module_utils._model import Link, Unobserved
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import BLOCK2, NONE, WORKER
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import failed, recording, with_facts, without_route


def told(snapshot, **settings):
    header = snapshot.header
    return snapshot._replace(header=header._replace(settings=header.settings._replace(**settings)))


def canal():
    """Calico for policy alone, without the operator: addresses by host-local, the ways between nodes by flannel."""
    snapshot = told(recording(NONE), ipam_type=None, cni_type=None, bgp_enabled=None)
    snapshot = snapshot._replace(pools=(), blocks=(), affinities=(), handles=())
    flannel = Link("flannel.1", 1450, True, True, "5a:00:00:00:00:01", "vxlan")
    for node in snapshot.nodes:
        snapshot = with_facts(
            snapshot, node.name,
            routes=lambda routes: tuple(
                route._replace(dev="flannel.1", protocol="boot") if route.protocol == "bird" else route
                for route in routes if route.type != "blackhole"
            ),
            links=lambda links: links + (flannel,),
            bird=lambda bird: bird._replace(running=False, sessions=(), routes=()),
            masquerade=lambda masquerade: masquerade._replace(all_pools=(), masquerade_pools=()),
        )  # fmt: skip
    return snapshot


def outcomes(verdict, check):
    return {result.outcome for result in verdict.results if result.id == check}


def test_addresses_of_another_ipam_are_no_failure_and_their_pods_hosts_are_judged():
    verdict = judge(canal())
    assert failed(verdict) == set()
    assert [f.message for f in verdict.findings if f.cause is None] == [
        "cluster: not modelled (IPAM of another: pods have addresses, and there is neither block nor affinity)"
    ]
    assert outcomes(verdict, "host.route") == outcomes(verdict, "host.device") == {"passed"}
    pod = next(pod for pod in canal().pods if pod.node == WORKER and not pod.host_network)
    assert "host.route" in failed(judge(without_route(canal(), WORKER, f"{pod.address}/32")))


def test_where_no_device_is_calicos_another_plugin_wired_the_pods():
    snapshot = canal()
    for node in snapshot.nodes:
        snapshot = with_facts(
            snapshot, node.name,
            links=lambda links: tuple(link._replace(name=link.name.replace("cali", "eni")) for link in links),
            routes=lambda routes: tuple(route._replace(dev=(route.dev or "").replace("cali", "eni") or None) for route in routes),
        )  # fmt: skip
    verdict = judge(snapshot)
    assert failed(verdict) == set()
    assert any("CNI plugin of another" in finding.message for finding in verdict.findings)


@pytest.mark.parametrize("known", ["an Installation", "an affinity", "nobody saw the blocks"])
def test_where_calicos_ipam_is_told_of_an_address_outside_every_block_is_a_fault(known):
    snapshot = canal()
    if known == "an Installation":
        assert "pods.allocation" in failed(judge(told(snapshot, cni_type="Calico", ipam_type="Calico")))
    elif known == "an affinity":
        assert "ipam.affinity" in failed(judge(snapshot._replace(affinities=recording(NONE).affinities)))
    else:
        gap = Unobserved("ipamblocks", "kubectl get ipamblocks", "refused")
        verdict = judge(snapshot._replace(header=snapshot.header._replace(unobserved=(gap,))))
        assert not any("IPAM of another" in finding.message for finding in verdict.findings)


@pytest.mark.parametrize("settings", [{"route_source": "WorkloadIPs"}, {"ipam_type": "HostLocal"}])
def test_what_takes_out_the_block_routes_leaves_the_routes_to_a_nodes_own_pods(settings):
    verdict = judge(told(recording(), **settings))
    assert outcomes(verdict, "blocks.remote-route") == {"inconclusive"}
    assert outcomes(verdict, "host.route") == outcomes(verdict, "vxlan.device") == {"passed"}
    assert "host.route" in failed(judge(told(without_route(recording(), WORKER, "192.168.93.194/32"), **settings)))


@pytest.mark.parametrize("settings", [{"route_source": "WorkloadIPs"}, {"ipam_type": "HostLocal"}])
def test_without_block_routes_no_path_is_walked_for_there_would_be_one_for_each_pod_from_each_node(settings):
    assert outcomes(judge(told(recording(), **settings)), "paths.pod-to-pod") == {"inconclusive"}


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"bpf_enabled": True}, "eBPF"),
        ({"route_source": "WorkloadIPs"}, "routeSource WorkloadIPs"),
        ({"route_sync_disabled": True}, "routeSyncDisabled"),
        ({"ipam_type": "HostLocal"}, "IPAM HostLocal"),
        ({"cni_type": "AmazonVPC"}, "CNI plugin AmazonVPC"),
        ({"wireguard_enabled": True}, "WireGuard"),
        ({"linux_dataplane": "Nftables"}, "nftables"),
        ({"nftables_mode": "Enabled"}, "nftables"),
    ],
)
def test_what_is_not_modelled_is_said_and_never_failed(setting, reason):
    broken = without_route(recording(), WORKER, BLOCK2) if "route" in str(setting) or "type" in str(setting) else recording()
    verdict = judge(told(broken, **setting))
    said = [finding for finding in verdict.findings if finding.outcome == "inconclusive"]
    assert any(f"not modelled ({reason}" in finding.message for finding in said)
    assert failed(verdict) <= {"pods.mtu"}
    assert verdict.summary["passed"] > 20, "what still holds is still judged"


def test_what_felix_chose_where_it_may_choose_nftables_is_told_by_its_rule():
    automatic = told(recording(), nftables_mode="Auto")
    assert judge(automatic).findings == ()
    assert failed(judge(with_facts(automatic, WORKER, masquerade=lambda m: m._replace(rule_present=False)))) == {"nat.masquerade"}
    for node in automatic.nodes:
        automatic = with_facts(automatic, node.name, masquerade=lambda m: m._replace(all_pools=(), masquerade_pools=(), rule_present=False))
    assert [(f.id, f.outcome) for f in judge(automatic).findings] == [("nat.masquerade", "inconclusive")]


def cloud(**settings):
    """A cluster whose BGP is off, so that BIRD runs nowhere; the pods' addresses are routed by somebody else."""
    snapshot = told(recording(NONE), bgp_enabled=False, **settings)
    for node in snapshot.nodes:
        snapshot = with_facts(
            snapshot, node.name,
            routes=lambda routes: tuple(route for route in routes if route.protocol != "bird"),
            bird=lambda bird: bird._replace(running=False, sessions=(), routes=()),
        )  # fmt: skip
    return snapshot


def test_the_routes_of_a_pool_without_bgp_are_not_modelled_and_all_else_is_judged():
    verdict = judge(cloud())
    [finding] = verdict.findings
    assert (finding.id, finding.outcome, finding.subject.kind) == ("blocks.remote-route", "inconclusive", "IPPool")
    assert "not modelled (pool default-ipv4-ippool without BGP" in finding.message
    assert {result.outcome for result in verdict.results if result.id == "host.route"} == {"passed"}
    pod = next(pod for pod in cloud().pods if pod.node == WORKER and not pod.host_network)
    assert "host.route" in failed(judge(without_route(cloud(), WORKER, f"{pod.address}/32")))


def test_a_pool_without_bgp_whose_routes_felix_was_told_to_make_is_judged():
    assert "blocks.remote-route" in failed(judge(cloud(program_cluster_routes="Enabled")))
