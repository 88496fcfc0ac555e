# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What heals, and what does not: the faults that were made on a real Calico v3.30.7 and v3.32.1, one by one.

Each row is a fault that was recorded (faults-none, faults-vxlancrosssubnet, faults-vxlan), and who repaired it: a look of Felix,
by the clock that leads to it; BIRD; or nobody. The clocks are the test's: it looks with all others first. When a real Felix
looks is test_felix_clock.py's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
from kernel_lab import CONTROL_PLANE, WORKER, WORKER2, Lab
from podnet_sandbox.dataplane.felix import network_of
from test_felix import datastore, recording
from test_kernel_bird import established, until
from test_kernel_wiring import build, pod_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="builds namespaces as root")
RECORDINGS = {"none": "none-operator", "vxlancrosssubnet": "vxlancrosssubnet-operator", "vxlan": "vxlan"}
LOOKS = ("ipsets", "device", "routes")
BIRD, NOBODY = "BIRD", "nobody"
#: Blocks of the three nodes, the same in every recording; their addresses.
OF_CONTROL_PLANE, OF_WORKER, OF_WORKER2 = "192.168.116.0/26", "192.168.93.192/26", "192.168.112.192/26"
#: All that is the tunnel's, sorted: neighbours and forwarding entries are listed as they fall.
TUNNEL_DEVICE = (
    "(ip -br link show vxlan.calico; ip -4 addr show vxlan.calico | grep inet; ip route | grep vxlan;"
    " ip neigh show dev vxlan.calico nud permanent; bridge fdb show dev vxlan.calico) 2>/dev/null | sort"
)


@dataclass(frozen=True)
class Fault:
    """``breaks``, ``shows`` and ``undo`` are shell commands on ``node``; {pod} and {device} are a pod's there, {vtep} a wrong VTEP."""

    name: str
    modes: str
    node: str
    breaks: str
    shows: str
    healer: str
    healer_of_v3_32: str = ""
    undo: str = ""


def routes_to(block):
    return f"ip route show {block}"


