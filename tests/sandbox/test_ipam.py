# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPAM as Calico's: who gets which address, and what the custom resources then say."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import podnet_sandbox
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from podnet_sandbox.api.store import Store
from podnet_sandbox.ipam import block as blocks
from podnet_sandbox.ipam.allocator import AFFINITIES, BLOCKS, CONFIGS, HANDLES, POOLS, RESERVATIONS, Ipam
from podnet_sandbox.ipam.pools import TUNNEL, WORKLOAD, IpamError, blocks_for
from podnet_sandbox.ipam.selector import SelectorError, selects

CRDS = Path(podnet_sandbox.__file__).parent / "manifests" / "operator-crds.yaml"
NODES = ("control-plane", "worker", "worker2")


@pytest.fixture
def store():
    made = Store()
    for definition in yaml.safe_load_all(CRDS.read_text()):
        made.create("customresourcedefinitions.apiextensions.k8s.io", definition)
    for name in NODES:
        labels = {"kubernetes.io/hostname": name}
        made.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}})
    return made


@pytest.fixture
def ipam(store):
    return Ipam(store)


def add_pool(store, name="default", cidr="192.168.0.0/16", size=26, **spec):
    spec = {"cidr": cidr, "blockSize": size, "vxlanMode": "CrossSubnet", "nodeSelector": "all()", **spec}
    body = {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": name}, "spec": spec}
    return store.create(POOLS, body)


def assign(ipam, node, pod, *pools, use=WORKLOAD):
    attributes = {"namespace": "default", "node": node, "pod": pod, "timestamp": "now"}
    return ipam.assign(node, use, f"k8s-pod-network.{pod}", attributes, pools)


def block_of(store, address):
    for found in store.list(BLOCKS):
        if ipaddress.ip_address(address) in ipaddress.ip_network(found["spec"]["cidr"]):
            return found["spec"]
    raise AssertionError(f"no block holds {address}")


def test_a_nodes_first_address_claims_a_block_and_confirms_its_affinity(store, ipam):
    add_pool(store)
    address = assign(ipam, "worker", "a")
    spec = block_of(store, address)
    assert spec["affinity"] == "host:worker"
    assert spec["cidr"].endswith("/26") and address == spec["cidr"].split("/")[0]
    (affinity,) = store.list(AFFINITIES)
    name = "worker-" + spec["cidr"].replace(".", "-").replace("/", "-")
    assert affinity["metadata"]["name"] == name
    assert affinity["spec"] == {
        "cidr": spec["cidr"],
        "deleted": "false",
        "node": "worker",
        "state": "confirmed",
        "type": "host",
    }
    assert affinity["metadata"]["generation"] == 2  # it was pending before


def test_objects_have_the_shape_of_the_recorded_ones(store, ipam):
    add_pool(store)
    address = assign(ipam, "worker", "a")
    spec = block_of(store, address)
    assert set(spec) == {
        "affinity", "allocations", "attributes", "cidr", "deleted", "sequenceNumber", "sequenceNumberForAllocation",
        "strictAffinity", "unallocated",
    }  # fmt: skip
    assert len(spec["allocations"]) == 64 and spec["allocations"][0] == 0 and spec["unallocated"] == list(range(1, 64))
    assert spec["attributes"] == [
        {
            "handle_id": "k8s-pod-network.a",
            "secondary": {"namespace": "default", "node": "worker", "pod": "a", "timestamp": "now"},
        }
    ]
    assert spec["sequenceNumberForAllocation"] == {"0": spec["sequenceNumber"] - 1}
    (handle,) = store.list(HANDLES)
    assert handle["spec"] == {"block": {spec["cidr"]: 1}, "deleted": False, "handleID": "k8s-pod-network.a"}
    (config,) = store.list(CONFIGS)
    assert config["spec"] == {"autoAllocateBlocks": True, "strictAffinity": False}
    for item in (handle, config, *store.list(BLOCKS), *store.list(AFFINITIES)):
        assert item["metadata"]["annotations"] == {"projectcalico.org/metadata": '{"creationTimestamp":null}'}


def test_from_v332_on_an_affinity_carries_its_host_as_a_label(store):
    """As recorded of v3.32.1; v3.30.7 has none."""
    add_pool(store)
    store.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "pod-routing-control-plane"}})
    assign(Ipam(store, calico_version="v3.32.1"), "pod-routing-control-plane", "a")
    (affinity,) = store.list(AFFINITIES)
    assert affinity["metadata"]["labels"] == {
        "projectcalico.org/affinity-type": "host",
        "projectcalico.org/hostname-hash": "P6DI7YHJZESUNOURJWXOTPJ3UMWWYXSF7GCEPDQJ52AOUIZNQUBA",
        "projectcalico.org/ip-version": "4",
    }


