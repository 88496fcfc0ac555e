# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of change in a node's kernel and its BIRD: how each is read from the node's facts, and set by a command.

``read`` gives the state as text (None: absent); ``write`` goes from one state to another. calico-node has ``ip``, ``ipset``,
``birdcl`` and a POSIX shell, no ``sysctl`` and no ``bridge``.
"""

from __future__ import annotations

import time
from typing import Dict, List, Optional

from .._errors import PodnetError
from .._evidence import BIRDCL
from .._iproute import route_text
from .._model import Link, Route
from .._names import VXLAN_DEVICE
from .hands import Hands

# Flags that the kernel reports and does not take.
_SETTABLE = ("onlink", "pervasive")
# Felix v3.30.7 was seen to make its tunnel device anew after 9 s; it looks at it every 10 s.
_FELIX_SECONDS = 30.0


class Routes:
    """All routes to exactly ``key`` in the node's main table, as `ip route` writes them."""

    def read(self, hands: Hands, place: str, key: str) -> List[str]:
        found = [route for route in hands.facts(place, "routes") if route.table == "main" and route.dst == key]
        return [text_of(route) for route in found]

    def write(self, hands: Hands, place: str, key: str, current: List[str], wanted: List[str]) -> None:
        kept = {_metric(text) for text in wanted}
        for text in current:
            if text not in wanted and _metric(text) not in kept:
                hands.run(place, ["ip", "route", "del"] + text.split())
        for text in wanted:
            if text not in current:  # the kernel tells routes to one destination apart by their metric
                hands.run(place, ["ip", "route", "replace"] + text.split())


def text_of(route: Route) -> str:
    """The route as it can be given to `ip route replace`."""
    return route_text(route._replace(flags=tuple(flag for flag in route.flags if flag in _SETTABLE)))


def _metric(text: str) -> str:
    words = text.split()
    return words[words.index("metric") + 1] if "metric" in words else "0"


def _link(hands: Hands, node: str, name: str) -> Optional[Link]:
    return next((link for link in hands.facts(node, "links") if link.name == name), None)


class LinkState:
    """Whether the device ``key`` is ``up`` or ``down``."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        link = _link(hands, place, key)
        return None if link is None else "up" if link.admin_up else "down"

    def write(self, hands: Hands, place: str, key: str, current: str, wanted: str) -> None:
        hands.run(place, ["ip", "link", "set", "dev", key, wanted])


class Mtu:
    """The MTU of the device ``key``."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        link = _link(hands, place, key)
        return None if link is None else str(link.mtu)

    def write(self, hands: Hands, place: str, key: str, current: str, wanted: str) -> None:
        hands.run(place, ["ip", "link", "set", "dev", key, "mtu", wanted])


class TunnelDevice:
    """Whether vxlan.calico is there with its address. Deleted here; made anew, with all that belongs to it, by Felix."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        link = _link(hands, place, key)
        addresses = [one.address for one in hands.facts(place, "addresses") if one.dev == key and one.family == "inet"]
        return ", ".join(addresses) if link is not None and link.admin_up and addresses else None

    def write(self, hands: Hands, place: str, key: str, current: Optional[str], wanted: Optional[str]) -> None:
        if wanted is None:
            hands.run(place, ["ip", "link", "del", "dev", key])
            return
        end = time.monotonic() + _FELIX_SECONDS
        while self.read(hands, place, key) is None:
            if time.monotonic() > end or not hands.cluster.deadline.remaining():
                raise PodnetError(
                    "Felix on %s has not made %s anew in %g s" % (place, VXLAN_DEVICE, _FELIX_SECONDS),
                    "Look at the log of the calico-node pod there, or delete the pod, and heal again.",
                )
            time.sleep(0.5)
            hands.look_again()


class Sysctl:
    """The value of /proc/sys/``key``."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        return hands.facts(place, "sysctls").get(key.replace("/", "."))

    def write(self, hands: Hands, place: str, key: str, current: str, wanted: str) -> None:
        hands.run(place, ["sh", "-c", "echo %s > /proc/sys/%s" % (wanted, key)])


class PolicyRule:
    """The rules of priority ``key``, each as selector and action."""

    def read(self, hands: Hands, place: str, key: str) -> List[str]:
        return ["%s %s" % (rule.selector, rule.action) for rule in hands.facts(place, "rules") if str(rule.priority) == key]

    def write(self, hands: Hands, place: str, key: str, current: List[str], wanted: List[str]) -> None:
        for verb, texts, others in (("add", wanted, current), ("del", current, wanted)):
            for text in texts:
                if text not in others:
                    hands.run(place, ["ip", "rule", verb, "priority", key] + text.split())


class NeighbourEntry:
    """The neighbour entry ``key`` (device, address) with its MAC and state. One without a MAC knows nothing: absent."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        for entry in hands.facts(place, "neighbours"):
            if [entry.dev, entry.address] == key.split() and entry.mac and entry.states:
                return "lladdr %s nud %s" % (entry.mac, entry.states[0].lower())
        return None

    def write(self, hands: Hands, place: str, key: str, current: Optional[str], wanted: Optional[str]) -> None:
        device, address = key.split()
        if wanted is None:
            hands.run(place, ["ip", "neigh", "del", address, "dev", device])
        else:
            hands.run(place, ["ip", "neigh", "replace", address, "dev", device] + wanted.split())


class BgpProtocol:
    """Whether BIRD's protocol ``key`` is ``enabled`` or ``disabled``."""

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        bird = hands.facts(place, "bird")
        found = [session.state for session in bird.sessions if session.name == key] if bird is not None else []
        return ("disabled" if found[0] == "down" else "enabled") if found else None

    def write(self, hands: Hands, place: str, key: str, current: str, wanted: str) -> None:
        hands.run(place, BIRDCL.split() + [{"enabled": "enable", "disabled": "disable"}[wanted], key])


class MasqueradePool:
    """Whether the network ``key`` is a member of the set of pools that are masqueraded."""

    SET = "cali40masq-ipam-pools"

    def read(self, hands: Hands, place: str, key: str) -> Optional[str]:
        return "member" if key in (hands.facts(place, "masquerade").masquerade_pools or ()) else None

    def write(self, hands: Hands, place: str, key: str, current: Optional[str], wanted: Optional[str]) -> None:
        hands.run(place, ["ipset", "add" if wanted else "del", self.SET, key])


KINDS: Dict[str, object] = {
    "routes": Routes(),
    "link": LinkState(),
    "mtu": Mtu(),
    "tunnel-device": TunnelDevice(),
    "sysctl": Sysctl(),
    "rule": PolicyRule(),
    "neighbour": NeighbourEntry(),
    "bgp": BgpProtocol(),
    "masquerade": MasqueradePool(),
}
