# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cluster that is taken from encapsulation to encapsulation, for test_cluster_modes.py to judge. Run by isolated.py.

A second pool of two blocks for three nodes (recordings borrowed-*) goes along, so that one pod always has a borrowed address.
What the nodes must show is worked out here from the objects, in the forms of the recordings and without the sandbox's own words.
"""

from __future__ import annotations

import asyncio
import hashlib
import time

from lab import MULTITOOL, Lab, operator_object, pod, workload
from whole_cluster import TOLERATE_ALL, lines

#: Encapsulation and bgp, one after the other: each of the three to each, and BGP off and on from and to each.
JOURNEY = (
    ("VXLANCrossSubnet", "Enabled"),
    ("None", "Enabled"),
    ("VXLAN", "Enabled"),
    ("VXLANCrossSubnet", "Enabled"),
    ("VXLAN", "Enabled"),
    ("None", "Enabled"),
    ("VXLANCrossSubnet", "Disabled"),
    ("VXLAN", "Disabled"),
    ("None", "Enabled"),
    ("VXLAN", "Disabled"),
    ("VXLAN", "Enabled"),
    ("VXLAN", "Disabled"),
    ("VXLANCrossSubnet", "Disabled"),
    ("VXLANCrossSubnet", "Enabled"),
)
_MODES = {"VXLANCrossSubnet": "CrossSubnet", "VXLAN": "Always", "None": "Never"}
_INSTALLATIONS, _POOLS = "installations.operator.tigera.io", "ippools.crd.projectcalico.org"
_TINY = {"blockSize": 29, "cidr": "10.99.0.0/28", "ipipMode": "Never", "natOutgoing": True, "nodeSelector": "all()"}


async def observe(kernel):
    """For each stage of the journey: what each node shows, what it must show, and how the pods fared."""
    lab = Lab(kernel=kernel)
    await lab.cluster.start()
    try:
        await _build(lab)
        stages = []
        for number, (encapsulation, bgp) in enumerate(JOURNEY):
            if number:
                _change(lab, encapsulation, bgp)
            stages.append(await _stage(lab, encapsulation, bgp))
        return stages
    finally:
        await lab.cluster.stop()


async def _build(lab):
    await lab.install_calico()
    # One node at a time, the first one with BGP again would wait for a peer for ever: node/pkg/health wants one Established.
    installation = lab.store.get(_INSTALLATIONS, "default")
    installation["spec"]["nodeUpdateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 3}}
    lab.store.update(_INSTALLATIONS, installation)
    lab.apply(operator_object("APIServer"))
    metadata = {"name": "tiny"}
    lab.apply({
        "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": metadata,
        "spec": {**_TINY, "vxlanMode": "CrossSubnet"},
    })  # fmt: skip
    lab.apply(workload("DaemonSet", "multitool", tolerations=TOLERATE_ALL))
    control_plane, worker, worker2 = lab.config.nodes
    for name, node in (("borrow-a", worker), ("borrow-b", worker2), ("borrow-c", control_plane), ("borrow-d", worker)):
        lab.apply(pod(name, MULTITOOL, {"cni.projectcalico.org/ipv4pools": '["tiny"]'}, nodeName=node))
        await lab.until(lambda name=name: lab.ready(lab.pod(name)))  # one by one: who comes first owns the blocks
    await lab.until(lambda: len(lab.pods("multitool")) == 3 and all(map(lab.ready, lab.pods("multitool"))))
    await lab.until(lambda: lab.available("apiserver"))


def _change(lab, encapsulation, bgp):
    installation = lab.store.get(_INSTALLATIONS, "default")
    installation["spec"]["calicoNetwork"]["ipPools"][0]["encapsulation"] = encapsulation
    installation["spec"]["calicoNetwork"]["bgp"] = bgp
    lab.store.update(_INSTALLATIONS, installation)
    lab.patch(_POOLS, "tiny", {"spec": {"vxlanMode": _MODES[encapsulation]}})


async def _stage(lab, encapsulation, bgp):
    """Wait for the cluster to come to rest, then look; what never came shows as a difference."""
    deadline = time.monotonic() + 30
    while True:
        # A pod of calico-node may be on its way out while we look, and its exec with it.
        agents = {item["spec"]["nodeName"]: item for item in lab.pods("calico-node", "calico-system")}
        rolled = len(agents) == 3 and all(map(lab.ready, agents.values())) and lab.available("calico")
        if rolled and all(_backend(item) == ("bird" if bgp == "Enabled" else "vxlan") for item in agents.values()):
            wanted, shown = _wanted(lab, encapsulation), await _shown(lab, agents)
            if {name: node["routes"] for name, node in shown.items()} == wanted or time.monotonic() > deadline:
                break
        assert time.monotonic() < deadline, lab.describe()
        await asyncio.sleep(0.2)
    handles = sorted(item["metadata"]["name"] for item in lab.store.scan("ipamhandles.crd.projectcalico.org"))
    return {
        "mode": [encapsulation, bgp],
        "wanted": wanted,
        "nodes": shown,
        "tunnel_handles": [name for name in handles if name.startswith("vxlan-tunnel-addr-")],
        "tunnels": {item["metadata"]["name"]: _annotation(item, "IPv4VXLANTunnelAddr") for item in lab.store.scan("nodes")},
        "replies": await _replies(lab),
        "mtu": await _mtus(lab),
    }


def _backend(agent):
    variables = agent["spec"]["containers"][0]["env"]
    return next(entry["value"] for entry in variables if entry["name"] == "CALICO_NETWORKING_BACKEND")


async def _shown(lab, agents):
    found = {}
    for node, agent in agents.items():
        name = agent["metadata"]["name"]
        look = lambda *argv, name=name: lines(lab, "calico-system", name, "calico-node", *argv)  # noqa: E731
        found[node] = {
            "routes": sorted(await look("ip", "route")),
            "tunnel_device": bool(await look("sh", "-c", "ip -br link show vxlan.calico 2>/dev/null")),
            "tunnel_neighbours": len(await look("sh", "-c", "ip neigh show dev vxlan.calico nud permanent 2>/dev/null")),
            "sessions": [line.split()[-1] for line in await look("birdcl", "show", "protocols") if line.startswith("Mesh_")],
            "bird": await look("sh", "-c", "birdcl -s /var/run/calico/bird.ctl show status 2>&1 | tail -1"),
            "sets": await look("sh", "-c", "ipset list -n"),
        }
    return found


async def _replies(lab):
    """The time to live of the answer of each pod that the control plane's pod asks; None: there was none."""
    control_plane = lab.config.nodes[0]
    source = next(item for item in lab.pods("multitool") if item["spec"]["nodeName"] == control_plane)
    found = {}
    for item in (*lab.pods("multitool"), *lab.pods("borrow")):
        if item["spec"]["nodeName"] != control_plane:
            address = item["status"]["podIP"]
            said = " ".join(await lines(lab, "default", source["metadata"]["name"], "multitool", "ping", "-c1", "-W2", address))
            found[item["metadata"]["name"]] = said.partition("ttl=")[2].split()[:1]
    return found


