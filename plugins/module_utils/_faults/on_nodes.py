# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of a node: its block routes, what else routes there, its kernel's switches, its BIRD, its NAT.

Who repairs what, and when, was measured on a real Calico v3.30.7, where no other version is named; where it was not, ``source``
says so.
"""

from __future__ import annotations

import ipaddress
from typing import List

from .._model import Block, Node, Route
from .._names import VXLAN_DEVICE
from .entry import Change, Fault
from .scene import Scene, nothing_here
from .settings import text_of

BIRD_PROTOCOL = "bird"
ADDRESS_ANNOTATION = "projectcalico.org/IPv4Address"
# In front of the kernel's own rules (0 local, 32766 main).
_RULE_PRIORITY = "100"


def _no_block_route(scene: Scene) -> List[Change]:
    return [Change("routes", scene.node.name, scene.remote_block().cidr, [])]


def _changed(scene: Scene, block: Block, route: Route) -> List[Change]:
    return [Change("routes", scene.node.name, block.cidr, [text_of(route)])]


def _wrong_gateway(scene: Scene) -> List[Change]:
    block = scene.remote_block()
    wrong = [node for node in scene.others() if node.name != block.owner]
    if not wrong:
        raise nothing_here("there is no third node to send the packets to")
    route = scene.route(block.cidr, "the route to %s's block" % block.owner)
    if route.dev == VXLAN_DEVICE:
        return _changed(scene, block, route._replace(gateway=wrong[0].vxlan_tunnel_address))
    # BIRD puts back within 2 s what looks its own, and never what does not: under BGP the wrong route is proto boot.
    protocol = "boot" if route.protocol == BIRD_PROTOCOL else route.protocol
    return _changed(scene, block, route._replace(gateway=_address(wrong[0]), protocol=protocol))


def _wrong_device(scene: Scene) -> List[Change]:
    block = scene.remote_block()
    owner = scene.node_of(block)
    route = scene.route(block.cidr, "the route to %s's block" % block.owner)
    if route.dev == scene.tunnel():
        # As Felix programs it within a subnet; proto boot on the uplink would not look Felix's and be put right.
        wrong = route._replace(dev=_uplink(scene), gateway=_address(owner), protocol="80", flags=("onlink",), mtu=None)
    else:
        wrong = route._replace(dev=VXLAN_DEVICE, gateway=owner.vxlan_tunnel_address, flags=("onlink",))
    return _changed(scene, block, wrong)


def _wrong_protocol(scene: Scene) -> List[Change]:
    block = scene.remote_block()
    route = scene.route(block.cidr, "the route to %s's block" % block.owner)
    return _changed(scene, block, route._replace(protocol="static"))


def _no_blackhole(scene: Scene) -> List[Change]:
    return [Change("routes", scene.node.name, scene.own_block().cidr, [])]


def _foreign_route(scene: Scene) -> List[Change]:
    block = ipaddress.ip_network(scene.remote_block().cidr, strict=False)
    if block.prefixlen > 30:
        raise nothing_here("the block %s is too small to have a more specific route inside" % block)
    half = next(block.subnets())
    way = _default_route(scene)
    return [Change("routes", scene.node.name, str(half), ["%s via %s dev %s proto static" % (half, way.gateway, way.dev)])]


def _no_default_route(scene: Scene) -> List[Change]:
    return [Change("routes", scene.node.name, _default_route(scene).dst, [])]


def _rule(scene: Scene) -> List[Change]:
    return [Change("rule", scene.node.name, _RULE_PRIORITY, ["from all to %s unreachable" % scene.remote_block().cidr])]


def _no_forwarding(scene: Scene) -> List[Change]:
    return [Change("sysctl", scene.node.name, "net/ipv4/ip_forward", "0")]


def _no_tunnel(scene: Scene) -> List[Change]:
    return [Change("tunnel-device", scene.node.name, scene.tunnel(), None)]


def _no_neighbour(scene: Scene) -> List[Change]:
    device = scene.tunnel()
    owner = scene.node_of(scene.remote_block())
    return [Change("neighbour", scene.node.name, "%s %s" % (device, owner.vxlan_tunnel_address), None)]


def _no_session(scene: Scene) -> List[Change]:
    bird = scene.field("bird")
    if bird is None or not bird.sessions:
        raise nothing_here("BIRD on %s has no sessions: BGP is not in use" % scene.node.name)
    address = _address(scene.node_of(scene.remote_block()))
    sessions = [session for session in bird.sessions if session.peer == address] or list(bird.sessions)
    return [Change("bgp", scene.node.name, sessions[0].name, "disabled")]


def _no_session_at_all(scene: Scene) -> List[Change]:
    bird = scene.field("bird")
    if bird is None or len(bird.sessions) < 2:
        raise nothing_here("BIRD on %s has fewer than two sessions: bgp-session-down is the fault for one" % scene.node.name)
    return [Change("bgp", scene.node.name, session.name, "disabled") for session in bird.sessions]


def _not_masqueraded(scene: Scene) -> List[Change]:
    return [Change("masquerade", scene.node.name, scene.masqueraded_pool().cidr, None)]


def _wrong_address(scene: Scene) -> List[Change]:
    text = scene.node.calico_address
    if not text or text.endswith("/32"):
        raise nothing_here("%s has no address with a subnet in its annotation %s" % (scene.node.name, ADDRESS_ANNOTATION))
    # The last one of the subnet: addresses are given out from its beginning.
    wrong = ipaddress.ip_interface(text).network[-2]
    if str(wrong) in [_address(node) for node in scene.snapshot.nodes]:
        raise nothing_here("%s, the address that %s would be given, is a node's" % (wrong, scene.node.name))
    changed = "%s/%s" % (wrong, text.partition("/")[2])
    return [Change("annotation", "/api/v1/nodes/" + scene.node.name, ADDRESS_ANNOTATION, changed)]


def _address(node: Node) -> str:
    return (node.calico_address or node.internal_ip or "").partition("/")[0]


def _uplink(scene: Scene) -> str:
    own = _address(scene.node)
    found = [one.dev for one in scene.field("addresses") if one.address == own]
    if not found:
        raise nothing_here("%s has its address %s on no device" % (scene.node.name, own))
    return found[0]


def _default_route(scene: Scene) -> Route:
    route = scene.route("0.0.0.0/0", "the default route")
    if not route.gateway:
        raise nothing_here("the default route of %s has no gateway" % scene.node.name)
    return route


FAULTS = (
    Fault(
        "block-route-deleted", "A node has lost its route to another node's block",
        "Deletes the node's route to the first block of another node.", "blocks.remote-route",
        "Yes: Felix (VXLAN pools) at its resync, within 100 s; BIRD (other pools) within 3 s.",
        "measured on Calico v3.30.7: Felix after 24 s and 74 s, BIRD after 1.0 s and 2.2 s", _no_block_route,
    ),
    Fault(
        "block-route-gateway", "A node sends the packets for a block to the wrong node",
        "Changes the gateway of the node's route to another node's block to a third node, in place. Every packet still arrives, "
        "by a detour: only the TTL tells.", "blocks.remote-route",
        "Not by Calico v3.30 (VXLAN: watched for 210 s; other pools, where the wrong route is proto boot: 100 s); by Felix of "
        "v3.32 at its resync, within 100 s.",
        "measured: the times above; v3.32.1 after 97 s", _wrong_gateway,
    ),
    Fault(
        "block-route-device", "A node sends the packets for a block out of the wrong device",
        "Changes the node's route to another node's block from the direct way to the tunnel, or from the tunnel to the direct way, "
        "in place.", "blocks.remote-route",
        "Not by Calico v3.30; by Felix of v3.32 at its resync, within 100 s.",
        "measured on Calico v3.30.7 for 5 s only; a gateway that is changed in the same way: 210 s", _wrong_device,
    ),
    Fault(
        "block-route-protocol", "A block route that another program made",
        "Changes the protocol of the node's route to another node's block to static. Packets go the right way, until the block moves: "
        "a route of another protocol follows nobody.", "blocks.route-owner",
        "Felix (VXLAN pools) puts its own in its place at its resync, within 100 s; BIRD (other pools) never does.",
        "measured on Calico v3.30.7 with another protocol, boot: Felix after 7 s, BIRD not in 100 s", _wrong_protocol,
    ),
    Fault(
        "blackhole-deleted", "A node does not end its own block",
        "Deletes the blackhole route of the node's own block: packets for unused addresses of it leave by the default route.",
        "blocks.own-blackhole",
        "Yes: Felix (VXLAN pools) at its resync, within 100 s; BIRD (other pools) within 3 s.",
        "measured on Calico v3.30.7: Felix after 25 s, BIRD after 2.4 s at most", _no_blackhole,
    ),
    Fault(
        "foreign-route", "A more specific route takes a part of another node's block",
        "Adds a route to the first half of another node's block, through the default gateway, protocol static.", "blocks.stray-route",
        "No. Where BIRD owns the routes it spreads to every node within a second, and goes again with the healing.",
        "measured on Calico v3.30.7: there after 100 s", _foreign_route,
    ),
    Fault(
        "policy-rule", "A policy rule in front of the main table",
        "Adds the rule «100: from all to BLOCK unreachable» for another node's block: every route to it is right, and none is asked.",
        "blocks.policy-rule", "No: Felix and BIRD keep to rules and tables of their own.", "not measured", _rule,
    ),
    Fault(
        "default-route-deleted", "A node without a default route",
        "Deletes the node's default route: the kernel no longer answers its pods' ARP for 169.254.1.1, so all of them are cut off as "
        "soon as their neighbour entry is old. The way to the outside and to image registries is cut at once.", "host.gateway-route",
        "No: it is not Calico's.", "measured on Calico v3.30.7 for 20 s", _no_default_route,
    ),
    Fault(
        "ip-forward-off", "A node that forwards nothing", "Sets net.ipv4.ip_forward to 0, and with it the forwarding of every device.",
        "sysctls.forwarding", "No: Felix sets it at start and never looks again.", "measured on Calico v3.30.7: 100 s",
        _no_forwarding,
    ),
    Fault(
        "vxlan-device-deleted", "A node without its tunnel device",
        "Deletes vxlan.calico with its address, routes and entries. Healing waits for Felix, who makes it.", "vxlan.device",
        "Yes: Felix makes the device anew, with all that belongs to it, within 10 s.", "measured on Calico v3.30.7: 9 s",
        _no_tunnel,
    ),
    Fault(
        "vxlan-neighbour-deleted", "A node does not know another node's end of the tunnel",
        "Deletes the permanent neighbour entry of another node's tunnel address.", "vxlan.neighbours",
        "Yes: Felix at its resync, within 100 s.", "measured on Calico v3.30.7: 38 s to 61 s", _no_neighbour,
    ),
    Fault(
        "bgp-session-down", "A BGP session that is switched off",
        "Disables BIRD's session to another node on this node (birdcl disable). Where BIRD owns the routes, both nodes lose each "
        "other's blocks at once.", "bgp.sessions",
        "No, unless its configuration changes or BIRD starts anew: either enables the session.",
        "not measured on Calico; BIRD 2 of the sandbox does so", _no_session,
    ),
    Fault(
        "bgp-isolated", "A node that has no BGP session any more",
        "Disables all of BIRD's sessions on this node (birdcl disable). Where BIRD owns the routes, the node and all others lose each "
        "other's blocks at once.", "bgp.sessions",
        "No, unless its configuration changes or BIRD starts anew: either enables the sessions.",
        "not measured on Calico; BIRD 2 of the sandbox does so", _no_session_at_all,
    ),
    Fault(
        "node-address-wrong", "A node whose Calico address is not its own",
        "Writes another address of the subnet into the node's annotation projectcalico.org/IPv4Address, as a failed autodetection "
        "would: all other nodes send the packets for its pods to an address that nobody has.", "nodes.address",
        "No: calico-node writes it when it starts; its monitor looks every minute, and for what it found itself to change only.",
        "not measured; node/pkg/lifecycle/startup (MonitorIPAddressSubnets)", _wrong_address,
    ),
    Fault(
        "masquerade-pool-removed", "A pool that is no longer masqueraded",
        "Takes the pool out of the node's set cali40masq-ipam-pools: its pods leave for the outside with addresses that nobody answers.",
        "nat.masquerade", "Felix compares its sets at ipsetsRefreshInterval (90 s by default).",
        "not measured; the configuration reference of Felix v3.30", _not_masqueraded,
    ),
)  # fmt: skip