def test_the_block_of_a_host_is_the_same_in_every_new_cluster_and_scattered():
    pool = {"spec": {"cidr": "192.168.0.0/16", "blockSize": 26}}
    first = [next(blocks_for(node, pool)) for node in ("a", "b", "c", "d")]
    assert first == [next(blocks_for(node, pool)) for node in ("a", "b", "c", "d")]
    assert len(set(first)) == 4 and "192.168.0.0/26" not in first


@given(host=st.text(min_size=1, max_size=20), size=st.integers(24, 30))
@settings(max_examples=30, deadline=None)
def test_a_host_walks_through_every_block_of_a_pool_once(host, size):
    walked = list(blocks_for(host, {"spec": {"cidr": "10.0.0.0/24", "blockSize": size}}))
    assert sorted(map(ipaddress.ip_network, walked)) == list(ipaddress.ip_network("10.0.0.0/24").subnets(new_prefix=size))


def test_freed_addresses_go_to_the_end_of_the_queue(store, ipam):
    """Recording pod-deleted: ordinal 5 freed, 6 given, `unallocated` ends with 5."""
    add_pool(store)
    first, second = assign(ipam, "worker", "a"), assign(ipam, "worker", "b")
    assert ipam.release("k8s-pod-network.b") == [second]
    third = assign(ipam, "worker", "c")
    spec = block_of(store, first)
    assert int(ipaddress.ip_address(third)) - int(ipaddress.ip_address(first)) == 2
    assert spec["unallocated"][-1] == 1
    assert [a["handle_id"] for a in spec["attributes"]] == ["k8s-pod-network.a", "k8s-pod-network.c"]
    assert spec["allocations"][2] == 1
    assert [handle["metadata"]["name"] for handle in store.list(HANDLES)] == ["k8s-pod-network.a", "k8s-pod-network.c"]


def test_releasing_twice_frees_once(store, ipam):
    add_pool(store)
    assign(ipam, "worker", "a")
    assert len(ipam.release("k8s-pod-network.a")) == 1
    assert ipam.release("k8s-pod-network.a") == []
    assert len(store.list(BLOCKS)) == 1  # an empty block stays the node's


def test_a_full_block_is_followed_by_a_new_one(store, ipam):
    add_pool(store, cidr="10.0.0.0/24", size=30)
    addresses = {assign(ipam, "worker", f"p{number}") for number in range(5)}
    assert len(addresses) == 5 and len(store.list(BLOCKS)) == 2


def test_with_no_block_left_an_address_is_borrowed(store, ipam):
    """Recording borrowed-none: two blocks for three nodes."""
    add_pool(store, cidr="10.99.0.0/28", size=29)
    for node in ("worker", "worker2", "control-plane"):
        address = assign(ipam, node, f"on-{node}")
    spec = block_of(store, address)
    assert len(store.list(BLOCKS)) == 2
    assert spec["affinity"] in ("host:worker", "host:worker2")
    assert spec["attributes"][1]["secondary"]["node"] == "control-plane"


