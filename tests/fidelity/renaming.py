# Copyright (c) 2026 podnet.calico authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must differ between two clusters alike, said in the other's words: names with random parts, and what follows from them.

Pods are matched by who made them and where they run. From a pod follow its address, its `cali…` device and its container's id;
MAC addresses that a kernel makes up are matched by node, pod and device; tunnel addresses by node. Nothing else is renamed.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping

from scenario import Object, owner, stem

Outputs = Mapping[str, str]
#: A word: not part of a longer one or of a longer address, and not a network's, which may begin with somebody's address.
_EDGES = r"(?<![0-9A-Za-z.:-])({})(?![0-9A-Za-z-]|\.[0-9]|/(?!32\b|128\b)[0-9])"
#: Which nodes these run on is a scheduler's choice, and cordons do not keep them away: no two are the same.
_ANYWHERE = ("calico-typha", "tigera-operator")
#: Names also follow a dot or a dash (`default.NAME`, `k8s-pod-network.ID`).
_NAME_EDGES = r"(?<![0-9A-Za-z])({})(?![0-9A-Za-z])"


class Renaming:
    """Words of one cluster → words of another. ``unmatched``: pods of the first that the other has not."""

    def __init__(self, names: Mapping[str, str], addresses: Mapping[str, str]) -> None:
        self._names, self._addresses = dict(names), dict(addresses)
        self._patterns = [(_pattern(_NAME_EDGES, self._names), self._names), (_pattern(_EDGES, self._addresses), self._addresses)]

    @classmethod
    def between(cls, recorded: Outputs, found: Outputs) -> Renaming:
        """From the sandbox's words to the recording's."""
        names: dict[str, str] = {}
        addresses: dict[str, str] = {}
        theirs, ours = _pods(recorded), _pods(found)
        sets = _replica_sets(theirs.values()), _replica_sets(ours.values())
        for maker in sets[0].keys() & sets[1].keys():
            names |= dict(zip(sets[1][maker], sets[0][maker], strict=True))
        for key in theirs.keys() & ours.keys():
            names |= dict(zip(_names(ours[key]), _names(theirs[key]), strict=True))
            if not ours[key]["spec"].get("hostNetwork") and not theirs[key]["spec"].get("hostNetwork"):
                addresses[ours[key]["status"].get("podIP", "")] = theirs[key]["status"].get("podIP", "")
        tunnels = _tunnels(recorded), _tunnels(found)
        addresses |= {tunnels[1][node]: tunnels[0][node] for node in tunnels[0].keys() & tunnels[1].keys()}
        interim = cls(names, addresses)
        theirs_macs, ours_macs = dict(_macs(recorded)), {interim.text(place): mac for place, mac in _macs(found)}
        for place in theirs_macs.keys() & ours_macs.keys():
            addresses |= dict(zip(_of_mac(ours_macs[place]), _of_mac(theirs_macs[place]), strict=True))
        addresses = {old: new for old, new in addresses.items() if old and new}
        addresses |= _back(addresses, _blocks(found))
        return cls({old: new for old, new in names.items() if old and new}, addresses)

    def reversed(self) -> Renaming:
        """From the recording's words to the sandbox's."""
        return Renaming(*({new: old for old, new in words.items()} for words in (self._names, self._addresses)))

    def text(self, text: str) -> str:
        """All words at once: one may be another's new name."""
        for pattern, words in self._patterns:
            if pattern:
                text = pattern.sub(lambda match, words=words: words[match[1]], text)
        return text

    def outputs(self, outputs: Outputs) -> dict[str, str]:
        """Paths and contents."""
        return {self.text(path): self.text(content) for path, content in outputs.items()}


def pods_only_in(one: Outputs, other: Outputs) -> list[Object]:
    """Pods of ``one`` that ``other`` has no counterpart of."""
    mine, theirs = _pods(one), _pods(other)
    return [mine[key] for key in sorted(mine.keys() - theirs.keys())]


def words_of(pod: Object) -> list[str]:
    """What else names the pod in outputs: its device and address, unless it is the node's."""
    address = [] if pod["spec"].get("hostNetwork") else [pod["status"].get("podIP", "")]
    container = (pod["metadata"].get("annotations") or {}).get("cni.projectcalico.org/containerID")
    return [word for word in (pod["metadata"]["name"], device(pod), container, *address) if word]