FAULTS = (
    Fault("block-route-deleted", "none", CONTROL_PLANE, f"ip route del {OF_WORKER2}", routes_to(OF_WORKER2), BIRD),
    Fault("block-route-deleted", "vxlancrosssubnet vxlan", CONTROL_PLANE, f"ip route del {OF_WORKER2}", routes_to(OF_WORKER2), "routes"),
    Fault(
        "block-route-gateway-changed", "none", WORKER,
        f"ip route replace {OF_WORKER2} via 172.18.0.2 dev eth0 proto bird", routes_to(OF_WORKER2), BIRD,
    ),
    Fault(
        "block-route-gateway-changed", "vxlancrosssubnet", WORKER,
        f"ip route replace {OF_WORKER2} via 172.18.0.2 dev eth0 proto 80 onlink", routes_to(OF_WORKER2), NOBODY, "routes",
        f"ip route replace {OF_WORKER2} via 172.18.0.4 dev eth0 proto 80 onlink",
    ),
    Fault(
        "block-route-gateway-changed", "vxlan", WORKER,
        f"ip route replace {OF_WORKER2} via {{vtep}} dev vxlan.calico onlink", routes_to(OF_WORKER2), NOBODY, "routes",
        f"ip route del {OF_WORKER2}",
    ),
    Fault(
        "block-route-gateway-changed-proto-boot", "none", CONTROL_PLANE,
        f"ip route replace {OF_WORKER} via 172.18.0.4 dev eth0", routes_to(OF_WORKER), NOBODY, "",
        f"ip route del {OF_WORKER}",
    ),
    Fault(
        "block-route-gateway-changed-proto-boot", "vxlancrosssubnet", CONTROL_PLANE,
        f"ip route replace {OF_WORKER} via 172.18.0.4 dev eth0", routes_to(OF_WORKER), "routes",
    ),
    Fault("blackhole-deleted", "none", CONTROL_PLANE, f"ip route del blackhole {OF_CONTROL_PLANE}", routes_to(OF_CONTROL_PLANE), BIRD),
    Fault(
        "blackhole-deleted", "vxlancrosssubnet", CONTROL_PLANE,
        f"ip route del blackhole {OF_CONTROL_PLANE}", routes_to(OF_CONTROL_PLANE), "routes",
    ),
    Fault("pod-route-deleted", "none vxlancrosssubnet", WORKER2, "ip route del {pod}", "ip route show {pod}", "routes"),
    Fault(
        "cali-device-down", "none vxlancrosssubnet", WORKER, "ip link set {device} down",
        "ip -br link show {device} | grep -c UP; ip route show {pod}", NOBODY, "", "ip link set {device} up",
    ),
    Fault(
        "default-route-deleted", "vxlancrosssubnet", CONTROL_PLANE, "ip route del default", "ip route show default", NOBODY, "",
        "ip route add default via 172.18.0.1 dev eth0",
    ),
    Fault(
        "fdb-neigh-deleted", "vxlancrosssubnet", WORKER2,
        "ip neigh del {tunnel} dev vxlan.calico; bridge fdb del 66:41:a6:e0:42:85 dev vxlan.calico dst 172.18.0.3", TUNNEL_DEVICE, "routes",
    ),
    Fault(
        "foreign-24-over-block", "none vxlancrosssubnet", WORKER, "ip route add 192.168.112.0/24 via 172.18.0.1",
        routes_to("192.168.112.0/24"), NOBODY, "", "ip route del 192.168.112.0/24",
    ),
    Fault(
        "foreign-27-inside-block", "none vxlancrosssubnet", WORKER2, "ip route add 192.168.116.0/27 via 172.18.0.1",
        routes_to("192.168.116.0/27"), NOBODY, "", "ip route del 192.168.116.0/27",
    ),
    Fault(
        "ip-forward-0", "vxlancrosssubnet", WORKER, "echo 0 > /proc/sys/net/ipv4/ip_forward", "cat /proc/sys/net/ipv4/ip_forward",
        NOBODY, "", "echo 1 > /proc/sys/net/ipv4/ip_forward",
    ),
    Fault(
        "proxy-arp-0", "none vxlancrosssubnet", WORKER2, "echo 0 > /proc/sys/net/ipv4/conf/{device}/proxy_arp",
        "cat /proc/sys/net/ipv4/conf/{device}/proxy_arp", NOBODY, "", "echo 1 > /proc/sys/net/ipv4/conf/{device}/proxy_arp",
    ),
    Fault("vxlan-device-deleted", "vxlancrosssubnet vxlan", WORKER, "ip link del vxlan.calico", TUNNEL_DEVICE, "device"),
    # Down: recorded on two subnets (FINDINGS E). Of the device's own fields what Felix keeps with it (calico-facts 1.1, 3.5).
    Fault("vxlan-device-down", "vxlancrosssubnet vxlan", WORKER, "ip link set vxlan.calico down", "ip -br link show vxlan.calico", "device"),
    Fault(
        "vxlan-device-replaced", "vxlancrosssubnet vxlan", WORKER,
        "ip link del vxlan.calico; ip link add vxlan.calico type vxlan id 4097 dstport 4789 local 172.18.0.3 dev eth0; ip link set vxlan.calico up",
        "ip -d link show vxlan.calico | grep -o 'vxlan id .*'", "device",
    ),
    Fault(
        "vxlan-mac-changed", "vxlancrosssubnet", WORKER, "ip link set vxlan.calico address 66:00:00:00:00:01", "ip link show vxlan.calico | grep ether",
        "device",
    ),
    Fault("vxlan-mtu-changed", "vxlancrosssubnet", WORKER, "ip link set vxlan.calico mtu 1400", "ip link show vxlan.calico", "device"),
    Fault(
        "ipset-member-deleted", "none vxlancrosssubnet", WORKER, "ipset del cali40masq-ipam-pools 192.168.0.0/16",
        "ipset list cali40masq-ipam-pools | sed '1,/Members/d'", "ipsets",
    ),
)  # fmt: skip
ROWS = [(mode, fault) for mode in RECORDINGS for fault in FAULTS if mode in fault.modes.split()]