def test_the_recorded_pods_have_the_recorded_addresses(store, ipam):
    """Recording borrowed-none: two blocks for three nodes, and the third borrows of the first block on its own way round."""
    for name in ("pod-routing-worker", "pod-routing-worker2", "pod-routing-control-plane"):
        store.create("nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
    add_pool(store, "tiny", "10.99.0.0/28", 29)
    order = (("worker", "borrow-a"), ("worker2", "borrow-b"), ("control-plane", "borrow-c"), ("worker", "borrow-d"))
    assert [assign(ipam, f"pod-routing-{node}", pod, "tiny") for node, pod in order] == ["10.99.0.8", "10.99.0.0", "10.99.0.1", "10.99.0.9"]


def test_strict_affinity_borrows_nothing(store, ipam):
    add_pool(store, cidr="10.99.0.0/28", size=29)
    for node in ("worker", "worker2"):
        assign(ipam, node, f"on-{node}")
    config = store.get(CONFIGS, "default")
    store.update(CONFIGS, {**config, "spec": {**config["spec"], "strictAffinity": True}})
    with pytest.raises(IpamError, match="No more free affine blocks and strict affinity enabled"):
        assign(ipam, "control-plane", "refused")


def test_a_host_at_its_limit_of_blocks_fails_although_addresses_could_be_borrowed(store, ipam):
    add_pool(store, cidr="10.0.0.0/24", size=30)
    assign(ipam, "worker2", "other")
    config = store.get(CONFIGS, "default")
    store.update(CONFIGS, {**config, "spec": {**config["spec"], "maxBlocksPerHost": 1}})
    for number in range(4):
        assign(ipam, "worker", f"p{number}")
    with pytest.raises(IpamError, match="limit of 1 blocks reached for this node"):
        assign(ipam, "worker", "p4")


def test_an_exhausted_pool_is_reported_in_calicos_words(store, ipam):
    add_pool(store, "tiny", "10.77.0.0/30", 30)
    for number in range(4):
        assign(ipam, "worker", f"tiny-{number}", "tiny")
    with pytest.raises(IpamError) as failure:
        assign(ipam, "worker", "tiny-5", "tiny")
    assert str(failure.value) == (
        "failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; "
        "No IPs available in pools: [10.77.0.0/30]"
    )


def test_blocks_a_node_owns_come_before_the_order_of_pools(store, ipam):
    """FINDINGS A15: once a node owns a block of a second pool, pods that ask for no pool get its addresses."""
    add_pool(store, "default", "192.168.0.0/16", 26)
    assign(ipam, "worker", "a")
    add_pool(store, "tiny", "10.99.0.0/28", 29)
    assign(ipam, "worker", "b", "tiny")
    assert assign(ipam, "worker", "c").startswith("10.99.0.")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"disabled": True}, "no configured Calico pools for node worker"),
        ({"nodeSelector": "kubernetes.io/hostname == 'worker2'"}, "no configured Calico pools for node worker"),
        ({"assignmentMode": "Manual"}, "no configured Calico pools for node worker"),
        ({"allowedUses": ["Tunnel"]}, r"no pools match the required use \(Workload\)"),
    ],
)
def test_a_pool_that_does_not_apply_is_not_used(store, ipam, change, message):
    add_pool(store, **change)
    with pytest.raises(IpamError, match=message):
        assign(ipam, "worker", "a")


def change_pool(store, name, **spec):
    found = store.get(POOLS, name)
    store.update(POOLS, {**found, "spec": {**found["spec"], **spec}})


def owned(store, node):
    return {affinity["spec"]["cidr"] for affinity in store.list(AFFINITIES) if affinity["spec"]["node"] == node}