async def _mtus(lab):
    item = lab.pods("multitool")[0]
    return await lines(lab, "default", item["metadata"]["name"], "multitool", "cat", "/sys/class/net/eth0/mtu")


def _wanted(lab, encapsulation):
    """All lines of `ip route` of each node."""
    return {name: sorted(set(_routes(lab, name, encapsulation))) for name in lab.config.nodes}


def _routes(lab, node, encapsulation):
    addresses = {item["metadata"]["name"]: _annotation(item, "IPv4Address").partition("/")[0] for item in lab.store.scan("nodes")}
    tunnels = {item["metadata"]["name"]: _annotation(item, "IPv4VXLANTunnelAddr") for item in lab.store.scan("nodes")}
    yield "default via 172.18.0.1 dev eth0"
    yield f"172.18.0.0/16 dev eth0 proto kernel scope link src {addresses[node]}"

    def way(dst, to):
        return {
            "None": f"{dst} via {addresses[to]} dev eth0 proto bird",
            "VXLAN": f"{dst} via {tunnels[to]} dev vxlan.calico onlink",
            "VXLANCrossSubnet": f"{dst} via {addresses[to]} dev eth0 proto 80 onlink",
        }[encapsulation]

    for item in lab.store.scan("pods"):
        address = (item["metadata"].get("annotations") or {}).get("cni.projectcalico.org/podIP")
        if address and item["spec"]["nodeName"] == node:
            name = f"{item['metadata']['namespace']}.{item['metadata']['name']}"
            yield f"{address.partition('/')[0]} dev cali{hashlib.sha1(name.encode()).hexdigest()[:11]} scope link"
    for block in lab.store.scan("ipamblocks.crd.projectcalico.org"):
        spec, owner = block["spec"], block["spec"]["affinity"].removeprefix("host:")
        if owner == node:
            yield f"blackhole {spec['cidr']} proto {'bird' if encapsulation == 'None' else '80'}"
        else:
            yield way(spec["cidr"], owner)
        for address, holder in _allocations(spec):
            if holder not in (owner, node) and address not in tunnels.values():
                yield way(address, holder)
    for name, address in tunnels.items():
        if address and name != node:
            yield f"{address} dev vxlan.calico scope link" if encapsulation == "VXLAN" else way(address, name)


def _allocations(spec):
    base = [int(part) for part in spec["cidr"].partition("/")[0].split(".")]
    for ordinal, index in enumerate(spec["allocations"]):
        if index is not None:
            yield ".".join(map(str, (*base[:3], base[3] + ordinal))), spec["attributes"][index]["secondary"]["node"]


def _annotation(node, name):
    return (node["metadata"].get("annotations") or {}).get(f"projectcalico.org/{name}")