@pytest.fixture(scope="module")
def labs(tmp_path_factory):
    """The three clusters, each built when it is first asked for."""
    built = {}

    def lab(mode):
        if mode not in built:
            built[mode] = made = Lab(str(tmp_path_factory.mktemp(mode)))
            made.recorded = recording(RECORDINGS[mode])
            made.networks = build(made, made.recorded)
            until(lambda: all(established(made, node) == 2 for node in made.networks))
            made.tunnels = {node: network.vxlan.address for node, network in made.networks.items() if network.vxlan}
        return built[mode]

    yield lab
    for made in built.values():
        made.close()


class Case:
    """One row on its lab."""

    def __init__(self, lab, mode, fault):
        pod = pod_of(lab, fault.node)
        words = {"pod": pod.address, "device": pod.host_device}
        words |= {"tunnel": lab.tunnels.get(WORKER), "vtep": lab.tunnels.get(CONTROL_PLANE)}
        self.lab, self.mode, self.fault = lab, mode, fault
        self._words = words

    def shown(self):
        return self._run(self.fault.shows)

    def make(self):
        self._run(self.fault.breaks)

    def undo(self):
        self._run(self.fault.undo)
        self.look("routes")

    def look(self, clock, **options):
        self.lab.call("resync", self.fault.node, clock, **options)

    def bird_has_looked(self):
        """A route that BIRD repairs is taken away: when it is back, BIRD has been through the kernel's table since."""
        if self.mode == "none":
            block = OF_WORKER2 if self.fault.node != WORKER2 else OF_WORKER
            self._run(f"ip route del {block}")
            until(lambda: self._run(routes_to(block)))

    def _run(self, command):
        return self.lab.node(self.fault.node, "sh", "-c", command.format(**self._words)).output


@pytest.fixture(params=ROWS, ids=[f"{mode}-{fault.name}" for mode, fault in ROWS])
def case(request, labs):
    mode, fault = request.param
    return Case(labs(mode), mode, fault)


def test_a_fault_is_healed_by_whom_it_was_healed_in_the_recording_and_by_nobody_else(case):
    before = case.shown()
    case.make()
    healer = case.fault.healer
    if healer == BIRD:
        until(lambda: case.shown() == before)
        assert case.shown() == before
        return
    broken = case.shown()
    assert broken != before
    case.bird_has_looked()
    for clock in (look for look in LOOKS if look != healer):
        case.look(clock)
        assert case.shown() == broken, f"healed at the look at {clock}"
    if healer == NOBODY:
        case.undo()
        until(lambda: case.shown() == before)
    else:
        case.look(healer)
    assert case.shown() == before


@pytest.mark.parametrize("mode", ["vxlancrosssubnet", "vxlan"])
def test_what_the_tunnel_lost_by_going_down_is_back_when_it_comes_up(labs, mode):
    """The kernel drops a device's routes and permanent neighbours then; Felix hears of it, whoever set it up again."""
    case = Case(labs(mode), mode, Fault("", mode, WORKER, "ip link set vxlan.calico down", TUNNEL_DEVICE, ""))
    before = case.shown()
    case.make()
    assert "PERMANENT" in before and "PERMANENT" not in case.shown()
    case.lab.call("set_felix_ready", WORKER, True)
    try:
        case._run("ip link set vxlan.calico up")
        until(lambda: case.shown() == before)
        assert case.shown() == before
    finally:
        case.lab.call("set_felix_ready", WORKER, False)


LATER = [(mode, fault) for mode, fault in ROWS if fault.healer_of_v3_32]


@pytest.mark.parametrize(("mode", "fault"), LATER, ids=[f"{mode}-{fault.name}" for mode, fault in LATER])
def test_what_v3_30_leaves_v3_32_puts_right_at_the_resync(labs, mode, fault):
    """FINDINGS D: 97 s after the change, which is the resync's clock."""
    case = Case(labs(mode), mode, fault)
    before = case.shown()
    case.make()
    assert case.shown() != before
    case.look(fault.healer_of_v3_32, compare=True)
    assert case.shown() == before


