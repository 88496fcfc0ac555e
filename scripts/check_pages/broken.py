# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One broken cluster for each check: a recording of a real Calico in which one thing is changed, and that thing in words.

Each leaves the state that recorded faults showed. The edits are those of the tests, which hold that each is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.podnet.calico.plugins.module_utils._cut import shard_of
from ansible_collections.podnet.calico.plugins.module_utils._exec import ExecResult
from ansible_collections.podnet.calico.plugins.module_utils._model import Affinity, Probe, Route, Snapshot, Unobserved
from ansible_collections.podnet.calico.plugins.module_utils._probe import read_capture, read_ping
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils import faults, shards
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.faults import (
    BLOCK,
    BLOCK2,
    CONTROL,
    DEVICE,
    NONE,
    VXLAN,
    WORKER,
    WORKER2,
)
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.healthy_clusters import Plan
from ansible_collections.podnet.calico.tests.unit.plugins.module_utils.recordings import (
    LAB,
    changed_route,
    recording,
    text,
    with_facts,
    with_node,
    without_route,
)

#: A cluster of IPIP, for which there is no recording: the kernel that recorded the others had no such module.
MADE_UP = "made up after the fact sheet: no recording of IPIP exists"
NEWER = "calico-v3.32.1/none"


class Broken(NamedTuple):
    """``what`` is changed in the recording ``source``, by ``edit``; and what a person asked for, if that matters."""

    what: str
    edit: Callable[[Snapshot], Snapshot]
    source: str = LAB
    intent: Mapping[str, Any] | None = None

    @property
    def healthy(self) -> Snapshot:
        """The cluster before."""
        return ipip() if self.source == MADE_UP else recording(self.source)


def ipip() -> Snapshot:
    """Two nodes with IPIP."""
    return Plan("IPIP", [0, 0], [1, 1], "v3.30.7", False, 26, 0).snapshot()


def probed(ping: Callable[[str], str] = str, capture: Callable[[str], str] = str, moved: int | None = None) -> Callable:
    """An edit that adds the recorded ping across nodes and its capture, each as a function leaves its text."""

    def recorded(name: str, change: Callable[[str], str]) -> ExecResult:
        # The recordings read a capture from its file; tcpdump that listens says so.
        said = text(LAB, f"probes/tcpdump-cross-node{name}.txt").replace("reading from file /tmp/c.pcap", "listening on eth0")
        return ExecResult(stdout=change(said).encode(), code=0)

    def edit(snapshot: Snapshot) -> Snapshot:
        pair = "default/multitool", "default/multitool-1-wnszh", "192.168.93.193", "192.168.112.197", WORKER, WORKER2
        probe = read_ping(Probe(*pair, sent=0, tunnel_packets=moved), recorded(".ping", ping))
        return snapshot._replace(probes=(read_capture(probe, recorded("", capture)),))

    return edit


def _lost(said: str) -> str:
    """Without the answers from the third on."""
    kept = [line for line in said.splitlines() if "icmp_seq=3" not in line and "icmp_seq=4" not in line]
    return "\n".join(kept).replace("4 received, 0% packet loss", "2 received, 50% packet loss")


def _unanswered(said: str) -> str:
    """Without the replies in the capture, as of packets that another pod answers."""
    lines = said.splitlines()
    return "\n".join(line for at, line in enumerate(lines) if "reply" not in "".join(lines[at : at + 2]) or "request" in line)


def _settings(**fields: Any) -> Callable[[Snapshot], Snapshot]:
    return lambda s: s._replace(header=s.header._replace(settings=s.header.settings._replace(**fields)))


def _annotated(node: str, **fields: Any) -> Callable[[Snapshot], Snapshot]:
    return lambda s: with_node(s, node, lambda one: one._replace(**fields))


def _added_block(s: Snapshot, cidr: str, owner: str) -> Snapshot:
    block = s.blocks[0]._replace(cidr=cidr, affinity="host:" + owner, allocations=())
    return s._replace(blocks=(*s.blocks, block), affinities=(*s.affinities, Affinity(owner + "-x", cidr, owner)))