def device(pod: Object) -> str:
    """The host's end of the pod's cable: `cali` and the beginning of a SHA-1 (recorded)."""
    metadata = pod["metadata"]
    return "cali" + hashlib.sha1(f"{metadata['namespace']}.{metadata['name']}".encode()).hexdigest()[:11]


def _pattern(edges: str, words: Mapping[str, str]) -> re.Pattern[str] | None:
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(edges.format("|".join(map(re.escape, ordered)))) if ordered else None


def _pods(outputs: Outputs) -> dict[tuple, Object]:
    """(namespace, maker, node, how manieth there) → pod. Those of one maker on one node are told apart by their address."""
    found: dict[tuple, Object] = {}
    items = json.loads(outputs["api/pods.json"])["items"]
    for pod in sorted(items, key=lambda item: (item["metadata"]["name"], _number(item["status"].get("podIP")))):
        anywhere = pod["metadata"]["name"] if stem(pod) in _ANYWHERE else ""
        key = (pod["metadata"]["namespace"], stem(pod), anywhere or pod["spec"].get("nodeName"))
        found[(*key, sum(1 for other in found if other[:3] == key))] = pod
    return found


def _back(addresses: Mapping[str, str], blocks: list[ipaddress.IPv4Network]) -> Iterator[tuple[str, str]]:
    """What is an address of nobody in the one has to be so in the other: who gives way gets a name that has become free, of his block."""
    taken, free = set(addresses.values()) - addresses.keys(), addresses.keys() - set(addresses.values())
    for block in blocks:
        inside = [sorted(word for word in words if "." in word and ipaddress.IPv4Address(word) in block) for words in (taken, free)]
        yield from zip(*inside)


def _blocks(outputs: Outputs) -> list[ipaddress.IPv4Network]:
    items = json.loads(outputs["api/ipamblocks.crd.projectcalico.org.json"])["items"]
    return [ipaddress.IPv4Network(item["spec"]["cidr"]) for item in items]


def _number(address: str | None) -> int:
    return int(ipaddress.IPv4Address(address or 0))


def _names(pod: Object) -> Iterator[str]:
    yield pod["metadata"]["name"]
    yield device(pod)
    annotations = pod["metadata"].get("annotations") or {}
    yield annotations.get("cni.projectcalico.org/containerID", "")
    yield (pod["metadata"].get("labels") or {}).get("controller-revision-hash", "")
    yield next((volume["name"] for volume in pod["spec"].get("volumes") or () if volume["name"].startswith("kube-api-access-")), "")


def _replica_sets(pods: Iterable[Object]) -> dict[tuple, tuple[str, str]]:
    """(namespace, Deployment) → its ReplicaSet's name and hash, wherever its pods run."""
    return {
        (pod["metadata"]["namespace"], stem(pod)): (owner(pod)["name"], pod["metadata"]["labels"]["pod-template-hash"])
        for pod in pods
        if (owner(pod) or {}).get("kind") == "ReplicaSet"
    }


def _tunnels(outputs: Outputs) -> dict[str, str]:
    nodes = json.loads(outputs["api/nodes.json"])["items"] if "api/nodes.json" in outputs else []
    annotation = "projectcalico.org/IPv4VXLANTunnelAddr"
    found = {node["metadata"]["name"]: (node["metadata"].get("annotations") or {}).get(annotation) for node in nodes}
    return {name: address for name, address in found.items() if address}


def _macs(outputs: Outputs) -> Iterator[tuple[str, str]]:
    """(path and device, MAC)."""
    for path, text in outputs.items():
        if path.endswith("/ip-j-d-link.json"):
            for link in json.loads(text):
                if link.get("link_type") == "ether" and "ee:ee:ee" not in link["address"]:
                    yield f"{path} {link['ifname']}", link["address"]


def _of_mac(mac: str) -> Iterator[str]:
    """The MAC, the link-local address made of it, and the ends of the multicast addresses made of that."""
    octets = [int(part, 16) for part in mac.split(":")]
    identifier = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    local = ipaddress.IPv6Address(bytes.fromhex("fe80000000000000") + identifier)
    group = ipaddress.IPv6Address(bytes.fromhex("ff0200000000000000000001ff") + identifier[5:])
    yield mac
    yield str(local)
    yield str(group)
    yield f"33:33:ff:{mac[9:]}"