def test_a_pool_that_no_longer_selects_a_node_gives_it_no_more_and_takes_back_what_is_empty(store, ipam):
    add_pool(store, "first", "10.1.0.0/24")
    kept = assign(ipam, "worker", "kept")
    change_pool(store, "first", nodeSelector="kubernetes.io/hostname == 'worker2'")
    add_pool(store, "second", "10.2.0.0/24")
    assert assign(ipam, "worker", "a").startswith("10.2.0.")
    assert block_of(store, kept)["affinity"] == "host:worker"  # a pod is still in it
    ipam.release("k8s-pod-network.kept")
    assign(ipam, "worker", "b")
    assert {cidr[:5] for cidr in owned(store, "worker")} == {"10.2."}


def test_a_disabled_pool_keeps_its_blocks_and_gives_nothing_not_even_what_is_asked_for(store, ipam):
    add_pool(store, "first", "10.1.0.0/24")
    address = assign(ipam, "worker", "a")
    change_pool(store, "first", disabled=True)
    with pytest.raises(IpamError, match=r"the given pool \(first\) does not exist, or is not enabled"):
        assign(ipam, "worker", "b", "first")
    with pytest.raises(IpamError, match="is not in a configured pool"):
        ipam.assign_address("worker", "10.1.0.77", "c", {"node": "worker"})
    add_pool(store, "second", "10.2.0.0/24")
    assert assign(ipam, "worker", "d").startswith("10.2.0.") and block_of(store, address)["affinity"] == "host:worker"