def _one_sided(s: Snapshot) -> Snapshot:
    strict = {"net.ipv4.conf.eth0.rp_filter": "1", "net.ipv4.conf.all.rp_filter": "0"}
    for node in s.nodes:
        s = with_facts(s, node.name, sysctls=lambda old: {**old, **strict})
    return _annotated(WORKER2, internal_ip="172.19.0.4", calico_address="172.19.0.4/12")(s)


def _halved_rollout(s: Snapshot) -> Snapshot:
    return s._replace(workloads=tuple(one._replace(ready=2) if one.name == "multitool-1" else one for one in s.workloads))


def _with_device(s: Snapshot, name: str) -> Snapshot:
    return with_facts(s, WORKER, links=lambda links: (*links, links[0]._replace(name=name)))


def _kept_device(s: Snapshot) -> Snapshot:
    device = next(x for x in recording().nodes[0].facts.links if x.name == "vxlan.calico")
    return with_facts(s, WORKER, links=lambda links: (*links, device))


def _unread(s: Snapshot) -> Snapshot:
    gap = Unobserved("felixconfigurations", "kubectl get felixconfigurations.crd.projectcalico.org --all-namespaces -o json", "Forbidden")
    return s._replace(header=s.header._replace(unobserved=(gap,)))


def _without_a_shard(s: Snapshot) -> Snapshot:
    cut = {name: shards.shard(s, name, shards.names(4)) for name in shards.names(4)}
    del cut[shard_of(WORKER, shards.names(4))]
    return shards.together(cut)


def _miscounted(s: Snapshot) -> Snapshot:
    first = s.handles[0]._replace(blocks=dict.fromkeys(s.handles[0].blocks, 9))
    return s._replace(handles=(first, *s.handles[1:]))