def test_bird_marks_a_route_that_it_was_beaten_to(labs):
    """FINDINGS A5: `!` in place of `*`, and the alien route below."""
    lab = labs("none")
    lab.node(CONTROL_PLANE, "ip", "route", "replace", OF_WORKER, "via", "172.18.0.4", "dev", "eth0")
    try:
        until(lambda: "] ! (100/0) [i]" in lab.node(CONTROL_PLANE, "birdcl", "show", "route").output)
        lines = lab.node(CONTROL_PLANE, "birdcl", "show", "route").output.splitlines()
        place = next(number for number, line in enumerate(lines) if line.startswith(OF_WORKER))
        assert "] ! (100/0) [i]" in lines[place] and "via 172.18.0.4 on eth0 [kernel1 " in lines[place + 1] + lines[place + 2]
    finally:
        lab.node(CONTROL_PLANE, "ip", "route", "del", OF_WORKER)


@pytest.mark.parametrize(("mode", "spreads"), [("none", True), ("vxlancrosssubnet", False)])
def test_a_foreign_route_in_the_pool_spreads_to_all_kernels_where_bird_owns_them(labs, mode, spreads):
    """FINDINGS A7: peers hear of it in either mode."""
    lab, foreign = labs(mode), "192.168.116.32/27"
    lab.node(WORKER2, "ip", "route", "add", foreign, "via", "172.18.0.1")
    try:
        until(lambda: f"{foreign} " in lab.node(WORKER, "birdcl", "show", "route").output)
        assert f"{foreign} " in lab.node(WORKER, "birdcl", "show", "route").output
        until(lambda: bool(lab.node(WORKER, "ip", "route", "show", foreign).output) == spreads)
        assert lab.node(WORKER, "ip", "route", "show", foreign).output == (
            f"{foreign} via 172.18.0.1 dev eth0 proto bird \n" if spreads else ""
        )
    finally:
        lab.node(WORKER2, "ip", "route", "del", foreign)
        until(lambda: f"{foreign} " not in lab.node(WORKER, "birdcl", "show", "route").output)


def test_a_second_affinity_makes_third_nodes_send_to_both_owners(labs):
    """FINDINGS A17: ECMP and a second blackhole in a pool of BIRD's."""
    lab = labs("none")
    affinity = next(item for item in lab.recorded["affinities"] if item["spec"]["cidr"] == OF_WORKER)
    double = {**affinity, "spec": {**affinity["spec"], "node": WORKER2}}
    doubled = {**lab.recorded, "affinities": [*lab.recorded["affinities"], double]}
    own = network_of(WORKER2, datastore(doubled)).bgp
    lab.call("sync_bird", WORKER2, own)
    try:
        until(lambda: "nexthop" in lab.node(CONTROL_PLANE, "ip", "route", "show", OF_WORKER).output)
        shown = lab.node(CONTROL_PLANE, "ip", "route", "show", OF_WORKER).output
        assert [line.strip() for line in shown.splitlines()] == [
            f"{OF_WORKER} proto bird",
            "nexthop via 172.18.0.3 dev eth0 weight 1",
            "nexthop via 172.18.0.4 dev eth0 weight 1",
        ]
        assert lab.node(WORKER2, "ip", "route", "show", OF_WORKER).output == f"blackhole {OF_WORKER} proto bird \n"
    finally:
        lab.call("sync_bird", WORKER2, lab.networks[WORKER2].bgp)
        until(lambda: "nexthop" not in lab.node(CONTROL_PLANE, "ip", "route", "show", OF_WORKER).output)


def test_a_second_affinity_changes_no_kernel_where_felix_owns_the_routes(labs):
    recorded = labs("vxlancrosssubnet").recorded
    affinity = next(item for item in recorded["affinities"] if item["spec"]["cidr"] == OF_WORKER)
    double = {**affinity, "spec": {**affinity["spec"], "node": WORKER2}}
    for node in (CONTROL_PLANE, WORKER, WORKER2):
        doubled = network_of(node, datastore({**recorded, "affinities": [*recorded["affinities"], double]}))
        assert doubled.routes == network_of(node, datastore(recorded)).routes
