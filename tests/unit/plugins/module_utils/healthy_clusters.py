# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Healthy clusters by the dozen, for property tests.

Written from the fact sheet and the recordings, without a line of the verifier's expectation: what both get wrong in the
same way would be wrong twice by accident only.
"""

from __future__ import annotations

import hashlib
import ipaddress

from ansible_collections.podnet.calico.plugins.module_utils import _model as m
from hypothesis import strategies as st

MODES = ("VXLAN", "VXLANCrossSubnet", "IPIP", "IPIPCrossSubnet", "None")
VERSIONS, SIZES = ("v3.30.7", "v3.31.5", "v3.32.1", None), (26, 28, 30)
_VXLAN = {"VXLAN": "Always", "VXLANCrossSubnet": "CrossSubnet"}
_IPIP = {"IPIP": "Always", "IPIPCrossSubnet": "CrossSubnet"}
_OVERHEAD = {"VXLAN": 50, "VXLANCrossSubnet": 50, "IPIP": 20, "IPIPCrossSubnet": 20, "None": 0}
_RULES = (m.Rule(0, "from all", "lookup local"), m.Rule(32766, "from all", "lookup main"), m.Rule(32767, "from all", "lookup default"))


def cali(namespace, name):
    return "cali" + hashlib.sha1(f"{namespace}.{name}".encode()).hexdigest()[:11]


def vtep(node):
    return "66:" + ":".join(f"{byte:02x}" for byte in hashlib.sha1(node.encode()).digest()[:5])


class Plan:
    """A cluster on paper: who has which address."""

    def __init__(self, mode, subnets, pods, version, borrow, size, tunnel_ordinal):
        self.mode, self.version, self.size = mode, version, size
        self.pool = "10.244.0.0/16"
        blocks = list(ipaddress.ip_network(self.pool).subnets(new_prefix=size))
        self.nodes, self.pods = [], []
        for number, subnet in enumerate(subnets):
            name = f"node-{number}"
            block = blocks[(number * 7 + 3) % len(blocks)]
            tunnel = str(block[tunnel_ordinal % block.num_addresses]) if mode != "None" else None
            self.nodes.append({"name": name, "block": block, "address": f"172.{18 + subnet}.0.{number + 2}", "tunnel": tunnel, "subnet": subnet})
        for node, count in zip(self.nodes, pods):
            free = [str(address) for address in node["block"] if str(address) != node["tunnel"]]
            for number in range(min(count, len(free))):
                self.pods.append({"node": node, "name": f"{node['name']}-pod-{number}", "address": free[number]})
        if borrow and len(self.nodes) > 1:
            lender, borrower = self.nodes[0], self.nodes[-1]
            address = str(lender["block"][-1])
            if address not in [pod["address"] for pod in self.pods] + [lender["tunnel"]]:
                self.pods.append({"node": borrower, "name": "borrower", "address": address})

    @classmethod
    def random(cls, chance):
        """Any cluster, by a source of chance: as ``plans`` draws them, and hundreds of times as fast."""
        count = chance.randint(1, 4)
        return cls(
            chance.choice(MODES), [chance.randint(0, 1) for _number in range(count)], [chance.randint(0, 3) for _number in range(count)],
            chance.choice(VERSIONS), chance.random() < 0.5, chance.choice(SIZES), chance.randint(0, 3),
        )  # fmt: skip

    @property
    def felix(self):
        return self.mode.startswith("VXLAN")

    @property
    def metric(self):
        return 1024 if self.version == "v3.32.1" else 0

    def borrowed(self):
        return [pod for pod in self.pods if ipaddress.ip_address(pod["address"]) not in pod["node"]["block"]]

    def way(self, node, other):
        """(gateway, device, protocol, onlink, metric) towards another node."""
        near = node["subnet"] == other["subnet"]
        router = f"172.{18 + node['subnet']}.0.1"
        bird = "bird", False, self.metric
        if self.mode == "VXLAN" or (self.mode == "VXLANCrossSubnet" and not near):
            return other["tunnel"], "vxlan.calico", "boot", True, 0
        if self.mode == "VXLANCrossSubnet":
            return other["address"], "eth0", "80", True, 0
        if self.mode == "IPIP" or (self.mode == "IPIPCrossSubnet" and not near):
            return other["address"], "tunl0", "bird", True, self.metric
        return (other["address"] if near else router, "eth0", *bird)

    def routes(self, node):
        subnet = f"172.{18 + node['subnet']}.0.0/16"
        yield m.Route("0.0.0.0/0", gateway=f"172.{18 + node['subnet']}.0.1", dev="eth0")
        yield m.Route(subnet, dev="eth0", protocol="kernel", scope="link", prefsrc=node["address"])
        if self.size != 32:
            yield m.Route(str(node["block"]), "blackhole", protocol="80" if self.felix else "bird")
        for other in self.nodes:
            if other is not node:
                yield self.route(str(other["block"]), node, other)
        for pod in self.borrowed():
            if pod["node"] is not node:
                yield self.route(pod["address"] + "/32", node, pod["node"])
        for pod in self.pods:
            if pod["node"] is node:
                yield m.Route(pod["address"] + "/32", dev=cali("default", pod["name"]), scope="link", metric=self.metric)
        yield m.Route(node["address"] + "/32", "local", dev="eth0", table="local", protocol="kernel", scope="host")

    def route(self, dst, node, other):
        gateway, dev, protocol, onlink, metric = self.way(node, other)
        return m.Route(dst, gateway=gateway, dev=dev, protocol=protocol, metric=metric, flags=("onlink",) if onlink else ())

    # -- as the model -----------------------------------------------------------------------------------------------

    def facts(self, node):
        mtu = 1500 - _OVERHEAD[self.mode]
        own = [pod for pod in self.pods if pod["node"] is node]
        links = [m.Link("eth0", 1500, True, mac="02:00:00:00:00:01", kind="veth")]
        addresses = [m.Address("eth0", node["address"], 16)]
        neighbours, fdb = [], []
        if self.felix:
            links.append(m.Link("vxlan.calico", 1450, True, True, vtep(node["name"]), "vxlan", vxlan=m.VxlanLink(4096, 4789, node["address"], "eth0")))
            addresses.append(m.Address("vxlan.calico", node["tunnel"], 32))
            for other in self.nodes:
                if other is not node:
                    neighbours.append(m.Neighbour("vxlan.calico", other["tunnel"], vtep(other["name"]), ("PERMANENT",)))
                    fdb.append(m.FdbEntry("vxlan.calico", vtep(other["name"]), other["address"], ("permanent",)))
        elif self.mode.startswith("IPIP"):
            links.append(m.Link("tunl0", 1480, True, kind="ipip"))
            addresses.append(m.Address("tunl0", node["tunnel"], 32))
        sysctls = {"net.ipv4.ip_forward": "1", **{f"net.ipv4.conf.{link.name}.forwarding": "1" for link in links}}
        for pod in own:
            device = cali("default", pod["name"])
            links.append(m.Link(device, mtu, True, True, "ee:ee:ee:ee:ee:ee", "veth"))
            sysctls.update({f"net.ipv4.conf.{device}.proxy_arp": "1", f"net.ipv4.conf.{device}.forwarding": "1"})
        sessions = tuple(
            m.BgpSession("Mesh_" + other["address"].replace(".", "_"), other["address"], "up", "Established")
            for other in self.nodes
            if other is not node
        )
        return m.NodeFacts(
            tuple(links), tuple(addresses), tuple(self.routes(node)), _RULES, tuple(neighbours), tuple(fdb), sysctls,
            m.Bird(True, "v0.3.3+birdv1.6.8", None, sessions), m.Masquerade((self.pool,), (self.pool,), True),
        )  # fmt: skip

    def pod(self, pod):
        mtu = 1500 - _OVERHEAD[self.mode]
        facts = m.PodFacts(
            (m.Link("eth0", mtu, True, kind="veth"),),
            (m.Address("eth0", pod["address"], 32),),
            (m.Route("0.0.0.0/0", gateway="169.254.1.1", dev="eth0"), m.Route("169.254.1.1/32", dev="eth0", scope="link")),
            (m.Neighbour("eth0", "169.254.1.1", "ee:ee:ee:ee:ee:ee", ("STALE",)),),
        )
        return m.Pod(
            "default", pod["name"], pod["node"]["name"], address=pod["address"], addresses=(pod["address"],),
            calico_address=pod["address"], container_id="c-" + pod["name"], facts=facts,
        )  # fmt: skip

    def node(self, node):
        return m.Node(
            node["name"], node["address"], calico_address=node["address"] + "/16",
            vxlan_tunnel_address=node["tunnel"] if self.felix else None,
            ipip_tunnel_address=node["tunnel"] if self.mode.startswith("IPIP") else None,
            calico_node_pod="calico-system/calico-node-" + node["name"], calico_node_ready=True, facts=self.facts(node),
        )  # fmt: skip

    def block(self, node):
        use = "vxlanTunnelAddress" if self.felix else "ipipTunnelAddress"
        held = [m.Allocation(node["tunnel"], "tunnel-" + node["name"], node["name"], use=use)] if node["tunnel"] else []
        for pod in self.pods:
            if ipaddress.ip_address(pod["address"]) in node["block"]:
                held.append(m.Allocation(pod["address"], "h-" + pod["name"], pod["node"]["name"], "default", pod["name"]))
        return m.Block(str(node["block"]), "host:" + node["name"], allocations=tuple(held))

    def snapshot(self):
        blocks = tuple(self.block(node) for node in self.nodes)
        pool = m.Pool("pool", self.pool, self.size, _VXLAN.get(self.mode, "Never"), _IPIP.get(self.mode, "Never"), True)
        return m.Snapshot(
            m.Header(1, "2026-01-01T00:00:00Z", "cluster-1", calico_version=self.version, evidence=("api", "nodes", "pods"),
                     settings=m.Settings(bgp_enabled=True)),
            tuple(self.node(node) for node in self.nodes),
            tuple(self.pod(pod) for pod in self.pods),
            (pool,),
            blocks,
            tuple(m.Affinity(node["name"] + "-b", str(node["block"]), node["name"]) for node in self.nodes),
            tuple(m.Handle(a.handle, {block.cidr: 1}) for block in blocks for a in block.allocations),
        )  # fmt: skip


@st.composite
def plans(draw, least_nodes=1):
    count = draw(st.integers(least_nodes, 4))
    return Plan(
        draw(st.sampled_from(MODES)),
        draw(st.lists(st.integers(0, 1), min_size=count, max_size=count)),
        draw(st.lists(st.integers(0, 3), min_size=count, max_size=count)),
        draw(st.sampled_from(VERSIONS)),
        draw(st.booleans()),
        draw(st.sampled_from(SIZES)),
        draw(st.integers(0, 3)),
    )