_POOL = {"cidr": "192.168.0.0/16", "encapsulation": "IPIP", "block_size": 26}
_FOREIGN = Route("192.168.116.0/27", gateway="172.18.0.1", dev="eth0")
BROKEN: Mapping[str, Broken] = {
    "intent.nodes": Broken(
        "A fourth node was asked for.", lambda s: s, intent={"nodes": [WORKER, WORKER2, CONTROL, "pod-routing-worker3"]}
    ),
    "intent.pools": Broken("IPIP was asked for, the pool is VXLANCrossSubnet.", lambda s: s, intent={"pools": [_POOL]}),
    "intent.bgp": Broken("BGP was asked to be off, and runs.", lambda s: s, intent={"bgp": "Disabled"}),
    "intent.workloads": Broken(
        "Two pods of the DaemonSet per node were asked for.", lambda s: s, intent={"workloads": [{"name": "multitool-1", "per_node": 2}]}
    ),
    "intent.routes": Broken(
        "A route to 10.0.0.0/8 was asked for, and is not there.",
        lambda s: s,
        intent={"routes": [{"node": WORKER, "dst": "10.0.0.0/8", "via": "172.18.0.1"}]},
    ),
    "nodes.ready": Broken(
        "The worker's kubelet has stopped.",
        _annotated(WORKER, ready=False, not_ready_reason="NodeStatusUnknown: Kubelet stopped posting node status."),
    ),
    "nodes.calico-node": Broken("The worker has no calico-node pod.", _annotated(WORKER, calico_node_pod=None, calico_node_ready=None)),
    "shards.whole": Broken("Collected in four shards, of which the worker's is missing.", _without_a_shard),
    "api.observed": Broken("FelixConfiguration may not be listed.", _unread),
    "nodes.observed": Broken(
        "`ip rule` was refused on the worker.",
        lambda s: with_facts(s, WORKER, unobserved=(Unobserved("rules", "ip -j rule", "Operation not permitted"),)),
    ),
    "nodes.address": Broken("The worker is annotated with Docker's bridge.", _annotated(WORKER, calico_address="172.17.0.1/16")),
    "nodes.uplink": Broken("The worker's route to its own subnet is deleted.", lambda s: without_route(s, WORKER, "172.18.0.0/16")),
    "nodes.leftovers": Broken("The worker has the device `cni0`, as the bridge plugin leaves it.", lambda s: _with_device(s, "cni0")),
    "workloads.rolled-out": Broken("One pod of a DaemonSet of three is not Ready.", _halved_rollout),
    "ipam.affinity": Broken("A second node has a confirmed affinity for the worker's block.", faults.second_affinity),
    "ipam.owner": Broken("A block belongs to a node that is not there.", lambda s: _added_block(s, "192.168.200.0/26", "gone")),
    "ipam.layout": Broken("A block lies inside another one.", lambda s: _added_block(s, "192.168.93.192/28", WORKER)),
    "ipam.pools": Broken("The services' range lies inside the pool.", _settings(service_cidr="192.168.96.0/20")),
    "ipam.allocation": Broken("An address is held for a pod that does not exist.", faults.leaked_address),
    "ipam.handles": Broken("A handle counts nine addresses where its block has one.", _miscounted),
    "ipam.capacity": Broken("Nothing is changed: the pool was used up as it was recorded.", lambda s: s, "calico-v3.30.7/pool-exhausted"),
    "pods.allocation": Broken("A pod has an address of another plugin.", faults.pod_elsewhere),
    "pods.interface": Broken(
        "A pod's address has a /24 mask.",
        lambda s: faults.with_pod_facts(
            s, addresses=lambda rows: tuple(a._replace(prefixlen=24) if a.prefixlen == 32 else a for a in rows)
        ),
    ),
    "pods.routes": Broken(
        "A pod has a third route.", lambda s: faults.with_pod_facts(s, routes=lambda old: (*old, Route("10.0.0.0/8", dev="eth1")))
    ),
    "pods.gateway": Broken("A pod's ARP for its gateway is not answered.", lambda s: faults.with_gateway(s, ("FAILED",))),
    "pods.mtu": Broken(
        "The pod's end of a cable has another MTU than the host's.",
        lambda s: faults.with_pod_facts(s, links=lambda rows: tuple(x._replace(mtu=1400) if x.name == "eth0" else x for x in rows)),
    ),
    "host.route": Broken("The worker's route to a pod of its own is deleted.", lambda s: without_route(s, WORKER, "192.168.93.194/32")),
    "host.device": Broken(
        "A pod's device on the worker is set down; the kernel took its route away.",
        lambda s: without_route(faults.with_link(s, WORKER, DEVICE, admin_up=False, carrier=False), WORKER, "192.168.93.194/32"),
    ),
    "host.stray": Broken(
        "The worker has a route to the device of a pod that is gone.",
        lambda s: faults.with_route(s, WORKER, Route("192.168.93.240/32", dev="calideadbeef000", scope="link")),
    ),
    "host.gateway-route": Broken("The worker's default route is deleted.", lambda s: without_route(s, WORKER, "0.0.0.0/0")),
    "blocks.remote-route": Broken(
        "The worker's route to worker2's block leads to the control plane. Every ping is answered.",
        lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2"),
    ),
    "blocks.borrowed-route": Broken(
        "worker2's route to an address that the control plane borrowed is deleted.",
        lambda s: without_route(s, WORKER2, "10.99.0.5/32"),
        "calico-v3.30.7/borrowed-vxlan",
    ),
    "blocks.own-blackhole": Broken("The worker's blackhole is deleted.", lambda s: without_route(s, WORKER, BLOCK)),
    "blocks.tunnel-address": Broken(
        "The worker's route to worker2's tunnel address leads to the control plane.",
        lambda s: changed_route(s, WORKER, "192.168.112.192/32", gateway="172.18.0.2"),
    ),
    "blocks.route-owner": Broken(
        "The worker's route to worker2's block was made by hand.", lambda s: changed_route(s, WORKER, BLOCK2, protocol="boot")
    ),
    "blocks.stray-route": Broken(
        "worker2 has a route to half of the control plane's block.", lambda s: faults.with_route(s, WORKER2, _FOREIGN)
    ),
    "blocks.policy-rule": Broken(
        "The worker has a rule in front of the main table, and a route to the pool in its table.", faults.policy_rule
    ),
    "vxlan.device": Broken("The worker's `vxlan.calico` is deleted.", lambda s: faults.without_link(s, WORKER, "vxlan.calico")),
    "vxlan.address": Broken(
        "The worker announces a pod's address as its tunnel's.", _annotated(WORKER, vxlan_tunnel_address="192.168.93.194")
    ),
    "vxlan.neighbours": Broken(
        "The worker's entry for worker2's end of the tunnel is deleted.",
        lambda s: with_facts(
            s, WORKER, neighbours=lambda rows: tuple(n for n in rows if n.dev != "vxlan.calico" or n.mac != "66:2d:56:cc:a5:7d")
        ),
        VXLAN,
    ),
    "vxlan.fdb": Broken(
        "The worker wraps frames for worker2 to the control plane.",
        lambda s: with_facts(s, WORKER, fdb=lambda rows: tuple(e._replace(dst="172.18.0.2") if e.dst == "172.18.0.4" else e for e in rows)),
        VXLAN,
    ),
    "vxlan.leftover": Broken("The worker still has `vxlan.calico`; no pool uses VXLAN.", _kept_device, NONE),
    "ipip.device": Broken("A node's `tunl0` is down.", lambda s: faults.with_link(s, "node-0", "tunl0", admin_up=False), MADE_UP),
    "ipip.address": Broken(
        "Two nodes announce one tunnel address.",
        lambda s: _annotated("node-1", ipip_tunnel_address=s.nodes[0].ipip_tunnel_address)(s),
        MADE_UP,
    ),
    "sysctls.forwarding": Broken("The worker's ip_forward is 0.", lambda s: faults.with_sysctl(s, WORKER, "net.ipv4.ip_forward", "0")),
    "sysctls.pod-device": Broken(
        "proxy_arp of a pod's device is 0.", lambda s: faults.with_sysctl(s, WORKER, f"net.ipv4.conf.{DEVICE}.proxy_arp", "0")
    ),
    "sysctls.reverse-path": Broken(
        "worker2 has a mask that makes the others near, they have one that makes it far; rp_filter is strict.", _one_sided
    ),
    "bgp.running": Broken(
        "BIRD on the worker is stopped.",
        lambda s: with_facts(
            s,
            WORKER,
            bird=lambda b: b._replace(running=False, message="Unable to connect to server control socket", sessions=(), routes=()),
        ),
    ),
    "bgp.sessions": Broken(
        "TCP 179 between worker and worker2 is blocked; the routes between them are gone.",
        lambda s: without_route(faults.with_session(s, WORKER, "172.18.0.4", "Connect"), WORKER, BLOCK2),
        NONE,
    ),
    "bgp.synced": Broken(
        "The control plane's route to the worker's block was made by hand, and BIRD's is held back.", faults.held_back, NONE
    ),
    "bgp.programmer": Broken("Felix and BIRD are both told to program the routes.", _settings(program_cluster_routes="Enabled"), NEWER),
    "nat.masquerade": Broken(
        "The set of masqueraded pools is empty on the worker.",
        lambda s: with_facts(s, WORKER, masquerade=lambda m: m._replace(masquerade_pools=())),
    ),
    "paths.pod-to-pod": Broken(
        "The worker's route to worker2's block leads to the control plane.",
        lambda s: changed_route(s, WORKER, BLOCK2, gateway="172.18.0.2"),
    ),
    "connectivity.loss": Broken("The recorded ping, without its last two answers.", probed(ping=_lost)),
    "connectivity.ttl": Broken("The recorded ping, its answers one hop older.", probed(ping=lambda said: said.replace("ttl=62", "ttl=61"))),
    "connectivity.source": Broken(
        "The recorded capture, its requests from the node's address.",
        probed(
            capture=lambda said: said.replace(
                "192.168.93.193 > 192.168.112.197: ICMP echo request", "172.18.0.3 > 192.168.112.197: ICMP echo request"
            )
        ),
    ),
    "connectivity.matched": Broken("The recorded capture, without the replies.", probed(capture=_unanswered)),
    "connectivity.encapsulation": Broken("The recorded ping in one subnet, while the tunnel device counted its packets.", probed(moved=4)),
}