def reserve(store, *cidrs):
    body = {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPReservation", "metadata": {"name": "kept-back"}}
    store.create(RESERVATIONS, {**body, "spec": {"reservedCIDRs": list(cidrs)}})


def test_a_reserved_address_is_passed_over_and_keeps_its_place_in_the_queue(store, ipam):
    add_pool(store, "tiny", "10.77.0.0/29", 29)
    reserve(store, "10.77.0.0/31", "10.77.0.3")
    assert [assign(ipam, "worker", f"p{number}") for number in range(3)] == ["10.77.0.2", "10.77.0.4", "10.77.0.5"]
    assert block_of(store, "10.77.0.0")["unallocated"] == [0, 1, 3, 6, 7]
    assert ipam.assign_address("worker", "10.77.0.1", "asked", {"node": "worker"}) == "10.77.0.1"


def test_a_block_that_is_reserved_whole_is_nobodys_and_what_is_left_is_what_runs_out(store, ipam):
    add_pool(store, "tiny", "10.77.0.0/29", 30)
    reserve(store, "10.77.0.4/30")
    for number in range(4):
        assign(ipam, "worker", f"p{number}")
    assert owned(store, "worker") == {"10.77.0.0/30"}
    with pytest.raises(IpamError, match=r"No IPs available in pools: \[10\.77\.0\.0/29\]"):
        assign(ipam, "worker2", "p4")


def test_a_pool_that_is_asked_for_needs_no_selector(store, ipam):
    add_pool(store, nodeSelector="kubernetes.io/hostname == 'worker2'", assignmentMode="Manual")
    assert assign(ipam, "worker", "a", "default")


def test_a_pool_that_does_not_exist_is_named(store, ipam):
    add_pool(store)
    with pytest.raises(IpamError, match=r"the given pool \(nosuch\) does not exist, or is not enabled"):
        assign(ipam, "worker", "a", "nosuch")


def test_an_address_that_was_asked_for_is_given_once(store, ipam):
    add_pool(store)
    attributes = {"node": "worker"}
    assert ipam.assign_address("worker", "192.168.7.9", "one", attributes) == "192.168.7.9"
    assert block_of(store, "192.168.7.9")["allocations"][9] == 0
    with pytest.raises(IpamError, match=r"already assigned in block: 192\.168\.7\.9"):
        ipam.assign_address("worker", "192.168.7.9", "two", attributes)


def test_a_tunnel_address_is_found_again_by_its_handle(store, ipam):
    add_pool(store)
    address = ipam.assign("worker", TUNNEL, "vxlan-tunnel-addr-worker", {"node": "worker", "type": "vxlanTunnelAddress"})
    assert ipam.addresses("vxlan-tunnel-addr-worker") == [address]


def test_what_a_deleted_node_held_is_free_again(store, ipam):
    add_pool(store)
    assign(ipam, "worker", "a")
    assign(ipam, "worker2", "b")
    ipam.release_node("worker")
    assert [found["spec"]["affinity"] for found in store.list(BLOCKS)] == ["host:worker2"]
    assert [found["spec"]["node"] for found in store.list(AFFINITIES)] == ["worker2"]
    assert [found["spec"]["handleID"] for found in store.list(HANDLES)] == ["k8s-pod-network.b"]


def test_a_block_that_somebody_wrote_by_hand_needs_no_sequence_numbers(store, ipam):
    """As with kubectl, for a node without a machine (recording node-deleted)."""
    block = {"cidr": "192.168.200.0/26", "affinity": "host:ghost", "allocations": [0, *[None] * 63], "unallocated": list(range(1, 64))}
    block["attributes"] = [{"handle_id": "there", "secondary": {"node": "ghost"}}]
    objects = {BLOCKS: ("IPAMBlock", "192-168-200-0-26", block), HANDLES: ("IPAMHandle", "there", {"handleID": "there", "block": {block["cidr"]: 1}})}
    objects[AFFINITIES] = ("BlockAffinity", "ghost-192-168-200-0-26", {"cidr": block["cidr"], "node": "ghost", "state": "confirmed"})
    for resource, (kind, name, spec) in objects.items():
        store.create(resource, {"apiVersion": "crd.projectcalico.org/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
    ipam.release_node("ghost")
    assert not [name for resource, (_kind, name, _spec) in objects.items() if store.find(resource, name)]


def test_a_deleted_nodes_block_with_foreign_addresses_stays_without_an_owner(store, ipam):
    add_pool(store, cidr="10.99.0.0/29", size=29)
    assign(ipam, "worker", "a")
    borrowed = assign(ipam, "worker2", "b")
    ipam.release_node("worker")
    spec = block_of(store, borrowed)
    assert "affinity" not in spec and [a.address for a in blocks.allocations(spec)] == [borrowed]
    assert store.list(AFFINITIES) == []


@given(st.lists(st.sampled_from(["take", "free"]), max_size=40))
@settings(max_examples=60, deadline=None)
def test_a_block_never_loses_or_doubles_an_address(steps):
    spec, held = blocks.empty("10.0.0.0/29", "host:a", 1), {}
    for number, step in enumerate(steps):
        if step == "take":
            address = blocks.assign(spec, f"h{number}", {"node": "a"})
            assert (address is None) == (len(held) == 8)
            if address:
                held[f"h{number}"] = address
        elif held:
            handle = next(iter(held))
            assert blocks.release(spec, handle) == [held.pop(handle)]
        used = {a.handle: a.address for a in blocks.allocations(spec)}
        assert used == held and len(set(used.values())) == len(used)
        assert len(spec["unallocated"]) == 8 - len(held)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("all()", True),
        ("", True),
        ("has(rack)", True),
        ("!has(rack)", False),
        ("rack == 'one'", True),
        ('rack != "one"', False),
        ("rack in {'one', 'two'}", True),
        ("rack not in {'one'}", False),
        ("rack contains 'n' && zone == 'b'", True),
        ("rack starts with 'o' && rack ends with 'x'", False),
        ("(rack == 'two' || zone == 'b') && !(rack == 'two')", True),
        ("nosuch != 'x'", True),
    ],
)
def test_selectors_are_calicos(selector, expected):
    assert selects(selector, {"rack": "one", "zone": "b"}) is expected


@pytest.mark.parametrize("selector", ["rack ==", "rack == one", "rack ~ 'x'", "(all()", "all() all()", "rack == '"])
def test_a_broken_selector_is_refused(selector):
    with pytest.raises(SelectorError, match="selector"):
        selects(selector, {})
