# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ipsets and the nat table, as Felix leaves them on a node (calico-facts 8; recording `iptables-nft-save-c.txt`).

Text for `ipset restore` and `iptables-nft-restore`: one process each, only when something changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..desired import NodeNetwork
from .namespaces import NetworkNamespace

ALL_POOLS, NETWORK_POOLS = "cali40all-ipam-pools", "cali40network-ip-pools"  # the same set; its name until v3.31, and since v3.32
MASQUERADE_POOLS = "cali40masq-ipam-pools"
VXLAN_HOSTS = "cali40all-vxlan-net"
THIS_HOST = "cali40this-host"
_SET_TYPES = {ALL_POOLS: "net", NETWORK_POOLS: "net", MASQUERADE_POOLS: "net", VXLAN_HOSTS: "net", THIS_HOST: "ip"}

_CHAINS = ("OUTPUT", "POSTROUTING", "PREROUTING", "fip-dnat", "fip-snat", "nat-outgoing")
#: Felix marks each rule with a hash of its content; these are the recorded ones.
_JUMPS = (
    ("PREROUTING", "6gwbT8clXdHdC1b1", "cali-PREROUTING"),
    ("OUTPUT", "tVnHkvAo15HuiPy0", "cali-OUTPUT"),
    ("POSTROUTING", "0i8pjzKKPyA34aQD", "cali-POSTROUTING"),
)
_RULES = (
    ("cali-OUTPUT", "GBTAv2p5CwevEyJm", "cali-fip-dnat"),
    ("cali-POSTROUTING", "Z-c7XtVd2Bq7s_hA", "cali-fip-snat"),
    ("cali-POSTROUTING", "nYKhEzDlr11Jccal", "cali-nat-outgoing"),
    ("cali-PREROUTING", "r6XmIziWUJsdOK6Z", "cali-fip-dnat"),
)
_FOREIGN_SOURCE = "-m addrtype ! --src-type LOCAL --limit-iface-out -m addrtype --src-type LOCAL -j MASQUERADE --random-fully"
_VXLAN_SOURCE = f'-A cali-POSTROUTING -o vxlan.calico -m comment --comment "cali:e9dnSgSVNmIcpVhP" {_FOREIGN_SOURCE}'
#: Never recorded, so without Felix's mark.
_IPIP_SOURCE = f"-A cali-POSTROUTING -o tunl0 {_FOREIGN_SOURCE}"
_NAT_OUTGOING_MARKS = {ALL_POOLS: "flqWnvo8yq4ULQLa", NETWORK_POOLS: "W_qq_N2KSTWyCvrX"}


class Masquerade:
    """One node's ipsets and nat chains. Runs in the namespace thread. Raises `ToolError`."""

    def __init__(self, namespace: NetworkNamespace) -> None:
        self._namespace = namespace
        self._sets: dict[str, frozenset[str]] = {}
        self._rules = ""

    def apply(self, desired: NodeNetwork, address: str) -> None:
        """Make sets and rules those of ``desired``; ``address`` is the node's own."""
        wanted = set_members(desired, address)
        if wanted != self._sets:
            self._namespace.run(["ipset", "restore"], set_changes(self._sets, wanted))
            self._sets = wanted
        tunnels = [rule for device, rule in ((desired.ipip, _IPIP_SOURCE), (desired.vxlan, _VXLAN_SOURCE)) if device is not None]
        rules = nat_rules(tunnels, pools=pools_set(desired) if desired.masquerade_pools else "")
        if rules != self._rules:
            hooks = "" if self._rules else _lines(f"-A {chain} {_jump(mark, to)}" for chain, mark, to in _JUMPS)
            text = rules.replace("COMMIT\n", f"{hooks}COMMIT\n")
            self._namespace.run(["iptables-nft-restore", "--noflush"], text)
            self._rules = rules

    def resync(self) -> None:
        """What Felix does every `ipsetsRefreshInterval`: its sets hold what they must, and nothing else."""
        if self._sets:
            present = members_shown(self._namespace.run(["ipset", "save"]))
            own = {name: members for name, members in present.items() if name in self._sets}
            changes = set_changes(own, self._sets)
            if changes:
                self._namespace.run(["ipset", "restore"], changes)


def pools_set(desired: NodeNetwork) -> str:
    """Name of the set of all pools."""
    return NETWORK_POOLS if desired.network_pools_set else ALL_POOLS


def set_members(desired: NodeNetwork, address: str) -> dict[str, frozenset[str]]:
    """Set name → members, as `ipset list` shows them."""
    members = {
        MASQUERADE_POOLS: frozenset(desired.masquerade_pools),
        pools_set(desired): frozenset(desired.all_pools),
    }
    if desired.vxlan is not None:
        members[VXLAN_HOSTS] = frozenset(desired.vxlan_hosts)
    tunnels = {device.address for device in (desired.vxlan, desired.ipip) if device is not None}
    members[THIS_HOST] = frozenset({"127.0.0.0", "127.0.0.1", address, *tunnels})
    return members


def members_shown(text: str) -> dict[str, frozenset[str]]:
    """Set name → members, from what `ipset save` prints."""
    shown: dict[str, set[str]] = {}
    for line in text.splitlines():
        verb, name, *rest = line.split()
        if verb == "create":
            shown[name] = set()
        elif verb == "add":
            shown[name].add(rest[0])
    return {name: frozenset(members) for name, members in shown.items()}


def set_changes(old: Mapping[str, frozenset[str]], new: Mapping[str, frozenset[str]]) -> str:
    """Input of `ipset restore`: members come and go one by one, so that no set is ever empty meanwhile."""
    lines = []
    for name, members in new.items():
        before = old.get(name)
        if before is None:
            lines.append(f"create {name} hash:{_SET_TYPES[name]} family inet maxelem 1048576 -exist")
        lines += [f"add {name} {member} -exist" for member in sorted(members - (before or frozenset()))]
        lines += [f"del {name} {member} -exist" for member in sorted((before or frozenset()) - members)]
    lines += [f"destroy {name}" for name in sorted(old.keys() - new.keys())]
    return _lines(lines)


def nat_rules(tunnels: Iterable[str], *, pools: str) -> str:
    """Input of `iptables-nft-restore --noflush` for Felix's own chains; naming a chain empties it first.

    ``tunnels``: rules for what a node sends into a tunnel from an address that is not the tunnel's.
    ``pools``: name of the set of all pools, empty where nothing is masqueraded.
    """
    lines = ["*nat", *(f":cali-{chain} - [0:0]" for chain in _CHAINS)]
    lines += [f"-A {chain} {_jump(mark, target)}" for chain, mark, target in _RULES]
    lines += tunnels
    if pools:
        lines.append(
            f'-A cali-nat-outgoing -m comment --comment "cali:{_NAT_OUTGOING_MARKS[pools]}" -m set --match-set {MASQUERADE_POOLS} src '
            f"-m set ! --match-set {pools} dst -j MASQUERADE --random-fully"
        )
    return _lines([*lines, "COMMIT"])


def _jump(mark: str, target: str) -> str:
    return f'-m comment --comment "cali:{mark}" -j {target}'


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
