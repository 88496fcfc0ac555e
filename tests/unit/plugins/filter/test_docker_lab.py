# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster on a Docker host is the lab's only where the lab folder says so."""

from __future__ import annotations

import pytest
from ansible_collections.podnet.calico.plugins.filter.docker_lab import docker_lab

SUBNETS = {
    "podnet_node_subnet": "172.18.0.0/16",
    "podnet_pod_subnet": "192.168.0.0/16",
    "podnet_service_subnet": "10.96.0.0/16",
}
#: Unix time of SINCE.
STARTED = 1795420800
SINCE = "2026-11-23T08:00:00Z"
BUILDING = {"cluster": "lab", "uuid": "u-1", "since": SINCE}


def container(name: str, *, id_: str = "", state: str = "running", created: int = STARTED + 5, address: str = "172.18.0.2") -> dict:
    return {
        "Id": id_ or name + "-id",
        "Names": ["/" + name],
        "State": state,
        "Created": created,
        "Labels": {"io.x-k8s.kind.cluster": "lab", "io.x-k8s.kind.role": "control-plane" if "control" in name else "worker"},
        "NetworkSettings": {"Networks": {"kind": {"IPAddress": address if state == "running" else "", "GlobalIPv6Address": ""}}},
    }


def network(name: str, subnet: str, lab: str = "") -> dict:
    labels = {"podnet.calico/lab": lab} if lab else {}
    return {"Name": name, "Id": name + "-id", "IPAM": {"Config": [{"Subnet": subnet}]}, "Labels": labels, "Options": {}}


NODES = [container("lab-control-plane"), container("lab-worker", address="172.18.0.10"), container("lab-worker2", address="172.18.0.9")]
RECORDED = {
    "uuid": "u-0",
    "containers": [
        {"id": "lab-control-plane-id", "name": "lab-control-plane", "addresses": ["172.18.0.2"]},
        {"id": "lab-worker-id", "name": "lab-worker", "addresses": ["172.18.0.10"]},
        {"id": "lab-worker2-id", "name": "lab-worker2", "addresses": ["172.18.0.9"]},
    ],
}


def found(containers=(), networks=(), time: str = "2026-11-23T09:00:00.5+01:00", **options) -> dict:
    host = {"containers": list(containers), "networks": list(networks), "host_info": {"SystemTime": time}}
    return docker_lab(host, "lab", "kind", **options)


def test_nothing_is_absent():
    nothing = found()
    assert (nothing["state"], nothing["uuid"], nothing["network"]) == ("absent", "", {})


def test_containers_of_another_cluster_are_not_looked_at():
    other = container("other-control-plane")
    other["Labels"]["io.x-k8s.kind.cluster"] = "other"
    assert found([other])["state"] == "absent"


def test_the_recorded_containers_are_the_lab():
    lab = found(NODES, recorded=RECORDED)
    assert (lab["state"], lab["uuid"]) == ("running", "u-0")
    assert [node["name"] for node in lab["nodes"]] == ["lab-control-plane", "lab-worker", "lab-worker2"]
    assert lab["nodes"][0]["addresses"] == ["172.18.0.2"]


def test_a_recorded_container_that_stopped_is_named():
    lab = found([NODES[0], container("lab-worker", state="exited"), NODES[2]], recorded=RECORDED)
    assert (lab["state"], lab["reason"]) == ("stopped", "not running: lab-worker")


def test_containers_are_started_in_the_order_of_the_addresses_they_had():
    """Docker gives out the lowest free address, and 172.18.0.10 is after 172.18.0.9."""
    assert found(NODES, recorded=RECORDED)["start_order"] == ["lab-control-plane-id", "lab-worker2-id", "lab-worker-id"]


def test_a_recorded_container_that_is_gone_is_named():
    lab = found(NODES[:2], recorded=RECORDED)
    assert (lab["state"], lab["reason"]) == ("incomplete", "there is no lab-worker2 any more")


def test_containers_without_a_record_are_foreign():
    lab = found(NODES)
    assert (lab["state"], lab["reason"]) == ("foreign", "its nodes are lab-control-plane, lab-worker, lab-worker2")


def test_a_cluster_that_was_made_anew_by_somebody_else_is_foreign():
    assert found([container("lab-control-plane", id_="another")], recorded=RECORDED)["state"] == "foreign"


def test_one_foreign_container_among_ours_makes_the_cluster_foreign():
    lab = found([*NODES, container("lab-worker3")], recorded=RECORDED)
    assert (lab["state"], lab["reason"]) == ("foreign", "its nodes are lab-worker3")


def test_containers_made_after_the_intention_are_half_built_by_us():
    lab = found(NODES, building=BUILDING)
    assert (lab["state"], lab["uuid"]) == ("half_built", "u-1")


def test_one_made_in_the_second_of_the_intention_is_ours():
    assert found([container("lab-control-plane", created=STARTED)], building=BUILDING)["state"] == "half_built"


def test_one_made_before_the_intention_is_foreign():
    older = container("lab-control-plane", created=STARTED - 1)
    assert found([older, NODES[1]], building=BUILDING)["state"] == "foreign"


def test_an_intention_of_another_cluster_makes_nothing_ours():
    assert found(NODES, building={**BUILDING, "cluster": "other"})["state"] == "foreign"


def test_the_record_counts_where_both_are_there():
    lab = found(NODES, building=BUILDING, recorded=RECORDED)
    assert (lab["state"], lab["uuid"]) == ("running", "u-0")


def test_an_interrupted_first_try_keeps_its_uuid():
    """The network it made carries that uuid."""
    lab = found(networks=[network("kind", "172.18.0.0/16", lab="u-1")], building=BUILDING)
    assert (lab["state"], lab["uuid"], lab["network"]["lab"]) == ("absent", "u-1", "u-1")


@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2026-11-23T08:00:00.123456789Z", "2026-11-23T08:00:00Z"),
        ("2026-11-23T09:00:00.123456789+01:00", "2026-11-23T08:00:00Z"),
        ("2026-11-23T02:30:00-05:30", "2026-11-23T08:00:00Z"),
        ("", ""),
    ],
)
def test_the_hosts_time_is_told_in_utc(said, utc):
    assert found(time=said)["now"] == utc


def test_free_subnets_are_no_error():
    assert found(networks=[network("bridge", "172.17.0.0/16")], subnets=SUBNETS, managed="172.20.20.0/24")["errors"] == []


def test_a_subnet_that_another_network_has_is_refused_by_its_name():
    assert found(networks=[network("other", "172.18.4.0/24")], subnets=SUBNETS)["errors"] == [
        "podnet_node_subnet 172.18.0.0/16 overlaps the Docker network 'other' 172.18.4.0/24. Choose another subnet, or remove that network"
    ]


def test_an_existing_network_becomes_the_nodes_and_is_held_against_the_pods():
    """podnet_node_subnet is not asked for then, so what it says does not matter."""
    there = [network("kind", "192.168.7.0/24"), network("other", "172.18.0.0/24")]
    (error,) = found(networks=there, subnets=SUBNETS)["errors"]
    assert error.startswith(
        "podnet_pod_subnet 192.168.0.0/16 overlaps the Docker network 'kind', which exists and becomes the nodes' network"
    )


def test_containerlabs_own_network_is_held_against_the_labs():
    (error,) = found(subnets=SUBNETS, managed="10.96.20.0/24")["errors"]
    assert error.startswith("podnet_service_subnet 10.96.0.0/16 overlaps containerlab_management_subnet 10.96.20.0/24")


def test_containerlabs_network_that_exists_is_named_once():
    errors = found(networks=[network("clab", "10.96.20.0/24")], subnets=SUBNETS, managed="10.96.20.0/24")["errors"]
    assert len(errors) == 1 and "the Docker network 'clab'" in errors[0]


def test_two_families_are_held_each_against_its_own():
    both = {**SUBNETS, "podnet_pod_subnet": "192.168.0.0/16,fd00:10:244::/56"}
    networks = [network("six", "fd00:10:244:1::/64")]
    (error,) = found(networks=networks, subnets=both)["errors"]
    assert error.startswith("podnet_pod_subnet fd00:10:244::/56 overlaps the Docker network 'six'")
